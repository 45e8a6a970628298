"""Any robot: what `new-robot` writes for a model runs, and what `describe` says of it is true."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ros_gym_bridge import load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import ModelError, OptionError
from ros_gym_bridge.groups import ActuatorGroup, DiffDrive
from ros_gym_bridge.guesses import guess_end_effector, guess_floating, guess_joints
from ros_gym_bridge.model import RobotModel, model_from_text
from ros_gym_bridge.new_robot import NewRobot, write
from ros_gym_bridge.robot import Command, Robot, read_only
from ros_gym_bridge.ros.topic_robot import TopicRobot
from ros_gym_bridge.sim.sim_robot import SimRobot
from test_parity import assert_equal

# file of pybullet_data, whether its base floats, how many joints follow which interface or drive, and the end effector
FILES: list[tuple[str, bool, dict[str, int], str | None]] = [
    ("franka_panda/panda.urdf", False, {"position": 8}, "panda_hand"),
    ("kuka_iiwa/model.urdf", False, {"position": 7}, "lbr_iiwa_link_7"),
    ("xarm/xarm6_robot.urdf", False, {"position": 6}, "link6"),
    ("cartpole.urdf", False, {"position": 1, "velocity": 1}, "pole"),
    ("pendulum5.urdf", False, {"velocity": 5}, "link4"),
    ("pr2_gripper.urdf", False, {"position": 2}, "left_tip"),
    ("a1/a1.urdf", True, {"position": 12}, None),
    ("laikago/laikago_toes_limits.urdf", True, {"position": 12}, None),
    ("mini_cheetah/mini_cheetah.urdf", True, {"velocity": 12}, None),
    ("quadruped/minitaur.urdf", True, {"velocity": 16}, None),
    ("quadruped/vision60.urdf", True, {"position": 12}, None),
    ("r2d2.urdf", True, {"velocity": 5, "position": 3}, None),
    ("racecar/racecar.urdf", True, {"velocity": 5, "position": 1}, None),
    ("husky/husky.urdf", True, {"diff_drive": 4}, None),  # holds $(optenv ...): it is a xacro
    ("kuka_iiwa/kuka_with_gripper2.sdf", False, {"position": 7, "effort": 2}, "left_finger_tip"),
    ("gripper/wsg50_one_motor_gripper_new_free_base.sdf", True, {"position": 5}, None),
    ("mjcf/hopper.xml", False, {"effort": 3}, "foot"),
    ("mjcf/humanoid_symmetric.xml", True, {"effort": 17}, None),
]


def _way(group: ActuatorGroup) -> str:
    return group.kind if isinstance(group, DiffDrive) else group.interface


@pytest.mark.parametrize(("file", "floating", "interfaces", "tip"), FILES, ids=[file for file, *_ in FILES])
def test_a_new_robot_runs(
    file: str, floating: bool, interfaces: dict[str, int], tip: str | None, tmp_path: Path
) -> None:
    robot_file = load_robot(write(NewRobot(f"pybullet_data://{file}"), tmp_path / "new.yaml"))
    config = robot_file.config
    assert config.model.fixed_base is not floating
    assert {_way(group): len(group.commanded) for group in config.actuators} == interfaces
    assert config.end_effector == tip
    robot = SimRobot(robot_file)
    try:
        state = robot.reset(seed=0)
        start = robot.body_poses()[""][0]
        rng = np.random.default_rng(0)
        spec = robot.spec
        for _ in range(spec.control_hz):
            command = read_only(rng.uniform(spec.command_low, spec.command_high))
            state = robot.step(Command(command, state.stamp_ns))
            assert np.isfinite(state.position).all()
            assert np.abs(state.velocity).max() < 1e3
        assert np.abs(state.position - spec.home).max() > 1e-3, "it moves"
        limited = np.isfinite(spec.upper)
        over = np.maximum(state.position - spec.upper, spec.lower - state.position)[limited]
        assert (over < 0.3).all(), "it stays within its limits"
        end = robot.body_poses()[""][0]
        assert end == start if not floating else end[2] > start[2] - 1.5
    finally:
        robot.close()


def test_a_robot_that_floats_stands_on_the_floor(tmp_path: Path) -> None:
    """Its lowest point is a millimetre above: it neither starts in the floor nor falls."""
    robot = SimRobot(load_robot(write(NewRobot("pybullet_data://a1/a1.urdf"), tmp_path / "a1.yaml")))
    try:
        robot.reset()
        client, world = robot.simulation.world.client, robot.simulation.world
        body = world.robots[0].id
        floor = next(i for i in map(client.getBodyUniqueId, range(client.getNumBodies())) if i != body)
        assert min(point[8] for point in client.getClosestPoints(body, floor, 1.0)) == pytest.approx(0.001, abs=2e-4)
    finally:
        robot.close()


@pytest.fixture(params=["husky/husky.urdf", "mjcf/ant.xml"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Robot, Robot]]:
    robot = load_robot(write(NewRobot(f"pybullet_data://{request.param}"), tmp_path / "new.yaml"))
    assert robot.model.format in ("xacro", "mjcf")
    both = SimRobot(robot), TopicRobot(robot, Connection())
    yield both
    for each in both:
        each.close()


def test_a_new_robot_is_the_same_over_topics(pair: tuple[Robot, Robot]) -> None:
    """The node of the environment's own gets the URDF that was made here."""
    states: list[Any] = [each.reset(seed=3) for each in pair]
    rng = np.random.default_rng(0)
    low, high = pair[0].spec.command_low, pair[0].spec.command_high
    for _ in range(50):
        assert_equal(*states)
        command = read_only(0.2 * rng.uniform(low, high))
        states = [each.step(Command(command, states[0].stamp_ns)) for each in pair]
    assert np.abs(states[0].position - pair[0].spec.home).max() > 0.01


