"""Actuator groups in the robot file: what they are called, what follows from them, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ros_gym_bridge import RobotFile, load_robot
from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.groups import JointGroup
from ros_gym_bridge.sim.motor_plan import motors

URDF = """<?xml version="1.0"?>
<robot name="cart">
  <link name="base"/><link name="left"/><link name="right"/><link name="arm"/><link name="finger"/><link name="thumb"/>
  <joint name="left_wheel" type="continuous">
    <parent link="base"/><child link="left"/><axis xyz="0 1 0"/><limit effort="5" velocity="20"/>
  </joint>
  <joint name="right_wheel" type="continuous">
    <parent link="base"/><child link="right"/><axis xyz="0 1 0"/><limit effort="5" velocity="20"/>
  </joint>
  <joint name="shoulder" type="revolute">
    <parent link="base"/><child link="arm"/><axis xyz="0 1 0"/><limit lower="-1" upper="2" effort="5" velocity="3"/>
  </joint>
  <joint name="finger_joint" type="prismatic">
    <parent link="arm"/><child link="finger"/><axis xyz="0 1 0"/><limit lower="0" upper="0.4" effort="8" velocity="1"/>
  </joint>
  <joint name="thumb_joint" type="prismatic">
    <parent link="arm"/><child link="thumb"/><axis xyz="0 1 0"/><limit lower="-1" upper="1" effort="9" velocity="1"/>
    <mimic joint="finger_joint" multiplier="-0.5" offset="0.1"/>
  </joint>
</robot>
"""

HEAD = """name: cart
model: {file: cart.urdf, fixed_base: false}
rates: {physics_hz: 400, control_hz: 20}
joints:
  - {name: left_wheel}
  - {name: right_wheel}
  - {name: shoulder, home: 0.5}
  - {name: finger_joint, home: 0.2}
  - {name: thumb_joint}
actuators:
"""
ARM = "  - {name: arm, kind: joint_trajectory, joints: [shoulder]}\n"
HAND = "  - {name: hand, joints: [finger_joint], message: std_msgs/msg/Float64MultiArray, max_effort: 6.0}\n"
DRIVE = """  - name: base
    kind: diff_drive
    left_wheels: [left_wheel]
    right_wheels: [right_wheel]
    wheel_separation: 0.5
    wheel_radius: 0.1
    linear: {max_velocity: 1.0, min_velocity: -0.5, max_acceleration: 2.0}
    angular: {max_velocity: 3.0}
"""


class Written:
    """A robot file and its URDF in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "cart.yaml"
        (folder / "cart.urdf").write_text(URDF)

    def load(self, text: str, urdf: str = URDF) -> RobotFile:
        self.path.with_suffix(".urdf").write_text(urdf)
        self.path.write_text(text)
        return load_robot(self.path)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path.resolve())


def test_topics_are_named_like_those_of_controllers(written: Written) -> None:
    groups = written.load(HEAD + ARM + HAND + DRIVE).config.actuators
    assert [group.topic for group in groups] == ["arm/joint_trajectory", "hand/commands", "base/cmd_vel"]
    assert [group.stamped for group in groups] == [True, False, True]
    assert groups[2].model_dump()["odom_topic"] == "base/odom"
    other = written.load(
        HEAD + "  - {name: arm, joints: [shoulder]}\n" + DRIVE + "    message: geometry_msgs/msg/Twist\n"
    )
    assert [group.topic for group in other.config.actuators] == ["joint_command", "base/cmd_vel"]
    assert [group.stamped for group in other.config.actuators] == [True, False]


def test_a_topic_of_ones_own(written: Written) -> None:
    group = written.load(HEAD + ARM.replace("}", ", topic: somewhere/else}")).config.actuators[0]
    assert group.topic == "somewhere/else"


def test_the_command_vector_is_one_group_after_the_other(written: Written) -> None:
    spec = written.load(HEAD + ARM + HAND + DRIVE).spec
    entries = [(each.name, each.low, each.high, each.home) for each in spec.commands]
    assert entries == [
        ("shoulder/position", -1.0, 2.0, 0.5),
        ("finger_joint/position", 0.0, 0.4, 0.2),
        ("base/linear", -0.5, 1.0, 0.0),
        ("base/angular", -3.0, 3.0, 0.0),
    ]
    assert spec.max_change.tolist() == pytest.approx([3.0 / 20, 1.0 / 20, 2.0 / 20, math.inf])


def test_a_drive_is_motors_for_its_wheels(written: Written) -> None:
    plan = motors(written.load(HEAD + DRIVE))
    assert [(motor.joint, motor.interface, motor.effort) for motor in plan] == [
        ("left_wheel", "velocity", 5.0),
        ("right_wheel", "velocity", 5.0),
    ]
    left, right = (motor.target()([0.6, 0.4]) for motor in plan)
    assert left == pytest.approx((0.6 - 0.4 * 0.25) / 0.1)
    assert right == pytest.approx((0.6 + 0.4 * 0.25) / 0.1)


