"""Channels of any topic, from publishers in other processes that are not ours: values, ages, flags, and every reason
why nothing comes, by its full text."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pictures

from adapter_tools import Process, make, running
from conftest import slowness
from ros_gym_bridge.errors import RobotNotFoundError, StaleChannelError

Start = Callable[..., Any]
SCRIPT = str(Path(__file__).with_name("topic_publisher.py"))
INF, NAN = math.inf, math.nan
JOINTS = "sensor_msgs/msg/JointState"


def publisher(domain_id: int, *topics: dict[str, Any]) -> Any:
    """A process that publishes; to be used with `with`."""
    return running(Process([sys.executable, "-u", SCRIPT, json.dumps(topics)], ROS_DOMAIN_ID=domain_id))


def topic(name: str, message: str, values: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    return {"topic": name, "message": message, "values": values or {}, **keys}


@contextlib.contextmanager
def environment(path: Path, domain_id: int, **keywords: Any) -> Iterator[Any]:
    """Attached to a node in real time."""
    keywords = {"stepping": "realtime", "connect_timeout_s": 30.0, "time_limit_s": 1000.0, **keywords}
    env = make("Balance", robot=path, backend="topics", attach=True, domain_id=domain_id, **keywords)
    try:
        yield env
    finally:
        env.close()


@pytest.fixture
def robot(tmp_path: Path, sim_process: Start, domain_id: int) -> Callable[..., Path]:
    """Makes a robot file of a cart-pole with channels, and starts a node for it."""

    def make_(channels: str, **keywords: Any) -> Path:
        path = tmp_path / "observed.yaml"
        path.write_text(f"extends: cartpole\nname: observed\nchannels: {channels or '[]'}\n")
        node = sim_process(*keywords.pop("remapped", ()), robot=path, mode="realtime", **keywords)
        names = re.findall(r"name: (\w+)", channels)
        assert node.says("Simulating '").endswith(f" Not simulated: {', '.join(names)}." if names else f" {domain_id}.")
        return path

    return make_


def png(value: np.ndarray[Any, Any]) -> str:
    data = io.BytesIO()
    Pictures.fromarray(value).save(data, "PNG")
    return data.getvalue().hex()


COLOURS = (np.arange(24) * 10).astype(np.uint8).reshape(2, 4, 3)
POINTS = struct.pack("<9f", *range(9)).hex()
XYZ = [{"name": name, "offset": 4 * i, "datatype": 7, "count": 1} for i, name in enumerate("xyz")]
FRAME = {"rotation": {"w": 1.0}, "translation": {"x": 1.0}}
TURNED = {"rotation": {"z": math.sqrt(0.5), "w": math.sqrt(0.5)}, "translation": {"y": 2.0}}

EVERY_TYPE = """
  - {name: joints, kind: topic, topic: more_joints, message: sensor_msgs/JointState, joints: [b, a], fields: [position]}
  - {name: imu, kind: topic, topic: imu/data, message: sensor_msgs/Imu, fields: [orientation, angular_velocity.z]}
  - {name: odom, kind: topic, message: nav_msgs/Odometry, fields: [twist.twist.linear.x]}
  - {name: scan, kind: topic, message: sensor_msgs/LaserScan, shape: [4], observe: {clip: [0.1, 5], nan: 5}}
  - {name: points, kind: topic, message: sensor_msgs/PointCloud2, shape: [4], padding: -1}
  - {name: image, kind: topic, topic: /elsewhere/image, message: sensor_msgs/Image, shape: [2, 4]}
  - {name: png, kind: topic, message: sensor_msgs/CompressedImage, shape: [2, 4]}
  - {name: info, kind: topic, message: sensor_msgs/CameraInfo, fields: [width, height]}
  - {name: wrench, kind: topic, message: geometry_msgs/WrenchStamped, observe: {scale: 0.1}}
  - {name: pose, kind: topic, message: geometry_msgs/PoseStamped, fields: [pose.position]}
  - {name: twist, kind: topic, message: geometry_msgs/TwistStamped, fields: [twist.angular.z]}
  - {name: numbers, kind: topic, message: std_msgs/Float64MultiArray, shape: [2], observe: {dtype: float64}}
  - {name: range, kind: topic, message: sensor_msgs/Range}
  - {name: place, kind: transform, parent: map, child: tool}
  - {name: never, kind: topic, message: sensor_msgs/Range, required: false, observe: {fill: 7}}
