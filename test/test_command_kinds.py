"""Commands of every kind to the real node, by plain rclpy clients that know ros2_control's controllers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Duration, Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Twist, TwistStamped
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

import kinds
from conftest import NodeProcess
from plain_client import RELIABLE, PlainClient, nanoseconds
from ros_gym_bridge import load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.robot import Command, read_only
from ros_gym_bridge.ros.topic_robot import TopicRobot

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

PERIOD = 40_000_000  # of the arm: 25 Hz
ARM = ["shoulder_pan_joint", "shoulder_lift_joint", "elbow_joint"]
WRIST = ["wrist_1_joint", "wrist_2_joint", "wrist_3_joint"]
HOME = [0.0, -0.2, 1.6]


class Controllers:
    """A plain client of a node that obeys controllers' topics.

    Args:
        client: of the simulation; it publishes no joint commands.
        topics: message type by topic.
    """

    def __init__(self, client: PlainClient, topics: dict[str, Any]) -> None:
        self.client = client
        self.publishers = {name: client.node.create_publisher(kind, name, RELIABLE) for name, kind in topics.items()}
        client.until(lambda: client.states, "a state")
        client.until(lambda: all(p.get_subscription_count() for p in self.publishers.values()), "subscribers")

    def send(self, topic: str, message: Any, stamp: int | None = None) -> None:
        """Publish; stamped when a stamp is given."""
        if stamp is not None:
            message.header.stamp = Time(sec=stamp // 10**9, nanosec=stamp % 10**9)
        self.publishers[topic].publish(message)

    def step(self, messages: dict[str, Any]) -> JointState:
        """One step in lockstep with a command on each topic, sent again until it is answered; the next state."""
        answered = self.client.stamp
        deadline = time.monotonic() + 20.0
        while self.client.stamp <= answered:
            assert time.monotonic() < deadline, f"no answer to the commands for the state at {answered} ns"
            for topic, message in messages.items():
                self.send(topic, message, answered)
            again = time.monotonic() + 0.5
            while self.client.stamp <= answered and time.monotonic() < again:
                self.client.executor.spin_once(timeout_sec=0.02)
        return self.client.states[-1]

    def taken(self, topic: str, message: Any, periods: int, stamp: int | None = None) -> JointState:
        """Send to a paused simulation and step it; the last state. What was sent first is served first."""
        self.send(topic, message, stamp)
        steps = periods * 20
        expected = self.client.stamp + periods * PERIOD
        assert self.client.step_simulation(steps, 30.0).result == 1
        self.client.until(lambda: self.client.stamp >= expected, "the last state")
        assert self.client.stamp == expected
        return self.client.states[-1]


def path(names: list[str], *points: tuple[float, list[float]]) -> JointTrajectory:
    made = []
    for seconds, values in points:
        nanoseconds_ = round(seconds * 10**9)
        made.append(
            JointTrajectoryPoint(
                positions=values,
                time_from_start=Duration(sec=nanoseconds_ // 10**9, nanosec=nanoseconds_ % 10**9),
            )
        )
    return JointTrajectory(joint_names=names, points=made)


PATHS = {"arm_controller/joint_trajectory": JointTrajectory, "wrist_controller/joint_trajectory": JointTrajectory}
NUMBERS = {"arm_controller/commands": Float64MultiArray, "wrist_controller/commands": Float64MultiArray}


def test_a_trajectory_runs_stops_and_is_refused(sim_process: Start, client: Make, tmp_path: Path) -> None:
    """One paused simulation after another command; time moves by step_simulation alone."""
    node = sim_process(robot=kinds.write(tmp_path, "path"), start_paused=True)
    one = Controllers(client(commands=()), PATHS)
    heard = one.client.hear(DiagnosticArray, "/diagnostics")
    arm = "arm_controller/joint_trajectory"

    state = one.taken(arm, path(ARM, (0.4, [0.4, -0.2, 1.6])), 5)
    assert state.position[0] == pytest.approx(0.2, abs=0.02), "half way, and the motors a little behind"
    state = one.taken(arm, path(ARM, (0.2, [0.5, -0.2, 1.6]), (0.4, [0.3, -0.3, 1.4])), 30)
    assert state.position[:3] == pytest.approx([0.3, -0.3, 1.4], abs=2e-3)

    one.send(arm, path(ARM, (0.4, [0.7, -0.3, 1.4])))
    state = one.taken(arm, JointTrajectory(), 20)
    assert state.position[0] == pytest.approx(0.3, abs=2e-3), "an empty one stops"

    soon = one.client.stamp + 10 * PERIOD
    state = one.taken(arm, path(ARM, (0.2, [0.5, -0.3, 1.4])), 10, stamp=soon)
    assert state.position[0] == pytest.approx(0.3, abs=2e-3), "not yet"
    state = one.taken(arm, JointTrajectory(joint_names=["nose"]), 20)
    assert state.position[0] == pytest.approx(0.5, abs=2e-3), "a refused one stops nothing"

    wrist = "wrist_controller/joint_trajectory"
    state = one.taken(wrist, path(["wrist_3_joint"], (0.2, [0.25])), 30)
    assert state.position[3:] == pytest.approx([1.2, 0.0, 0.25], abs=2e-3), "the others of the group hold"
    one.send(arm, path(ARM[:2], (0.2, [0.1, 0.1])))
    one.send(arm, path(ARM, (0.2, HOME)), one.client.stamp - 10**9)
    for kind in ("unknown_joint", "missing_joint", "past"):
        assert one.client.count(heard, f"refused_{kind}", 1) == 1
    assert "Refused a command on 'arm_controller/joint_trajectory': joints are missing; got no elbow_joint" in (
        node.says("joints are missing")
    )


def test_numbers_set_the_joints_of_the_group_in_its_order(sim_process: Start, client: Make, tmp_path: Path) -> None:
    sim_process(robot=kinds.write(tmp_path, "numbers"), start_paused=True)
    one = Controllers(client(commands=()), NUMBERS)
    heard = one.client.hear(DiagnosticArray, "/diagnostics")
    one.send("arm_controller/commands", Float64MultiArray(data=[0.1, -0.3]))
    one.send("arm_controller/commands", Float64MultiArray(data=[0.1, -0.3, math.nan]))
    state = one.taken("arm_controller/commands", Float64MultiArray(data=[0.1, -0.3, 1.5]), 25)
    assert state.position[:3] == pytest.approx([0.1, -0.3, 1.5], abs=2e-3)
    state = one.taken("wrist_controller/commands", Float64MultiArray(data=[0.0, 0.3, 0.0]), 10)
    assert state.velocity[3:] == pytest.approx([0.0, 0.3, 0.0], abs=1e-2)
    for kind in ("length", "not_finite"):
        assert one.client.count(heard, f"refused_{kind}", 1) == 1


def test_lockstep_needs_stamps(sim_process: Start, tmp_path: Path) -> None:
    robot = kinds.write(tmp_path, "twist")
    node = sim_process(robot=robot, mode="lockstep", ready=False)
    assert node.wait(30.0) == 2
    assert node.err.strip().splitlines()[-1] == (
        "sim_node: mode 'lockstep' needs commands with a stamp; got group 'diff_drive_controller' of robot 'twist', "
        "commanded by geometry_msgs/msg/Twist, which has none; expected mode 'realtime', which can also be paused and "
        "stepped by step_simulation; Start with mode:=realtime, or choose another 'message' for the group."
    )
    with pytest.raises(OptionError) as caught:
        TopicRobot(load_robot(robot), Connection())
    assert str(caught.value) == (
        "stepping='lockstep' needs commands with a stamp; got group 'diff_drive_controller' of robot 'twist', "
        "commanded by geometry_msgs/msg/Twist, which has none; expected stepping='step_service' or "
        "stepping='realtime'; Choose one of the two, or another 'message' for the group."
    )


def test_a_step_waits_for_every_kind_of_command(sim_process: Start, client: Make, tmp_path: Path) -> None:
    sim_process(robot=kinds.write(tmp_path, "kinds"), mode="lockstep")
    arm = "arm_controller/joint_trajectory"
    one = Controllers(
        client(commands=()), {arm: JointTrajectory, "joint_command": JointState, "wrist_3/command": JointState}
    )
    heard = one.client.hear(DiagnosticArray, "/diagnostics")
    mixed = JointState(name=WRIST[:2], position=[1.1], velocity=[0.2])
    effort = JointState(name=WRIST[2:], effort=[0.5])
    stamp = one.client.stamp
    one.send(arm, path(ARM, (0.04, [0.05, -0.2, 1.6])), stamp)
    one.send("wrist_3/command", effort, stamp)
    one.send("joint_command", JointState(name=WRIST[:2], position=[1.1], velocity=[0.2, 0.3]), stamp)
    assert one.client.count(heard, "refused_wrong_interface", 1) == 1
    assert one.client.stamp == stamp, "it waits for a good command on the third topic"
    for i in range(1, 26):
        state = one.step(
            {"joint_command": mixed, "wrist_3/command": effort, arm: path(ARM, (0.04, [0.01 * i, -0.2, 1.6]))}
        )
        assert nanoseconds(state.header.stamp) == stamp + i * PERIOD
    assert state.position[0] == pytest.approx(0.25, abs=0.02)
    assert state.position[3] == pytest.approx(1.1, abs=2e-3)
    assert state.velocity[4] == pytest.approx(0.2, abs=1e-2)
    assert state.position[5] > 0.01
    one.send(arm, path(ARM, (0.04, HOME)), stamp)
    assert one.client.count(heard, "refused_old_stamp", 1) == 1


def test_a_drive_in_real_time_stops_when_twists_do(sim_process: Start, client: Make, tmp_path: Path) -> None:
    sim_process(robot=kinds.write(tmp_path, "twist"))
    topic = "diff_drive_controller/cmd_vel"
    one = Controllers(client(commands=()), {topic: Twist})
    turning = Twist()
    turning.linear.x, turning.angular.z = 0.2, 0.5

    def speed() -> float:
        return float(np.abs(one.client.states[-1].velocity).max())

    def drives() -> bool:
        one.send(topic, turning)
        left, right = one.client.states[-1].velocity
        return abs(left - (0.2 - 0.085) / 0.08) < 0.1 and abs(right - (0.2 + 0.085) / 0.08) < 0.1

    one.client.until(drives, "wheels that turn as the twist says", 20.0)
    one.client.until(lambda: speed() < 1e-2, "a stop", 20.0)


def test_an_old_twist_is_refused_where_time_goes_on(sim_process: Start, client: Make, tmp_path: Path) -> None:
    sim_process(robot=kinds.write(tmp_path, "drive"))
    topic = "diff_drive_controller/cmd_vel"
    one = Controllers(client(commands=()), {topic: TwistStamped})
    heard = one.client.hear(DiagnosticArray, "/diagnostics")
    one.client.until(lambda: one.client.stamp > 10**9, "the first second to be over", 20.0)
    one.send(topic, TwistStamped(), 7)
    assert one.client.count(heard, "refused_old_stamp", 1) == 1
    fast = TwistStamped()
    fast.twist.linear.x = math.inf
    one.send(topic, fast, one.client.stamp)
    assert one.client.count(heard, "refused_not_finite", 1) == 1


# --- the node as the hardware behind topic-based ros2_control

HARDWARE = """extends: arm
name: hardware
actuators:
  - {name: arm, joints: [shoulder_pan_joint, shoulder_lift_joint, elbow_joint], nan: hold}
  - {name: wrist, interface: velocity, joints: [wrist_1_joint, wrist_2_joint], nan: hold}
