"""The channels of a robot file: every mistake is refused with a message that says what to do, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.mounts import mount
from test_config import GOOD, URDF

KINDS = "link_pose, odometry, imu, force_torque, contact, lidar, range, camera, topic, transform"
ELSEWHERE = "Give the sensor a frame_id that nothing else has"
IMU = "{name: s, kind: imu, link: lower}"
CAMERA = "{name: s, kind: camera, link: lower}"
LIDAR = "{name: s, kind: lidar, link: lower}"
RANGE = "{name: s, kind: range, link: lower}"


class Written:
    """A robot file with channels, its URDF and a body of the scene, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "two.yaml"
        (folder / "two.urdf").write_text(URDF)

    def refused(self, channels: str, more: str = "") -> str:
        """The message, without the paths."""
        scene = "scene: [{name: box, file: two.urdf}]\n"
        self.path.write_text(f"{GOOD}{scene}channels: [{channels}]\n{more}")
        with pytest.raises(RobotFileError) as caught:
            load_robot(self.path)
        message = str(caught.value)
        assert message.startswith(f"{self.path}: ")
        return message.removeprefix(f"{self.path}: ").replace(str(self.folder), "{folder}")


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path.resolve())


def keyed(channel: str, text: str) -> str:
    """A channel with one more key."""
    return channel.replace("}", f", {text}}}", 1)