# ---------------------------------------------------------------------------------------------------------- the file

ARM = """<robot name="my arm"><link name="base"/>
<joint name="turn" type="revolute"><parent link="base"/><child link="arm"/><axis xyz="0 0 1"/>
<limit lower="0.5" upper="1.5" velocity="2" effort="30"/></joint><link name="arm">{arm}</link>
<joint name="wheel" type="continuous"><parent link="arm"/><child link="disc"/><axis xyz="0 1 0"/></joint>
<link name="disc">{disc}</link>
</robot>
"""
INERTIAL = (
    '<inertial><mass value="2"/><inertia ixx="0.1" ixy="0" ixz="0" iyy="0.1" iyz="0" izz="0.1"/></inertial>'
    '<collision><geometry><sphere radius="0.1"/></geometry></collision>'
)


@pytest.fixture
def arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "arm.urdf"
    path.write_text(ARM.format(arm=INERTIAL, disc=INERTIAL))
    return path


def test_names_and_paths(arm: Path) -> None:
    path = write(NewRobot("models/arm.urdf"))
    assert path == Path("my_arm.yaml")
    content = yaml.safe_load(path.read_text())
    assert (content["name"], content["model"]["file"]) == ("my_arm", "models/arm.urdf")
    (arm.parent / "robots").mkdir()
    other = write(NewRobot(str(arm), name="two"), arm.parent / "robots" / "two.yaml")
    content = yaml.safe_load(other.read_text())
    assert (content["name"], content["model"]["file"]) == ("two", os.path.join("..", "arm.urdf"))
    assert load_robot(other).model.path.samefile(arm)


def test_homes_groups_and_guesses(arm: Path) -> None:
    content = yaml.safe_load(write(NewRobot(str(arm))).read_text())
    assert content["joints"] == [
        {"name": "turn", "home": 1.0},
        {"name": "wheel", "home": 0.0, "velocity": 10.0, "effort": 6.0},
    ]
    groups = {group["name"]: (group["interface"], group["topic"], group["joints"]) for group in content["actuators"]}
    assert groups == {
        "position_joints": ("position", "joint_position_command", ["turn"]),
        "velocity_joints": ("velocity", "joint_velocity_command", ["wheel"]),
    }
    assert content["model"] == {"file": "models/arm.urdf", "fixed_base": True}
    assert "scene" not in content


def test_a_base_floats_when_told_so(arm: Path) -> None:
    content = yaml.safe_load(write(NewRobot(str(arm), floating=True)).read_text())
    assert content["model"]["fixed_base"] is False
    assert content["model"]["base_position"] == [0.0, 0.0, pytest.approx(0.101, abs=2e-3)]
    assert [body["name"] for body in content["scene"]] == ["floor"]
    assert "end_effector" not in content


def test_a_file_that_is_there_is_kept_unless_forced(arm: Path) -> None:
    path = Path("mine.yaml")
    path.write_text("precious")
    with pytest.raises(OptionError) as caught:
        write(NewRobot(str(arm)), path)
    assert str(caught.value) == "mine.yaml is there already; Choose another name with --output, or overwrite: --force."
    assert path.read_text() == "precious"
    assert write(NewRobot(str(arm)), path, force=True) == path
    assert load_robot(path).spec.name == "my_arm"


