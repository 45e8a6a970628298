"""The robot file: what is read, and that every mistake is refused with a message that says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ros_gym_bridge import RobotFile, load_robot, robot_names
from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.tasks.base import joint_fields

URDF = """<?xml version="1.0"?>
<robot name="two">
  <link name="base"/><link name="upper"/><link name="lower"/>
  <joint name="shoulder" type="revolute">
    <parent link="base"/><child link="upper"/><axis xyz="0 1 0"/>
    <limit lower="-1" upper="2" effort="5" velocity="3"/>
  </joint>
  <joint name="elbow" type="continuous">
    <parent link="upper"/><child link="lower"/><origin xyz="0 0 1"/><axis xyz="0 1 0"/>
    <limit effort="5" velocity="3"/>
  </joint>
</robot>
"""

GOOD = """name: two
model: {file: two.urdf}
rates: {physics_hz: 400, control_hz: 20}
joints:
  - {name: shoulder, home: 0.5}
  - {name: elbow, position: [-3.0, 3.0]}
actuators:
  - {name: both, joints: [shoulder, elbow]}
"""


class Written:
    """A robot file and its URDF in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "two.yaml"
        (folder / "two.urdf").write_text(URDF)

    def load(self, text: str = GOOD, **overrides: object) -> RobotFile:
        self.path.write_text(text)
        return load_robot(self.path, **overrides)  # type: ignore[arg-type]

    def refused(self, text: str, message: str, **overrides: object) -> None:
        with pytest.raises(RobotFileError) as caught:
            self.load(text, **overrides)
        assert str(caught.value) == message.format(path=self.path, folder=self.folder)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path.resolve())


def test_the_packages_robot_files_load() -> None:
    assert {"panda", "panda_clutter", "arm", "cartpole", "rover"} <= set(robot_names())
    for name in robot_names():
        assert load_robot(name).spec.name == name


def test_spec_follows_from_file_and_urdf(written: Written) -> None:
    robot = written.load()
    spec = robot.spec
    assert spec.joints == ("shoulder", "elbow")
    assert [entry.name for entry in spec.commands] == ["shoulder/position", "elbow/position"]
    assert np.array_equal(spec.command_low, [-1.0, -3.0])
    assert np.array_equal(spec.command_high, [2.0, 3.0])
    assert np.allclose(spec.max_change, [3.0 / 20, 3.0 / 20])
    assert (spec.physics_hz, spec.control_hz, spec.steps_per_period) == (400, 20, 20)


@pytest.mark.parametrize(("physics_hz", "control_hz"), [(500, 25), (240, 30), (1000, 125), (960, 3), (7, 7)])
def test_stamps_are_exact(written: Written, physics_hz: int, control_hz: int) -> None:
    rates = f"physics_hz: {physics_hz}, control_hz: {control_hz}"
    spec = written.load(GOOD.replace("physics_hz: 400, control_hz: 20", rates)).spec
    assert spec.stamp_ns(physics_hz * 3600) == 3600 * 10**9
    stamp = 0
    for period in range(1, 2000):
        stamp = spec.next_stamp(stamp)
        assert stamp == period * spec.steps_per_period * 10**9 // physics_hz
        assert spec.steps(stamp) == period * spec.steps_per_period


def test_overrides(written: Written) -> None:
    spec = written.load(GOOD, control_hz=50, interface="velocity").spec
    assert spec.control_hz == 50
    assert [entry.interface for entry in spec.commands] == ["velocity", "velocity"]
    assert np.isinf(spec.max_change).all()


def test_what_was_read_cannot_be_changed(written: Written) -> None:
    config = written.load().config
    with pytest.raises(ValidationError, match="frozen"):
        config.rates.control_hz = 1  # type: ignore[misc]
    assert isinstance(config.joints, tuple)


def test_extends_replaces_whole_keys_and_keeps_paths(written: Written, tmp_path: Path) -> None:
    written.load()
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / "faster.yaml"
    path.write_text("extends: ../two.yaml\nname: faster\nrates: {physics_hz: 800, control_hz: 40}\n")
    robot = load_robot(path)
    assert (robot.spec.name, robot.spec.physics_hz) == ("faster", 800)
    assert robot.model.path == written.folder / "two.urdf"