"""
SENT = [
    topic("more_joints", "sensor_msgs/msg/JointState", {"name": ["a", "b", "c"], "position": [1.0, 2.0, 3.0]}),
    topic("imu/data", "sensor_msgs/msg/Imu", {"angular_velocity": {"z": 0.5}}, reliable=True),
    topic("odom", "nav_msgs/msg/Odometry", {"twist": {"twist": {"linear": {"x": 0.25}}}}),
    topic("scan", "sensor_msgs/msg/LaserScan", {"ranges": [2.0, INF, -INF, NAN], "angle_increment": 0.1}),
    topic(
        "points",
        "sensor_msgs/msg/PointCloud2",
        {"height": 1, "width": 3, "fields": XYZ, "point_step": 12, "row_step": 36, "data": POINTS},
    ),
    topic(
        "/elsewhere/image",
        "sensor_msgs/msg/Image",
        {"height": 2, "width": 4, "encoding": "bgr8", "step": 12, "data": COLOURS[:, :, ::-1].tobytes().hex()},
        reliable=True,
    ),
    topic("png", "sensor_msgs/msg/CompressedImage", {"format": "rgb8; png compressed bgr8", "data": png(COLOURS)}),
    # said once, before anybody listens, and kept
    topic("info", "sensor_msgs/msg/CameraInfo", {"width": 4, "height": 2}, reliable=True, latched=True, once=True),
    topic("wrench", "geometry_msgs/msg/WrenchStamped", {"wrench": {"force": {"z": -9.0}}}),
    topic("pose", "geometry_msgs/msg/PoseStamped", {"pose": {"position": {"y": 3.0}}}, reliable=True),
    topic("twist", "geometry_msgs/msg/TwistStamped", {"twist": {"angular": {"z": -1.0}}}, stamp="none"),
    topic("numbers", "std_msgs/msg/Float64MultiArray", {"data": [0.1, 0.2]}),
    topic("range", "sensor_msgs/msg/Range", {"range": 0.5}),
    topic(
        "/tf",
        "tf2_msgs/msg/TFMessage",
        {"transforms": [{"header": {"frame_id": "map"}, "child_frame_id": "body", "transform": TURNED}]},
    ),
    topic(
        "/tf_static",
        "tf2_msgs/msg/TFMessage",
        {"transforms": [{"header": {"frame_id": "body"}, "child_frame_id": "tool", "transform": FRAME}]},
        reliable=True,
        latched=True,
        once=True,
    ),
]
EXPECTED: dict[str, Any] = {
    "joints": [2, 1],
    "imu": [0, 0, 0, 1, 0.5],
    "odom": [0.25],
    "scan": [2, 5, 0.1, 5],
    "points": [[0, 1, 2], [3, 4, 5], [6, 7, 8], [-1, -1, -1]],
    "image": COLOURS,
    "png": COLOURS,
    "info": [4, 2],
    "wrench": [0, 0, -0.9, 0, 0, 0],
    "pose": [0, 3, 0],
    "twist": [-1],
    "numbers": [0.1, 0.2],
    "range": [0.5],
    "place": [0, 3, 0, 0, 0, math.sqrt(0.5), math.sqrt(0.5)],
    "never": [7],
}


def test_every_type_from_best_effort_and_reliable_publishers(robot: Start, domain_id: int) -> None:
    path = robot(EVERY_TYPE)
    with publisher(domain_id, *SENT), environment(path, domain_id, channels=tuple(EXPECTED)) as env:
        observation, info = env.reset(seed=1)
        for _ in range(20):
            assert env.observation_space.contains(observation)
            for name, expected in EXPECTED.items():
                assert observation[name] == pytest.approx(np.asarray(expected, dtype=float), abs=1e-6), name
            assert info["absent"] == {"never": True}
            observation, *_, info = env.step(env.action_space.sample())
        kinds = {name: str(space.dtype) for name, space in env.observation_space.spaces.items()}
        assert {name for name, kind in kinds.items() if kind == "uint8"} == {"image", "png"}
        assert {name for name, kind in kinds.items() if kind == "float64"} == {"numbers"}
        timing = info["timing"]
        assert "never.age_s" not in timing
        for name in set(EXPECTED) - {"never"}:
            assert timing[f"{name}.age_s"] == pytest.approx((timing["stamp_ns"] - timing[f"{name}.stamp_ns"]) / 1e9)


AGED = """
  - {name: held, kind: topic, message: sensor_msgs/Range, max_age_s: 2.0}
  - {name: cut, kind: topic, message: sensor_msgs/Range, max_age_s: 2.0, when_stale: truncate}
  - {name: fatal, kind: topic, message: sensor_msgs/Range, max_age_s: 2.0, when_stale: raise}
  - {name: clock, kind: topic, message: sensor_msgs/Range, max_age_s: 2.0, stamps: arrival}