def test_a_follower_has_no_motor_and_starts_where_its_leader_has_it(written: Written) -> None:
    robot = written.load(HEAD + HAND)
    (finger,) = motors(robot)
    assert (finger.joint, finger.column, finger.effort) == ("finger_joint", 0, 6.0)
    assert robot.spec.home[3:].tolist() == [0.2, 0.0]
    assert robot.followers["thumb_joint"].joint == "finger_joint"


def test_max_effort_bounds_an_effort_command(written: Written) -> None:
    spec = written.load(HEAD + HAND.replace("max_effort", "interface: effort, max_effort")).spec
    assert (spec.commands[0].low, spec.commands[0].high) == (-6.0, 6.0)


def test_gains_for_each_joint(written: Written) -> None:
    gains = "position_gain: {shoulder: 0.3}, velocity_gain: 0.8"
    group = written.load(HEAD + f"  - {{name: all, joints: [shoulder, finger_joint], {gains}}}\n").config.actuators[0]
    assert isinstance(group, JointGroup)
    assert [group.gain("position_gain", name) for name in group.joints] == [0.3, 0.1]
    plan = motors(load_robot(written.path))
    assert [(motor.position_gain, motor.velocity_gain) for motor in plan] == [(0.3, 0.8), (0.1, 0.8)]


CHAIN = URDF.replace(
    "</robot>",
    '<link name="tip"/><joint name="tip_joint" type="prismatic"><parent link="thumb"/><child link="tip"/>'
    '<limit lower="-1" upper="1" effort="9" velocity="1"/><mimic joint="thumb_joint" multiplier="4" offset="1"/>'
    "</joint>"
    "</robot>",
)


def test_a_follower_of_a_follower_follows_the_first(written: Written) -> None:
    robot = written.load(HEAD + HAND, CHAIN)
    mimic = robot.followers["tip_joint"]
    assert (mimic.joint, mimic.multiplier, mimic.offset) == ("finger_joint", -2.0, 1.4)


def test_an_interface_in_place_of_the_files_is_that_of_joint_groups(written: Written) -> None:
    written.load(HEAD + ARM + HAND + DRIVE)
    robot = load_robot(written.path, interface="velocity")
    assert [entry.interface for entry in robot.spec.commands] == ["position", "velocity", "linear", "angular"]
    written.load(HEAD + ARM + DRIVE)
    with pytest.raises(RobotFileError) as caught:
        load_robot(written.path, interface="velocity")
    assert str(caught.value) == (
        f"{written.path}: actuators; got 'velocity'; expected an interface for a joint_group, and there is none; "
        "Leave it out."
    )


def hand(more: str) -> str:
    return HEAD + HAND.replace("}", f", {more}}}")