# fmt: off
NOT_FITTING = [  # what only the robot file and its model as a whole can say
    (keyed(IMU, "rate_hz: 3"),
     "channels[0].rate_hz; got 3; expected a rate that divides control_hz: 20; Change one of the two."),
    (keyed(IMU, "rate_hz: 40"),
     "channels[0].rate_hz; got 40; expected a rate that divides control_hz: 20; Change one of the two."),
    ("{name: s, kind: imu, link: lowr}",
     "channels[0].link; got 'lowr'; expected a link of {folder}/two.urdf; Did you mean 'lower'?"),
    ("{name: s, kind: contact, link: xyz}",
     "channels[0].link; got 'xyz'; expected a link of {folder}/two.urdf; Use one of base, upper, lower."),
    ("{name: s, kind: force_torque, joint: elbo}",
     "channels[0].joint; got 'elbo'; expected a joint of {folder}/two.urdf; Did you mean 'elbow'?"),
    ("{name: s, kind: link_pose}",
     "channels[0].link; got None; expected either a 'link' of the robot or a 'body' of the scene; "
     "Give one of the two."),
    ("{name: s, kind: odometry, link: lower, body: box}",
     "channels[0].link; got ['lower', 'box']; expected either a 'link' of the robot or a 'body' of the scene; "
     "Give one of the two."),
    ("{name: s, kind: odometry, link: lowr}",
     "channels[0].link; got 'lowr'; expected a link of {folder}/two.urdf; Did you mean 'lower'?"),
    ("{name: s, kind: link_pose, body: boxx}",
     "channels[0].body; got 'boxx'; expected a body listed under 'scene'; Did you mean 'box'?"),
    (keyed(LIDAR, "min_angle: 1.0, max_angle: -1.0"),
     "channels[0].min_angle; got 1.0; expected less than max_angle: -1.0; Change one of the two."),
    (keyed(LIDAR, "layers: 2, min_elevation: 0.5, max_elevation: 0.5"),
     "channels[0].min_elevation; got 0.5; expected less than max_elevation: 0.5; Change one of the two."),
    (keyed(LIDAR, "rays: 1000, layers: 20, max_elevation: 0.5"),
     "channels[0].rays; got 20000; expected at most 16384 rays in all layers; Use fewer."),
    (keyed(LIDAR, "range_min: 3.0, range_max: 3.0"),
     "channels[0].range_min; got 3.0; expected less than range_max: 3.0; Change one of the two."),
    (keyed(RANGE, "range_min: 5.0"),
     "channels[0].range_min; got 5.0; expected less than range_max: 4.0; Change one of the two."),
    (keyed(CAMERA, "near: 2.0, far: 1.0"),
     "channels[0].near; got 2.0; expected less than far: 1.0; Change one of the two."),
]
FRAMES = [
    (keyed(IMU, "position: [0, 0, 1], frame_id: lower"),
     f"channels[0].frame_id; got 'lower'; expected no name of a link, for the sensor sits elsewhere; {ELSEWHERE}."),
    (keyed(IMU, "frame_id: upper"),
     f"channels[0].frame_id; got 'upper'; expected no name of a link, for the sensor sits elsewhere; {ELSEWHERE}."),
    ("{name: s, kind: odometry, body: box, frame_id: lower}",
     f"channels[0].frame_id; got 'lower'; expected no name of a link, for the sensor sits elsewhere; {ELSEWHERE}."),
    (keyed(IMU, "frame_id: world"),
     f"channels[0].frame_id; got 'world'; expected none of world, which stand elsewhere; {ELSEWHERE}."),
    (f"{keyed(IMU, 'frame_id: f')}, {{name: b, kind: contact, link: upper, frame_id: f}}",
     f"channels[1].frame_id; got 'f'; expected the same place for the same frame; {ELSEWHERE}."),
    (f"{keyed(IMU, 'frame_id: f')}, {{name: b, kind: contact, link: lower, frame_id: f, position: [0, 0, 1]}}",
     f"channels[1].frame_id; got 'f'; expected the same place for the same frame; {ELSEWHERE}."),
]
NAMES = [
    (f"{IMU}, {keyed(IMU, 'topic: t')}",
     "channels; got 's'; expected every name once; Remove or rename the second 's'."),
    (f"{keyed(CAMERA, 'depth: true')}, {{name: depth/s, kind: imu, link: lower, topic: t}}",
     "channels; got 'depth/s'; expected every name once; Remove or rename the second 'depth/s'."),
    (f"{keyed(IMU, 'topic: t')}, {{name: t, kind: imu, link: lower}}",
     "topics; got 't'; expected every name once; Remove or rename the second 't'."),
    (f"{keyed(IMU, 'topic: joint_command')}",
     "topics; got 'joint_command'; expected every name once; Remove or rename the second 'joint_command'."),
    ("{name: c/a, kind: camera, link: lower}, {name: c/b, kind: camera, link: lower}",
     "topics; got 'c/camera_info'; expected every name once; Remove or rename the second 'c/camera_info'."),
    (f"{keyed(IMU, 'latency_s: 0.1')}, {{name: s/sample_time, kind: imu, link: lower}}",
     "topics; got 's/sample_time'; expected every name once; Remove or rename the second 's/sample_time'."),
    ("{name: s s, kind: imu, link: lower, topic: t}",
     "channels[0].name; got 's s'; expected a name of letters, digits and _ . - / that begins with a letter; "
     "Change the value of 'channels[0].name'."),
    ("{name: 1, kind: imu, link: lower, topic: t}",
     "channels[0].name; got 1; expected string; Change the value of 'channels[0].name'."),
    (keyed(IMU, "topic: /t"),
     "channels[0].topic; got '/t'; expected a relative topic name such as joint_command; "
     "Change the value of 'channels[0].topic'."),
    (keyed(IMU, "frame_id: a b"),
     "channels[0].frame_id; got 'a b'; expected a name of letters, digits and _ . - / that begins with a letter; "
     "Change the value of 'channels[0].frame_id'."),
]
KEYS = [
    ("3", "channels[0]; got 3; expected a mapping of keys to values; Change the value of 'channels[0]'."),
    ("{name: s, link: lower}", "channels[0].kind; got None; expected a value; Add the key 'channels[0].kind'."),
    ("{name: s, kind: imus, link: lower}",
     f"channels[0].kind; got 'imus'; expected one of {KINDS}; Did you mean 'imu'?"),
    ("{kind: imu, link: lower, topic: t}",
     "channels[0].name; got None; expected a value; Add the key 'channels[0].name'."),
    ("{name: s, kind: imu}", "channels[0].link; got None; expected a value; Add the key 'channels[0].link'."),
    ("{name: s, kind: force_torque}",
     "channels[0].joint; got None; expected a value; Add the key 'channels[0].joint'."),
    (keyed(IMU, "nois: {rotation: 1}"),
     "channels[0].nois: unknown key; got {'rotation': 1}; expected one of name, max_age_s, required, when_stale, "
     "observe, topic, rate_hz, latency_s, dropout, position, rpy, frame_id, link, kind, orientation, noise, bias; "
     "Did you mean 'noise'?"),
    (keyed(IMU, "noise: {rotatoin: 1}"),
     "channels[0].noise.rotatoin: unknown key; got 1; expected one of rotation, angular_velocity, linear_acceleration; "
     "Did you mean 'rotation'?"),
    (keyed(LIDAR, "noise: 0.1"),
     "channels[0].noise; got 0.1; expected a mapping of keys to values; Change the value of 'channels[0].noise'."),
]
# fmt: on