"""


def test_what_becomes_of_channels_that_fall_silent(robot: Start, domain_id: int) -> None:
    path = robot(AGED)
    names = ("held", "cut", "fatal", "clock")
    sent = [topic(name, "sensor_msgs/msg/Range", {"range": 2.0}) for name in names[:3]]
    sent.append(topic("clock", "sensor_msgs/msg/Range", {"range": 3.0}, stamp=-1000.0))
    with publisher(domain_id, *sent) as process, environment(path, domain_id, channels=names) as env:
        observation, info = env.reset(seed=1)

        def steps(until: Callable[[], bool]) -> None:
            nonlocal observation, info, truncated
            deadline = time.monotonic() + 30.0
            while not until():
                assert time.monotonic() < deadline
                observation, _, _, truncated, info = env.step(np.zeros(1, np.float32))

        truncated = False
        steps(lambda: info["timing"]["stamp_ns"] > 1e9 and not any(info["stale"].values()))
        process.tell("silence held")
        steps(lambda: info["stale"]["held"])
        assert not truncated
        assert (info["stale"]["cut"], info["stale"]["clock"]) == (False, False)
        assert info["timing"]["held.age_s"] > 2.0
        assert observation["held"].tolist() == [2.0]
        process.tell("silence cut")
        steps(lambda: truncated)
        assert info["stale"]["cut"]
        process.tell("speak cut")
        process.tell("speak held")
        steps(lambda: not any(info["stale"].values()))
        assert not truncated
        process.tell("silence fatal")
        with pytest.raises(StaleChannelError, match=r"^the newest sample of channel 'fatal' is too old; got 2\.[0-9]"):
            steps(lambda: False)


def test_messages_of_another_shape_are_refused_and_counted(robot: Start, domain_id: int) -> None:
    path = robot("\n  - {name: scan, kind: topic, message: sensor_msgs/LaserScan, shape: [4]}\n")
    good = topic("scan", "sensor_msgs/msg/LaserScan", {"ranges": [1.0] * 4})
    bad = topic("scan", "sensor_msgs/msg/LaserScan", {"ranges": [9.0] * 5})
    with publisher(domain_id, good), environment(path, domain_id, channels=("scan",)) as env:
        observation, info = env.reset(seed=1)
        assert "scan.refused" not in info["timing"]
        with publisher(domain_id, bad):
            deadline = time.monotonic() + 30.0
            while info["timing"].get("scan.refused", 0) < 5:
                assert time.monotonic() < deadline
                assert observation["scan"].tolist() == [1.0] * 4
                observation, *_, info = env.step(np.zeros(1, np.float32))


def test_an_optional_channel_that_comes_late_is_heard(robot: Start, domain_id: int) -> None:
    keys = "required: false, observe: {clip: [-1, 9], fill: -1}"
    path = robot(f"\n  - {{name: late, kind: topic, message: sensor_msgs/Range, {keys}}}\n")
    with environment(path, domain_id, channels=("late",)) as env:
        observation, info = env.reset(seed=1)
        assert (observation["late"].tolist(), info["absent"]) == ([-1.0], {"late": True})
        with publisher(domain_id, topic("late", "sensor_msgs/msg/Range", {"range": 2.5})):
            deadline = time.monotonic() + 30.0
            while info["absent"]["late"]:
                assert time.monotonic() < deadline
                observation, *_, info = env.step(np.zeros(1, np.float32))
        assert observation["late"].tolist() == [2.5]


def test_a_robot_has_the_sensors_that_were_simulated(tmp_path: Path, sim_process: Start, domain_id: int) -> None:
    """The robot file of the training; a driver whose scans come when they come, and a camera that has no picture."""
    path = tmp_path / "trained.yaml"
    path.write_text(
        "extends: cartpole\nname: trained\nchannels:\n"
        "  - {name: scan, kind: lidar, link: cart, rays: 4, min_angle: 0, max_angle: 0.3, range_max: 6.0,\n"
        "     rate_hz: 10, latency_s: 0.1}\n"
        "  - {name: image, kind: camera, link: cart, width: 4, height: 2, required: false}\n"
    )
    bare = tmp_path / "bare.yaml"
    bare.write_text("extends: cartpole\nname: trained\n")
    sim_process("-r", "__node:=driver", robot=bare, mode="realtime")
    ranges = {"ranges": [1.0, INF, -INF, 2.0], "angle_increment": 0.1}
    channels = ("scan", "image")
    with publisher(domain_id, topic("scan", "sensor_msgs/msg/LaserScan", ranges, stamp=-0.013)) as process:
        process.says("Publishing")
        with environment(path, domain_id, channels=channels) as env:
            observation, info = env.reset(seed=1)
            for _ in range(20):
                assert observation["scan"].tolist() == [1.0, 6.0, 0.0, 2.0]
                assert not observation["image"].any()
                assert info["absent"] == {"image": True}
                assert info["timing"]["scan.stamp_ns"] % 10**7 == 7 * 10**6, "stamps of its own"
                observation, *_, info = env.step(np.zeros(1, np.float32))


# --- why nothing comes


def refusal(path: Path, domain_id: int, *sent: dict[str, Any]) -> str:
    """What an environment says that does not find what it needs."""
    timeout_s = 4.0 * min(slowness(), 4.0)
    with publisher(domain_id, *sent) as process, environment(path, domain_id, connect_timeout_s=timeout_s) as env:
        process.says("Publishing")
        begun = time.monotonic()
        with pytest.raises(RobotNotFoundError) as caught:
            env.reset(seed=1)
        assert time.monotonic() - begun < 2.0 * timeout_s + 4.0
    assert f"no robot 'observed' answered within {timeout_s} s in ROS domain {domain_id}; got" in str(caught.value)
    return str(caught.value)


WRONG = """
  - {name: nobody, kind: topic, message: sensor_msgs/Range}
  - {name: other, kind: topic, message: sensor_msgs/Range, required: false}
  - {name: silent, kind: topic, message: sensor_msgs/Range}
  - {name: large, kind: topic, message: sensor_msgs/LaserScan, shape: [4]}
  - {name: place, kind: transform, parent: map, child: tool}
  - {name: good, kind: topic, message: sensor_msgs/Range}