"""


class TopicBasedSystem:
    """What `joint_state_topic_hardware_interface` does: it publishes the names of all joints, and in each array the
    commands of those that have that interface, NaN until somebody has claimed one; stamped by its own clock; and
    nothing at all while all states are where the commands want them. It hears with the profile of sensor data."""

    def __init__(self, client: PlainClient) -> None:
        self.client = client
        self.names = [*reversed(WRIST), *ARM]
        self.position: dict[str, float] = dict.fromkeys(ARM, math.nan)
        self.velocity: dict[str, float] = dict.fromkeys(WRIST[:2], math.nan)
        self.states = client.hear(JointState, "robot_joint_states", qos_profile_sensor_data)
        self.publisher = client.node.create_publisher(JointState, "robot_joint_commands", 1)
        self.written = 0

    def write(self) -> None:
        """Publish, unless nothing is to be done."""
        state = self.states[-1]
        at = {name: (p, v) for name, p, v in zip(state.name, state.position, state.velocity, strict=True)}
        errors = [self.position[name] - at[name][0] for name in self.position]
        errors += [self.velocity[name] - at[name][1] for name in self.velocity]
        if sum(map(abs, errors)) <= 1e-5:
            return
        message = JointState(name=self.names)
        message.header.stamp = self.client.node.get_clock().now().to_msg()
        message.position = [self.position[name] for name in self.names if name in self.position]
        message.velocity = [self.velocity[name] for name in self.names if name in self.velocity]
        self.publisher.publish(message)
        self.written += 1


def test_it_is_the_hardware_behind_topic_based_ros2_control(sim_process: Start, client: Make, tmp_path: Path) -> None:
    robot = tmp_path / "hardware.yaml"
    robot.write_text(HARDWARE)
    remapping = ("joint_command:=robot_joint_commands", "joint_states:=robot_joint_states")
    node = sim_process(*(part for rule in remapping for part in ("-r", rule)), robot=robot)
    system = TopicBasedSystem(client(commands=()))
    system.client.until(lambda: system.states and system.publisher.get_subscription_count(), "the hardware", 20.0)

    def reaches(position: dict[str, float], velocity: dict[str, float]) -> bool:
        system.write()
        state = system.states[-1]
        at = {name: (p, v) for name, p, v in zip(state.name, state.position, state.velocity, strict=True)}
        return all(abs(at[n][0] - p) < 1e-2 for n, p in position.items()) and all(
            abs(at[n][1] - v) < 1e-2 for n, v in velocity.items()
        )

    # one controller alone is active: the others' commands are NaN
    system.position.update(dict(zip(ARM, (0.3, -0.4, 1.2), strict=True)))
    home = {"wrist_1_joint": 1.2, "wrist_2_joint": 0.0}
    system.client.until(lambda: reaches(system.position | home, {}), "the arm's targets", 30.0)
    system.velocity.update({"wrist_1_joint": 0.0, "wrist_2_joint": 0.4})
    system.client.until(lambda: reaches(system.position, system.velocity), "the wrist's speed", 30.0)
    # and then it falls silent, which means hold
    system.velocity["wrist_2_joint"] = 0.0
    system.client.until(lambda: reaches(system.position, system.velocity), "rest", 30.0)
    count = len(system.states)
    system.client.until(lambda: len(system.states) > count + 15, "half a second of silence", 20.0)
    assert reaches(system.position, system.velocity)
    assert system.written > 10
    assert not node.log("Refused")


@pytest.mark.parametrize("name", ["path", "numbers", "drive"])
def test_an_environment_s_robot_is_commanded_in_real_time(name: str, tmp_path: Path) -> None:
    robot = load_robot(kinds.write(tmp_path, name))
    adapter = TopicRobot(robot, Connection(stepping="realtime", step_timeout_s=20.0))
    try:
        state = adapter.reset(1)
        target = np.array(robot.spec.command_home)
        target[0] += 0.2
        spot = robot.spec.joints.index(robot.config.actuators[0].commanded[0])
        expected = state.position[spot] + 0.2 if name != "drive" else 0.2 / 0.08
        deadline = time.monotonic() + 30.0
        value = math.inf
        while abs(value - expected) > 0.03:
            assert time.monotonic() < deadline, f"{value}, not {expected}"
            state = adapter.step(Command(read_only(target), state.stamp_ns))
            value = (state.velocity if name == "drive" else state.position)[spot]
        assert state.command.tobytes() == target.tobytes()
    finally:
        adapter.close()
