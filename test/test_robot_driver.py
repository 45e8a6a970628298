"""The stand-in of a real robot: that it behaves as one, so that what is proven against it means something."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

import kinds
from driver_plant import EFFORT, POSITION, VELOCITY, Joint, Plant
from driver_tools import DriverProcess
from plain_client import PlainClient, nanoseconds

Start = Callable[..., DriverProcess]
BEST_EFFORT = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)


def states(client: PlainClient) -> list[JointState]:
    return client.hear(JointState, "joint_states", BEST_EFFORT)


def value(state: JointState, joint: str, interface: str = "position") -> float:
    return float(getattr(state, interface)[state.name.index(joint)])


def test_it_imports_nothing_of_this_package() -> None:
    for name in ("robot_driver", "driver_plant", "driver_controllers"):
        tree = ast.parse(Path(__file__).with_name(f"{name}.py").read_text())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not [module for module in imported if str(module).startswith("ros_gym_bridge")]


def moved(joint: Joint, mode: int, target: float, seconds: float) -> Plant:
    plant = Plant([joint])
    plant.mode[:], plant.target[:] = mode, target
    for _ in range(round(seconds * 1000)):
        plant.step(0.001)
    return plant


def test_dynamics() -> None:
    first = moved(Joint("a", order=1, lag_s=0.1), POSITION, 1.0, 0.1).measured()
    assert first[0, 0] == pytest.approx(1.0 - math.exp(-1.0), rel=1e-6)
    second = moved(Joint("a", order=2, lag_s=0.1), POSITION, 1.0, 0.1).measured()
    assert second[0, 0] == pytest.approx(1.0 - 2.0 * math.exp(-1.0), abs=0.01), "critically damped"
    turning = moved(Joint("a", lag_s=0.05), VELOCITY, 2.0, 1.0).measured()
    assert turning[1, 0] == pytest.approx(2.0, rel=1e-3)
    falling = moved(Joint("a", inertia=2.0, viscous=1.0), EFFORT, 3.0, 20.0).measured()
    assert falling[1, 0] == pytest.approx(3.0, rel=0.01), "friction that grows with speed"
    assert moved(Joint("a", coulomb=1.0), EFFORT, 0.9, 1.0).measured()[0, 0] == 0.0, "friction that holds"
    assert moved(Joint("a", backlash=0.1), POSITION, 1.0, 2.0).measured()[0, 0] == pytest.approx(0.95, abs=1e-3)


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        ({"upper": 0.5}, "position limit of a: 0.5"),
        ({"max_velocity": 1.0}, "velocity limit of a: "),
        ({"max_acceleration": 1.0}, "acceleration limit of a: "),
    ],
)
def test_hardware_limits(limit: dict[str, float], text: str) -> None:
    plant = moved(Joint("a", **limit), POSITION, 1.0, 1.0)
    assert plant.fault.startswith(text)
    place, speed, _ = plant.measured()[:, 0]
    assert speed == pytest.approx(0.0, abs=1e-6), "it has stopped"
    plant.clear()
    plant.step(0.5)
    assert plant.measured()[0, 0] == pytest.approx(place, abs=1e-6), "and holds where it is"


def test_states_are_those_of_a_broadcaster(driver: Start) -> None:
    robot = driver("arm", joint={"interfaces": ["position", "effort"]}, rate_hz=200.0, clock_offset_s=-1000.0)
    client = robot.client
    deaf, heard = client.states, states(client)
    client.until(lambda: len(heard) >= 100, "states")
    assert not deaf, "best effort: a reliable subscriber hears nothing"
    assert len({tuple(state.name) for state in heard}) > 10, "in any order"
    assert {"camera_pan_joint", "lift_joint"} < set(heard[0].name)
    assert math.isnan(value(heard[0], "elbow_joint", "velocity"))
    assert math.isnan(value(heard[0], "lift_joint", "effort"))
    assert value(heard[0], "elbow_joint") == 1.6
    stamps = [nanoseconds(state.header.stamp) for state in heard]
    assert all(a < b for a, b in itertools.pairwise(stamps))
    now_ns = client.node.get_clock().now().nanoseconds
    assert (now_ns - stamps[-1]) / 1e9 == pytest.approx(1000.0, abs=20.0), "a clock of its own"
    robot.set(clock_offset_s=500.0)
    heard.clear()
    client.until(lambda: heard, "states")
    assert (now_ns - nanoseconds(heard[-1].header.stamp)) / 1e9 == pytest.approx(-500.0, abs=20.0), "that jumps"
    robot.set(state_drop=1.0)
    client.listen(0.2)
    heard.clear()
    client.listen(0.3)
    assert not heard, "drop-out"


def test_commands_by_topic(driver: Start, tmp_path: Path) -> None:
    robot = driver(kinds.write(tmp_path, "numbers"))
    client = robot.client
    heard = states(client)
    positions = client.node.create_publisher(Float64MultiArray, "arm_controller/commands", 10)
    speeds = client.node.create_publisher(Float64MultiArray, "wrist_controller/commands", 10)
    client.until(lambda: heard and positions.get_subscription_count() and speeds.get_subscription_count(), "a robot")
    positions.publish(Float64MultiArray(data=[0.1, -0.3, 1.5]))
    client.until(lambda: abs(value(heard[-1], "elbow_joint") - 1.5) < 1e-3, "the elbow at its target")
    speeds.publish(Float64MultiArray(data=[0.0, 0.2, 0.0]))
    begun = value(heard[-1], "wrist_2_joint")
    client.until(lambda: value(heard[-1], "wrist_2_joint") > begun + 0.2, "a wrist that goes on turning, unasked")
    positions.publish(Float64MultiArray(data=[0.1, 0.3]))
    robot.says("Refused on arm_controller/commands: 2 values for 3 joints")


def test_a_fault_stands_until_it_is_cleared(driver: Start) -> None:
    robot = driver("arm")
    client = robot.client
    heard, diagnostics = states(client), client.hear(DiagnosticArray, "/diagnostics")
    commands = client.node.create_publisher(JointState, "joint_command", 10)
    client.until(lambda: heard and commands.get_subscription_count(), "a robot")
    commands.publish(JointState(name=["elbow_joint"], position=[-2.0]))
    assert robot.says("Fault: ").startswith("velocity limit of elbow_joint")

    def level() -> int:
        return int.from_bytes(diagnostics[-1].status[0].level, "little") if diagnostics else 0

    client.until(lambda: level() == 2, "the fault on /diagnostics")
    heard.clear()
    client.until(lambda: heard and abs(value(heard[-1], "elbow_joint", "velocity")) < 1e-3, "that it has stopped")
    stopped = value(heard[-1], "elbow_joint")
    commands.publish(JointState(name=["elbow_joint"], position=[stopped + 0.01]))
    client.listen(0.3)
    assert value(heard[-1], "elbow_joint") == pytest.approx(stopped, abs=1e-4), "it hears no commands"
    assert robot.trigger("clear_fault").success
    assert not robot.trigger("clear_fault").success
    commands.publish(JointState(name=["elbow_joint"], position=[stopped + 0.01]))
    client.until(lambda: abs(value(heard[-1], "elbow_joint") - stopped - 0.01) < 1e-3, "that it moves again")


def test_a_trajectory(driver: Start, tmp_path: Path) -> None:
    robot = driver(kinds.write(tmp_path, "path"))
    client = robot.client
    heard = states(client)
    paths = client.node.create_publisher(JointTrajectory, "arm_controller/joint_trajectory", 10)
    client.until(lambda: heard and paths.get_subscription_count(), "a robot")
    joints = ["elbow_joint", "shoulder_pan_joint", "shoulder_lift_joint"]
    point = JointTrajectoryPoint(positions=[1.2, 0.3, -0.2])
    point.time_from_start.nanosec = 600_000_000
    paths.publish(JointTrajectory(joint_names=joints[:2], points=[point]))
    robot.says("Refused on arm_controller/joint_trajectory: joints ['shoulder_lift_joint'] are missing")
    heard.clear()
    paths.publish(JointTrajectory(joint_names=joints, points=[point]))
    client.until(lambda: heard and abs(value(heard[-1], "elbow_joint") - 1.2) < 1e-3, "the end of the path")
    moving = [state for state in heard if 1.25 < value(state, "elbow_joint") < 1.55]
    taken = nanoseconds(moving[-1].header.stamp) - nanoseconds(moving[0].header.stamp)
    assert taken / 1e9 == pytest.approx(0.45, abs=0.05), "at its pace, by the robot's own stamps"


def test_a_drive(driver: Start, tmp_path: Path) -> None:
    robot = driver(kinds.write(tmp_path, "drive"))
    client = robot.client
    odometry = client.hear(Odometry, "diff_drive_controller/odom")
    twists = client.node.create_publisher(TwistStamped, "diff_drive_controller/cmd_vel", 10)
    client.until(lambda: odometry and twists.get_subscription_count(), "a drive")
    command = TwistStamped()
    command.twist.linear.x = 0.4
    twists.publish(command)
    client.until(lambda: odometry[-1].pose.pose.position.x > 0.1, "that it drives")
    client.until(lambda: abs(odometry[-1].twist.twist.linear.x) < 1e-3, "that silence stops it")
    command.header.stamp.sec = 1
    twists.publish(command)
    robot.says("Refused on diff_drive_controller/cmd_vel: a twist that is")