"""
WRONGLY_SENT = [
    topic("other", "sensor_msgs/msg/LaserScan"),
    topic("silent", "sensor_msgs/msg/Range", silent=True),
    topic("large", "sensor_msgs/msg/LaserScan", {"ranges": [1.0] * 5}),
    topic(
        "/tf_static",
        "tf2_msgs/msg/TFMessage",
        {"transforms": [{"header": {"frame_id": "map"}, "child_frame_id": "tool", "transform": FRAME}]},
        reliable=True,
    ),
    topic("good", "sensor_msgs/msg/Range"),
]


def test_everything_that_is_wrong_stands_in_one_error(robot: Start, domain_id: int) -> None:
    path = robot(WRONG, publish_tf=False)
    text = re.sub(r"large: \d+ refused", "large: N refused", refusal(path, domain_id, *WRONGLY_SENT))
    found = text.partition("got missing: ")[2].partition("; expected")[0]
    assert found == (
        "a message of 'nobody' on /nobody, which nobody publishes; "
        "a message of 'other' on /other: /stranger publishes sensor_msgs/msg/LaserScan there, not "
        "sensor_msgs/msg/Range; "
        "a message of 'silent' on /silent, where /stranger has said nothing; "
        "a good message of 'large' on /large: N refused, the last one for 5 ranges, expected 4; "
        "the transform of 'place' from map to tool: no transform names map or tool; /tf, which nobody publishes; "
        "/tf_static: incompatible QoS with /stranger: volatile is offered and transient local is wanted"
    )


HIDDEN = {"remapped": ("-r", "joint_states:=hidden")}


def relayed(**keys: Any) -> dict[str, Any]:
    """The joint states of a node that says them elsewhere, by a publisher that is not ours."""
    return topic("joint_states", JOINTS, relay="hidden", **keys)


@pytest.mark.parametrize("reliable", [False, True])
def test_joint_states_of_best_effort_are_heard(robot: Start, domain_id: int, reliable: bool) -> None:
    path = robot("", **HIDDEN)
    with publisher(domain_id, relayed(reliable=reliable)), environment(path, domain_id) as env:
        _, before = env.reset(seed=1)
        for _ in range(10):
            *_, info = env.step(np.zeros(1, np.float32))
        assert info["timing"]["stamp_ns"] > before["timing"]["stamp_ns"]


NUMBERS = "std_msgs/msg/Float64MultiArray"
STRANGE = {
    "types": (
        topic("joint_states", NUMBERS, stamp="none"),
        topic("joint_command", NUMBERS, reliable=True, hear=True),
        f"a subscriber of /joint_command: /stranger takes {NUMBERS} there, not {JOINTS}; a message on /joint_states: "
        f"/stranger publishes {NUMBERS} there, not {JOINTS}",
    ),
    "joint and durability": (
        relayed(values={"name": ["slider_to_cart", "elbow"]}),
        topic("joint_command", JOINTS, reliable=True, latched=True, hear=True),
        "a subscriber of /joint_command: incompatible QoS with /stranger: volatile is offered and transient local is "
        "wanted; joints cart_to_pole in /joint_states",
    ),
}


@pytest.mark.parametrize("name", STRANGE)
def test_joint_states_and_commands_that_are_not_as_they_should(robot: Start, domain_id: int, name: str) -> None:
    states, commands, expected = STRANGE[name]
    path = robot("", remapped=("-r", "joint_states:=hidden", "-r", "joint_command:=hidden_too"))
    assert f"; got missing: {expected}; expected the topics " in refusal(path, domain_id, states, commands)


# --- a robot


ON_ROBOT = """
extends: arm
reset: {velocity_fraction: 0.5, settle_s: 0.1}
channels:
  - {name: scan, kind: lidar, link: tool0, rays: 4, min_angle: 0, max_angle: 0.3, range_max: 6.0, rate_hz: 5}
  - {name: imu, kind: topic, message: sensor_msgs/Imu, fields: [angular_velocity.z], max_age_s: 5.0}
  - {name: lift, kind: topic, topic: joint_states, message: sensor_msgs/JointState, joints: [lift_joint],
     fields: [position]}
  - {name: place, kind: transform, parent: map, child: tool, max_age_s: 5.0}
  - {name: info, kind: topic, message: sensor_msgs/CameraInfo, fields: [width]}