def replaced(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


REFUSED = {
    "unknown key, near": (
        GOOD + "scence: []\n",
        "{path}: scence: unknown key; got []; expected one of name, model, rates, joints, actuators, end_effector, "
        "gravity, joint_states, channels, renderer, scene, poses, safety, reset, measured; Did you mean 'scene'?",
    ),
    "gravity beyond all reason": (
        GOOD + "gravity: [0.0, 0.0, -1.0e+4]\n",
        "{path}: gravity[2]; got -10000.0; expected greater than or equal to -1000; Change the value of 'gravity[2]'.",
    ),
    "unknown key, nested": (
        replaced("home: 0.5", "hoem: 0.5"),
        "{path}: joints[0].hoem: unknown key; got 0.5; expected one of name, home, home_noise, velocity_noise, "
        "position, velocity, effort; Did you mean 'home'?",
    ),
    "unknown key, nothing near": (
        replaced("file: two.urdf", "file: two.urdf, colour: red"),
        "{path}: model.colour: unknown key; got 'red'; expected one of file, arguments, model_name, "
        "fixed_base, base_position, base_rpy, "
        "linear_damping, angular_damping; Remove it.",
    ),
    "key twice": (
        GOOD + "name: other\n",
        "{path}: not readable; got key 'name' is given twice in line 9, column 1; expected YAML; "
        "Correct the file at that place.",
    ),
    "missing key": (
        replaced("rates: {physics_hz: 400, control_hz: 20}\n", ""),
        "{path}: rates; got None; expected a value; Add the key 'rates'.",
    ),
    "wrong type": (
        replaced("control_hz: 20", "control_hz: fast"),
        "{path}: rates.control_hz; got 'fast'; expected integer; Change the value of 'rates.control_hz'.",
    ),
    "a float for an integer": (
        replaced("control_hz: 20", "control_hz: 20.5"),
        "{path}: rates.control_hz; got 20.5; expected integer; Change the value of 'rates.control_hz'.",
    ),
    "two problems": (
        replaced("control_hz: 20", "control_hz: 0").replace("home: 0.5", "home: high"),
        "{path}: rates.control_hz; got 0; expected greater than 0; Change the value of 'rates.control_hz' "
        "(1 more problem after this one).",
    ),
    "not a number": (
        replaced("home: 0.5", "home: .nan"),
        "{path}: joints[0].home; got nan; expected a finite number; Change the value of 'joints[0].home'.",
    ),
    "infinite": (
        replaced("[-3.0, 3.0]", "[-.inf, 3.0]"),
        "{path}: joints[1].position[0]; got -inf; expected a finite number; "
        "Change the value of 'joints[1].position[0]'.",
    ),
    "rates that do not divide": (
        replaced("control_hz: 20", "control_hz: 30"),
        "{path}: rates; got physics_hz: 400, control_hz: 30; expected physics_hz to be a multiple of control_hz: a "
        "control period is a whole number of physics steps; Use a control_hz that divides 400, for example 25.",
    ),
    "a joint that the URDF lacks": (
        replaced("name: shoulder,", "name: sholder,").replace("[shoulder, elbow]", "[elbow]"),
        "{path}: joints[0].name; got 'sholder'; expected a movable joint of {folder}/two.urdf; "
        "Did you mean 'shoulder'?",
    ),
    "a limit wider than the URDF's": (
        replaced("home: 0.5", "home: 0.5, position: [-1.5, 2.0]"),
        "{path}: joints[0].position; got [-1.5, 2.0]; expected lower < upper within the URDF's [-1.0, 2.0]; "
        "Narrow it, or change the URDF's limit of 'shoulder'.",
    ),
    "limits the wrong way round": (
        replaced("home: 0.5", "home: 0.5, position: [1.0, 0.0]"),
        "{path}: joints[0].position; got [1.0, 0.0]; expected lower < upper within the URDF's [-1.0, 2.0]; "
        "Narrow it, or change the URDF's limit of 'shoulder'.",
    ),
    "a velocity above the URDF's": (
        replaced("home: 0.5", "home: 0.5, velocity: 4.0"),
        "{path}: joints[0].velocity; got 4.0; expected at most the URDF's 3.0; "
        "Narrow it, or change the URDF's limit of 'shoulder'.",
    ),
    "an effort above the URDF's": (
        replaced("home: 0.5", "home: 0.5, effort: 5.5"),
        "{path}: joints[0].effort; got 5.5; expected at most the URDF's 5.0; "
        "Narrow it, or change the URDF's limit of 'shoulder'.",
    ),
    "home outside the limits": (
        replaced("home: 0.5", "home: 2.5"),
        "{path}: joints[0].home; got 2.5; expected a position within the limits [-1.0, 2.0]; "
        "Move the home position of 'shoulder' inside.",
    ),
    "home outside the narrowed limits": (
        replaced("home: 0.5", "home: 0.5, position: [0.6, 1.0]"),
        "{path}: joints[0].home; got 0.5; expected a position within the limits [0.6, 1.0]; "
        "Move the home position of 'shoulder' inside.",
    ),
    "a missing URDF": (
        replaced("two.urdf", "three.urdf"),
        "{path}: model.file: 'three.urdf' was not found; got 'three.urdf'; "
        "expected a file 'three.urdf' under {folder}; Correct the path, or put the file there.",
    ),
    "the same joint twice": (
        replaced("name: elbow", "name: shoulder"),
        "{path}: joints; got 'shoulder'; expected every name once; Remove or rename the second 'shoulder'.",
    ),
    "a joint commanded twice": (
        replaced("[shoulder, elbow]", "[shoulder, elbow, shoulder]"),
        "{path}: actuators.joints; got 'shoulder'; expected every name once; Remove or rename the second 'shoulder'.",
    ),
    "a command for a joint that is not listed": (
        replaced("[shoulder, elbow]", "[shoulder, elbo]"),
        "{path}: actuators[0].joints; got 'elbo'; expected joints that are listed under 'joints'; "
        "Did you mean 'elbow'?",
    ),
    "the same topic twice": (
        replaced("[shoulder, elbow]", "[shoulder, elbow], topic: joint_states"),
        "{path}: topics; got 'joint_states'; expected every name once; Remove or rename the second 'joint_states'.",
    ),
    "a topic that is no name": (
        replaced("[shoulder, elbow]", "[shoulder, elbow], topic: /absolute"),
        "{path}: actuators[0].topic; got '/absolute'; expected a relative topic name such as joint_command; "
        "Change the value of 'actuators[0].topic'.",
    ),
    "no limits to scale an action to": (
        replaced(", position: [-3.0, 3.0]", ""),
        "{path}: actuators: joint 'elbow' of group 'both' has no finite position limits; got [-inf, inf]; expected a "
        "lower limit below an upper limit, both finite, since actions are scaled to them; Give 'elbow' a 'position' "
        "limit under 'joints', or choose another interface.",
    ),
    "an end effector that is no link": (
        GOOD + "end_effector: lowr\n",
        "{path}: end_effector; got 'lowr'; expected a link of {folder}/two.urdf; Did you mean 'lower'?",
    ),
    "a channel's rate that does not divide": (
        GOOD + "channels: [{name: tip, kind: link_pose, link: lower, topic: tip, rate_hz: 3}]\n",
        "{path}: channels[0].rate_hz; got 3; expected a rate that divides control_hz: 20; Change one of the two.",
    ),
    "an unknown interface": (
        replaced("[shoulder, elbow]", "[shoulder, elbow], interface: torque"),
        "{path}: actuators[0].interface; got 'torque'; expected 'position', 'velocity' or 'effort'; "
        "Change the value of 'actuators[0].interface'.",
    ),
    "extends itself": (
        "extends: two.yaml\n",
        "{path}: extends; got 'two.yaml'; expected a file that does not extend this one; Remove the circle.",
    ),
    "a list": ("- 1\n", "{path}: not a robot file; got list; expected a mapping with the keys name, model, ..."),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(written: Written, case: str) -> None:
    text, message = REFUSED[case]
    written.refused(text, message)


def test_yaml_that_cannot_be_read(written: Written) -> None:
    with pytest.raises(RobotFileError, match=re.escape(f"{written.path}: not readable; got expected ',' or ']'")):
        written.load("name: [unclosed\n")


def test_urdf_that_would_crash_the_physics(written: Written) -> None:
    broken = URDF.replace('<link name="base"/>', '<link name="base"/><link name="alone"/>')
    (written.folder / "two.urdf").write_text(broken)
    with pytest.raises(RobotFileError, match=r"two.yaml: model.file: .*two.urdf: .*root"):
        written.load()


def test_unknown_robot_lists_the_known_ones() -> None:
    with pytest.raises(RobotFileError) as caught:
        load_robot("pand")
    assert str(caught.value) == (
        f"no robot file 'pand'; expected one of {', '.join(robot_names())}, or the path of a .yaml file; "
        "Did you mean 'panda'? Check the spelling, or write such a file (see CONTRIBUTING.md)."
    )


@pytest.mark.parametrize(
    ("limit", "interface"), [("effort", "position"), ("velocity", "position"), ("effort", "velocity")]
)
def test_a_limit_of_0_is_no_limit_for_a_motor_until_the_robot_file_says_one(
    written: Written, limit: str, interface: str
) -> None:
    unknown = URDF.replace({"effort": 'effort="5"', "velocity": 'velocity="3"'}[limit], f'{limit}="0"', 1)
    (written.folder / "two.urdf").write_text(unknown)
    written.refused(
        GOOD,
        f"{{path}}: actuators: joint 'shoulder' of group 'both' has the {limit} limit 0 in the URDF; expected more "
        f"than 0, or it would never move; Give 'shoulder' its true '{limit}' under 'joints', "
        "or leave it out of the group.",
        interface=interface,
    )
    robot = written.load(replaced("home: 0.5", f"home: 0.5, {limit}: 70.0"), interface=interface)
    assert {"effort": robot.spec.max_effort, "velocity": robot.spec.max_velocity}[limit].tolist()[0] == 70.0


def test_a_joint_of_which_nobody_knows_the_velocity_is_observed_all_the_same(written: Written) -> None:
    (written.folder / "two.urdf").write_text(URDF.replace('velocity="3"', 'velocity="0"'))
    robot = written.load(interface="effort")
    fields = {field.name: field for field in joint_fields(robot.spec)}
    assert (fields["shoulder velocity"].low, fields["shoulder velocity"].high) == (-100.0, 100.0)


def test_a_misspelled_key_that_is_needed_is_called_unknown_not_missing(written: Written) -> None:
    written.refused(
        GOOD.replace("control_hz", "controll_hz"),
        "{path}: rates.controll_hz: unknown key; got 20; expected one of physics_hz, control_hz; Did you mean "
        "'control_hz'? (1 more problem after this one).",
    )