@pytest.mark.parametrize(("channels", "message"), [*NOT_FITTING, *FRAMES, *NAMES, *KEYS])
def test_refusals(written: Written, channels: str, message: str) -> None:
    assert written.refused(channels) == message


POSITIVE, NOT_NEGATIVE = "greater than 0", "greater than or equal to 0"
NUMBERS = [  # key, value as it is written, what is expected instead
    *((IMU, *case) for case in (("rate_hz", "0", POSITIVE), ("rate_hz", "2.5", "integer"))),
    *((IMU, *case) for case in (("dropout", "1.0", "less than 1"), ("dropout", "-0.1", NOT_NEGATIVE))),
    *((IMU, *case) for case in (("latency_s", "-0.1", NOT_NEGATIVE), ("latency_s", "61", "less than or equal to 60"))),
    (IMU, "orientation", "1", "boolean"),
    (LIDAR, "rays", "0", "greater than or equal to 1"),
    (LIDAR, "rays", "20000", "less than or equal to 16384"),
    (LIDAR, "min_angle", "-7", "greater than or equal to -6.283185307179586"),
    (LIDAR, "max_angle", "7", "less than or equal to 6.283185307179586"),
    (LIDAR, "layers", "0", "greater than or equal to 1"),
    (LIDAR, "layers", "300", "less than or equal to 256"),
    (LIDAR, "min_elevation", "-2", "greater than or equal to -1.5707963267948966"),
    (LIDAR, "max_elevation", "2", "less than or equal to 1.5707963267948966"),
    (LIDAR, "range_min", "-1", NOT_NEGATIVE),
    (LIDAR, "range_max", "0", POSITIVE),
    (LIDAR, "range_max", ".inf", "a finite number"),
    (RANGE, "radiation", "sonar", "'ultrasound' or 'infrared'"),
    (RANGE, "field_of_view", "4", "less than or equal to 3.141592653589793"),
    (RANGE, "rays", "0", "greater than or equal to 1"),
    (RANGE, "rays", "5000", "less than or equal to 4096"),
    (RANGE, "range_min", "-1", NOT_NEGATIVE),
    (RANGE, "range_max", "0", POSITIVE),
    (CAMERA, "width", "0", "greater than or equal to 1"),
    (CAMERA, "width", "5000", "less than or equal to 4096"),
    (CAMERA, "height", "0", "greater than or equal to 1"),
    (CAMERA, "height", "5000", "less than or equal to 4096"),
    (CAMERA, "horizontal_fov", "0", POSITIVE),
    (CAMERA, "horizontal_fov", "3.2", "less than 3.141592653589793"),
    (CAMERA, "near", "0", POSITIVE),
    (CAMERA, "far", "0", POSITIVE),
]


@pytest.mark.parametrize(("channel", "key", "given", "expected"), NUMBERS)
def test_values_out_of_bounds(written: Written, channel: str, key: str, given: str, expected: str) -> None:
    got = {".inf": "inf", "sonar": "'sonar'"}.get(given, given)
    at = f"channels[0].{key}"
    assert written.refused(keyed(channel, f"{key}: {given}")) == (
        f"{at}; got {got}; expected {expected}; Change the value of '{at}'."
    )