"""


def test_channels_of_a_robot_with_a_clock_that_jumps(
    driver: Callable[..., Any], tmp_path: Path, domain_id: int
) -> None:
    """A driver that is not ours: best effort, joints that the robot file does not name, a clock of its own."""
    path = tmp_path / "on_robot.yaml"
    path.write_text(ON_ROBOT)
    robot = driver("arm", clock_offset_s=-1e6)
    channels = ("scan", "imu", "lift", "place", "info")
    sent = [each for each in SENT if each["topic"] in ("scan", "/tf", "/tf_static", "info")]
    sent.append(topic("imu", "sensor_msgs/msg/Imu", {"angular_velocity": {"z": 0.5}}))
    keywords = {"robot": path, "backend": "topics", "attach": True, "domain_id": domain_id, "stepping": "realtime"}
    with publisher(domain_id, *sent):
        env = make("Reach", connect_timeout_s=30.0, time_limit_s=1000.0, channels=channels, **keywords)
        try:
            observation, info = env.reset(seed=1)
            action = env.action_space.sample()
            for step in range(60):
                if step == 30:
                    robot.set(clock_offset_s=-2e6)
                assert env.observation_space.contains(observation)
                assert observation["scan"].tolist() == [2.0, 6.0, 0.0, 0.0]
                assert (observation["imu"].tolist(), observation["info"].tolist()) == ([0.5], [4.0])
                assert abs(float(observation["lift"][0])) < 1.0
                assert observation["place"][1] == pytest.approx(3.0)
                observation, *_, info = env.step(action)
            assert info["timing"]["clock_jumps"] >= 1
            assert info["stale"] == {"imu": False, "place": False}
        finally:
            env.close()