@pytest.mark.parametrize(
    ("new", "output", "message"),
    [
        ({}, "arm.txt", "--output; got 'arm.txt'; expected a name that ends in .yaml."),
        (
            {},
            "none/arm.yaml",
            "none/arm.yaml cannot be written; got [Errno 2] No such file or directory: 'none/arm.yaml'; "
            "Choose another --output.",
        ),
        (
            {"name": "my arm"},
            None,
            "--name; got 'my arm'; expected letters, digits and _ . - that begin with a letter.",
        ),
    ],
)
def test_options_that_cannot_be(arm: Path, new: dict[str, Any], output: str | None, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        write(NewRobot(str(arm), **new), output and Path(output))
    assert str(caught.value) == message
    assert sorted(path.name for path in Path().iterdir()) == ["models"]


def test_a_model_without_joints_is_no_robot(arm: Path) -> None:
    arm.write_text('<robot name="stone"><link name="stone"/></robot>')
    with pytest.raises(ModelError) as caught:
        write(NewRobot("models/arm.urdf"))
    assert str(caught.value) == (
        "models/arm.urdf: no robot; got 0 joints; expected at least one joint that moves and could have a motor; "
        "Without one it is a body for the 'scene' of another robot's file."
    )


def test_a_mesh_that_crashes_pybullet_is_an_error(arm: Path) -> None:
    (arm.parent / "bad.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 1000000\n")
    mesh = '<collision><geometry><mesh filename="bad.obj"/></geometry></collision>'
    arm.write_text(ARM.format(arm=INERTIAL, disc=mesh))
    with pytest.raises(ModelError) as caught:
        write(NewRobot("models/arm.urdf"))
    assert str(caught.value).startswith("models/arm.urdf: PyBullet crashes on it; got signal SIG")
    assert str(caught.value).endswith("; Look for broken mesh files: remove meshes until it loads.")
    assert not Path("my_arm.yaml").exists()


def test_arguments_of_a_xacro_reach_the_file(arm: Path) -> None:
    xacro = ARM.format(arm=INERTIAL, disc=INERTIAL).replace('upper="1.5"', 'upper="$(arg end)"')
    xacro = xacro.replace("<robot", '<robot xmlns:xacro="http://www.ros.org/wiki/xacro"', 1)
    arm.with_suffix(".xacro").write_text(xacro.replace("<link", '<xacro:arg name="end" default="1"/><link', 1))
    path = write(NewRobot("models/arm.xacro", (("end", "2.5"),)))
    assert yaml.safe_load(path.read_text())["model"]["arguments"] == {"end": "2.5"}
    assert load_robot(path).model.joint("turn").upper == 2.5


# ------------------------------------------------------------------------------------------------------------ guesses


def made(joints: str, links: str = "abcdef") -> RobotModel:
    """A model with bodies of 2 kg; joints as `parent child type more`, with limits unless they say their own."""
    parts = "".join(f'<link name="{name}">{INERTIAL}</link>' for name in links)
    for line in joints.split(";"):
        parent, child, kind, *more = line.split()
        limit = " ".join(more) or '<limit lower="-1" upper="1" velocity="1" effort="1"/>'
        parts += (
            f'<joint name="{parent}{child}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
            f'<origin xyz="1 0 0"/><axis xyz="0 1 0"/>{limit}</joint>'
        )
    return model_from_text(f'<robot name="r">{parts}</robot>')


ENDLESS = '<limit velocity="1" effort="1"/>'
UNKNOWN = '<limit lower="-1" upper="1" velocity="0" effort="0"/>'


def test_an_end_effector_is_where_fingers_begin() -> None:
    arm = "a b revolute; b c revolute; c d fixed"
    assert guess_end_effector(made(arm, "abcd")) == "d"
    fingers = "; d e prismatic; d f prismatic"
    assert guess_end_effector(made(arm + fingers)) == "d"
    assert guess_end_effector(made("a b fixed", "ab")) is None


@pytest.mark.parametrize(
    ("joints", "links", "floating"),
    [
        ("a b revolute; b c revolute", "abc", False),
        ("a b revolute; b c revolute; a d revolute; d e revolute", "abcde", True),  # legs
        ("a b revolute; a c revolute", "abc", False),  # fingers
        (f"a b continuous {ENDLESS}; a c continuous {ENDLESS}", "abc", True),  # wheels
        (f"a b fixed; b c continuous {ENDLESS}; b d continuous {ENDLESS}", "abcd", True),  # wheels on a chassis
    ],
)
def test_whether_a_base_floats(joints: str, links: str, floating: bool) -> None:
    assert guess_floating(made(joints, links)) is floating


def test_a_joint_without_an_effort_limit_has_no_motor_when_others_have_one() -> None:
    guesses = guess_joints(made(f"a b revolute; b c revolute {UNKNOWN}", "abc"), False)
    assert [(each.interface, each.why) for each in guesses] == [
        ("position", ""),
        (None, "no motor: its effort limit is 0"),
    ]


def test_where_nobody_knows_a_motor_can_hold_what_hangs_on_it() -> None:
    near, far = guess_joints(made(f"a b revolute {UNKNOWN}; b c revolute {UNKNOWN}", "abc"), False)
    assert (near.interface, far.interface) == ("effort", "effort")
    assert near.effort is not None
    assert far.effort is not None
    assert near.effort > 9.81 * 2 * 1.0  # c is 1 m away from the joint of b
    assert near.effort > far.effort > 1.0
    assert near.why == "guessed: the model does not say"


def test_locked_and_mimicking_joints_are_left_alone() -> None:
    locked = '<limit lower="0" upper="0" velocity="1" effort="1"/>'
    mimic = '<limit lower="-1" upper="1" velocity="1" effort="1"/><mimic joint="ab"/>'
    guesses = guess_joints(made(f"a b revolute; b c revolute {locked}; c d revolute {mimic}", "abcd"), False)
    assert [(each.joint.name, each.interface, each.why) for each in guesses] == [
        ("ab", "position", ""),
        ("cd", None, "mimics ab"),
    ]