REFUSED = {
    "a follower that is commanded": (
        HEAD + "  - {name: hand, joints: [finger_joint, thumb_joint]}\n",
        "actuators[0].joints; got 'thumb_joint'; expected joints that move by themselves; 'thumb_joint' follows "
        "'finger_joint' (<mimic>); Leave 'thumb_joint' out: commanding 'finger_joint' moves both.",
    ),
    "a follower with a home of its own": (
        HEAD.replace("thumb_joint}", "thumb_joint, home: 0.3}") + HAND,
        "joints[4].home; got 0.3; expected 0.0: 'thumb_joint' follows 'finger_joint' (<mimic>); Give 'finger_joint' a "
        "home alone.",
    ),
    "a follower with noise of its own": (
        HEAD.replace("thumb_joint}", "thumb_joint, home_noise: 0.1}") + HAND,
        "joints[4].home_noise; got 0.1; expected 0: 'thumb_joint' follows 'finger_joint' (<mimic>); Give it to "
        "'finger_joint'.",
    ),
    "an unknown kind": (
        HEAD + "  - {name: arm, kind: joint_trajectry, joints: [shoulder]}\n",
        "actuators[0].kind; got 'joint_trajectry'; expected one of joint_group, joint_trajectory, diff_drive; Did you "
        "mean 'joint_trajectory'?",
    ),
    "a key of another kind": (
        HEAD + ARM.replace("}", ", interface: position}"),
        "actuators[0].interface: unknown key; got 'position'; expected one of name, kind, command_latency_s, "
        "command_jitter_s, joints, position_gain, velocity_gain, max_effort, message, topic, allow_partial; Remove it.",
    ),
    "a missing key of a drive": (
        HEAD + DRIVE.replace("    wheel_radius: 0.1\n", ""),
        "actuators[0].wheel_radius; got None; expected a value; Add the key 'actuators[0].wheel_radius'.",
    ),
    "another message": (
        HEAD + HAND.replace("Float64MultiArray", "Float32MultiArray"),
        "actuators[0].message; got 'std_msgs/msg/Float32MultiArray'; expected 'sensor_msgs/msg/JointState' or "
        "'std_msgs/msg/Float64MultiArray'; Change the value of 'actuators[0].message'.",
    ),
    "a name that makes no topic": (
        HEAD + ARM.replace("name: arm", "name: left-arm"),
        "actuators[0].topic; got 'left-arm/joint_trajectory'; expected a relative topic name such as joint_command; "
        "Change the value of 'actuators[0].topic'.",
    ),
    "two kinds of messages on one topic": (
        HEAD + ARM.replace("}", ", topic: joint_command}") + "  - {name: hand, joints: [finger_joint]}\n",
        "actuators[1].topic; got 'joint_command', on which group 'arm' is commanded by "
        "trajectory_msgs/msg/JointTrajectory; expected a topic of its own for sensor_msgs/msg/JointState: only "
        "sensor_msgs/msg/JointState can command several groups; Give 'hand' another topic.",
    ),
    "two meanings of NaN on one topic": (
        HEAD + "  - {name: a, joints: [shoulder]}\n  - {name: b, joints: [finger_joint], nan: hold}\n",
        "actuators[1].nan; got 'hold'; expected 'refuse', as group 'a' on the same topic 'joint_command'; Give the "
        "group a topic of its own.",
    ),
    "a gain of a joint of another group": (
        hand("position_gain: {shoulder: 0.3}"),
        "actuators[0].position_gain; got 'shoulder'; expected joints of the group; Use one of finger_joint.",
    ),
    "a gain above 1": (
        hand("position_gain: {finger_joint: 1.3}"),
        "actuators[0].position_gain; got {'finger_joint': 1.3}; expected a number above 0 and at most 1, or such a "
        "number for each joint; Change the value of 'actuators[0].position_gain'.",
    ),
    "a gain that is a text": (
        hand("velocity_gain: high"),
        "actuators[0].velocity_gain; got 'high'; expected a number above 0 and at most 1, or such a number for each "
        "joint; Change the value of 'actuators[0].velocity_gain'.",
    ),
    "a drive on a fixed base": (
        HEAD.replace(", fixed_base: false", "") + DRIVE,
        "actuators[0].kind; got 'diff_drive'; expected a robot that is free to drive; Set 'fixed_base: false' under "
        "'model'.",
    ),
    "a wheel that is no joint": (
        HEAD + DRIVE.replace("[left_wheel]", "[left_whel]"),
        "actuators[0].left_wheels; got 'left_whel'; expected joints that are listed under 'joints'; Did you mean "
        "'left_wheel'?",
    ),
    "a wheel on both sides": (
        HEAD + DRIVE.replace("[left_wheel]", "[right_wheel]"),
        "actuators.joints; got 'right_wheel'; expected every name once; Remove or rename the second 'right_wheel'.",
    ),
    "a speed that the wheels cannot turn at": (
        HEAD + DRIVE.replace("max_velocity: 1.0", "max_velocity: 2.5"),
        "actuators: linear speed of group 'base'; got 2.5; expected at most 2: wheel 'left_wheel' turns no faster; "
        "Lower 'max_velocity' and 'min_velocity' of 'linear', or raise the velocity of 'left_wheel'.",
    ),
    "a turn that the wheels cannot turn at": (
        HEAD + DRIVE.replace("max_velocity: 3.0", "max_velocity: 8.5"),
        "actuators: angular speed of group 'base'; got 8.5; expected at most 8: wheel 'left_wheel' turns no faster; "
        "Lower 'max_velocity' and 'min_velocity' of 'angular', or raise the velocity of 'left_wheel'.",
    ),
    "two drives that tell where the robot is": (
        HEAD
        + DRIVE
        + DRIVE.replace("base", "other").replace("left_wheel]", "shoulder]").replace("right_wheel]", "finger_joint]"),
        "actuators[1].enable_odom_tf; got True; expected one drive that tells where 'base' is; Set 'enable_odom_tf: "
        "false' for one of the two.",
    ),
    "odometry on the topic of the command": (
        HEAD + DRIVE + "    odom_topic: base/cmd_vel\n",
        "topics; got 'base/cmd_vel'; expected every name once; Remove or rename the second 'base/cmd_vel'.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(written: Written, case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(RobotFileError) as caught:
        written.load(text)
    assert str(caught.value) == f"{written.path}: {message}"


def test_joints_that_follow_in_a_circle(written: Written) -> None:
    circle = URDF.replace('velocity="1"/>\n  </joint>', 'velocity="1"/>\n<mimic joint="thumb_joint"/></joint>', 1)
    with pytest.raises(RobotFileError) as caught:
        written.load(HEAD + HAND, circle)
    assert str(caught.value) == (
        f"{written.path}: model.file: {written.path.with_suffix('.urdf')}: joints mimic each other in a circle; got "
        "finger_joint -> thumb_joint -> finger_joint; expected one joint that mimics no other; Remove <mimic> from the "
        "joint that leads."
    )