QUANTITIES = {
    "{name: s, kind: link_pose, link: lower}": ("position", "rotation"),
    "{name: s, kind: odometry, link: lower}": ("position", "rotation", "linear", "angular"),
    IMU: ("rotation", "angular_velocity", "linear_acceleration"),
    "{name: s, kind: force_torque, joint: elbow}": ("force", "torque"),
    "{name: s, kind: contact, link: lower}": ("force", "torque"),
    LIDAR: ("range",),
    RANGE: ("range",),
    CAMERA: ("colour", "depth"),
}


@pytest.mark.parametrize("error", ["noise", "bias"])
@pytest.mark.parametrize(
    ("channel", "quantity"), [(channel, name) for channel, names in QUANTITIES.items() for name in names]
)
def test_every_deviation_is_a_finite_number_from_0(written: Written, channel: str, quantity: str, error: str) -> None:
    at = f"channels[0].{error}.{quantity}"
    for given, expected in (("-0.5", NOT_NEGATIVE), (".nan", "a finite number"), ("much", "number")):
        got = {".nan": "nan", "much": "'much'"}.get(given, given)
        assert written.refused(keyed(channel, f"{error}: {{{quantity}: {given}}}")) == (
            f"{at}; got {got}; expected {expected}; Change the value of '{at}'."
        )


def test_errors_of_joint_states(written: Written) -> None:
    assert written.refused(IMU, "joint_states: {noise: {effort: 1}}\n") == (
        "joint_states.noise.effort: unknown key; got 1; expected one of position, velocity; Remove it."
    )
    assert written.refused(IMU, "joint_states: {bias: {velocity: -1}}\n") == (
        "joint_states.bias.velocity; got -1; expected greater than or equal to 0; "
        "Change the value of 'joint_states.bias.velocity'."
    )
    assert written.refused(IMU, "renderer: opengl\n") == (
        "renderer; got 'opengl'; expected 'auto', 'egl' or 'tiny'; Change the value of 'renderer'."
    )


@pytest.mark.parametrize("key", ["position", "rpy"])
def test_where_a_sensor_sits_is_three_finite_numbers(written: Written, key: str) -> None:
    at = f"channels[0].{key}[2]"
    assert written.refused(keyed(IMU, f"{key}: [1, 2]")) == f"{at}; got None; expected a value; Add the key '{at}'."
    assert written.refused(keyed(IMU, f"{key}: [1, 2, .inf]")) == (
        f"{at}; got inf; expected a finite number; Change the value of '{at}'."
    )


def test_the_frame_of_odometry_is_not_a_sensor_s(tmp_path: Path) -> None:
    """It would be a second place for one frame."""
    path = tmp_path / "drive.yaml"
    path.write_text("extends: rover\nchannels: [{name: imu, kind: imu, link: imu_link, frame_id: odom}]\n")
    with pytest.raises(RobotFileError) as caught:
        load_robot(path)
    assert str(caught.value) == (
        f"{path}: channels[0].frame_id; got 'odom'; expected none of world, odom, which stand elsewhere; {ELSEWHERE}."
    )


def test_frames_by_default(written: Written) -> None:
    """The link's own; NAME_frame with a pose of its own; one place may be said twice."""
    moved = "{name: a/b, kind: imu, link: lower, position: [0, 0, 1]}"
    same = "{name: c, kind: contact, link: lower, position: [0, 0, 1], frame_id: a_b_frame}"
    seen = "{name: d, kind: odometry, body: box}"
    wrench = "{name: e, kind: force_torque, joint: elbow}"
    scene = "scene: [{name: box, file: two.urdf}]\n"
    written.path.write_text(f"{GOOD}{scene}channels: [{moved}, {same}, {seen}, {wrench}]")
    robot = load_robot(written.path)
    places = [mount(channel, robot.model) for channel in robot.config.channels]
    assert [(place.frame, place.own) for place in places] == [
        ("a_b_frame", True),
        ("a_b_frame", True),
        ("box", False),
        ("lower", False),
    ]
