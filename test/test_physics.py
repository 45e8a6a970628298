"""The physics against closed forms."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.robot import Command
from ros_gym_bridge.sim.sim_robot import SimRobot

PENDULUM = f"""<robot name="pendulum">
  <link name="base"/>
  <link name="rod">
    <inertial><origin xyz="0 0 -0.5"/><mass value="2"/>
      <inertia ixx="{2 / 12}" ixy="0" ixz="0" iyy="{2 / 12}" iyz="0" izz="0.001"/></inertial>
  </link>
  <joint name="hinge" type="continuous">
    <parent link="base"/><child link="rod"/><axis xyz="0 1 0"/><limit effort="50" velocity="20"/>
  </joint>
</robot>"""

PENDULUM_FILE = """name: pendulum
model: {file: pendulum.urdf}
rates: {physics_hz: 1000, control_hz: 100}
joints: [{name: hinge, home: HOME}]
actuators: [{name: motor, interface: effort, joints: [hinge]}]
"""

FALLING_FILE = """name: falling
model: {file: pendulum.urdf}
rates: {physics_hz: 1000, control_hz: 100}
joints: [{name: hinge}]
actuators: [{name: motor, interface: effort, joints: [hinge]}]
scene: [{name: box, file: box.urdf, position: [5, 0, 100]}]
"""

BOX = """<robot name="box"><link name="box">
  <inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>
</link></robot>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pendulum.urdf").write_text(PENDULUM)
    (tmp_path / "box.urdf").write_text(BOX)
    return tmp_path


def make(folder: Path, text: str) -> SimRobot:
    path = folder / "robot.yaml"
    path.write_text(text)
    return SimRobot(load_robot(path))


def test_free_fall_is_not_damped(folder: Path) -> None:
    robot = make(folder, FALLING_FILE)
    state = robot.reset(0)
    for _ in range(100):
        state = robot.step(Command(robot.spec.command_home, state.stamp_ns))
    n, dt = 1000, 1e-3
    fallen = 9.81 * dt * dt * n * (n + 1) / 2  # semi-implicit Euler, exactly
    assert robot.body_poses()["box"][0][2] == pytest.approx(100.0 - fallen, abs=1e-6)
    robot.close()


def test_pendulum_swings_with_the_period_of_the_textbook(folder: Path) -> None:
    robot = make(folder, PENDULUM_FILE.replace("HOME", "0.02"))
    state = robot.reset(0)
    angles = [state.position[0]]
    for _ in range(1000):
        state = robot.step(Command(robot.spec.command_home, state.stamp_ns))
        angles.append(state.position[0])
    signs = np.sign(angles)
    crossings = np.flatnonzero(np.diff(signs) < 0)
    period = (crossings[-1] - crossings[0]) / (len(crossings) - 1) * 0.01
    inertia = 2 / 12 + 2 * 0.5**2  # of the rod about the hinge: parallel axes
    assert period == pytest.approx(2 * math.pi * math.sqrt(inertia / (2 * 9.81 * 0.5)), rel=0.01)
    assert max(angles[-300:]) == pytest.approx(0.02, rel=0.05)  # nothing damps it
    robot.close()


def test_effort_accelerates_by_newton(folder: Path) -> None:
    robot = make(folder, PENDULUM_FILE.replace("HOME", "0.0") + "gravity: [0, 0, 0]\n")
    state = robot.reset(0)
    for _ in range(20):
        state = robot.step(Command(np.array([3.0]), state.stamp_ns))
    acceleration = 3.0 / (2 / 12 + 2 * 0.5**2)
    assert state.velocity[0] == pytest.approx(acceleration * 0.2, rel=1e-3)
    assert state.effort[0] == 3.0
    robot.close()


@pytest.mark.parametrize("name", ["panda", "arm"])
def test_position_velocity_and_effort_each_do_what_they_say(name: str) -> None:
    robot = SimRobot(load_robot(name, interface="position"))
    state = robot.reset(0)
    target = np.array(robot.spec.command_home)
    target[0] += 0.5
    for _ in range(50):
        state = robot.step(Command(target, state.stamp_ns))
    assert state.position[0] == pytest.approx(target[0], abs=0.01)
    robot.close()

    robot = SimRobot(load_robot(name, interface="velocity"))
    state = robot.reset(0)
    for _ in range(25):
        state = robot.step(Command(np.eye(len(robot.spec.commands))[0] * 0.4, state.stamp_ns))
    assert state.velocity[0] == pytest.approx(0.4, abs=0.01)
    assert state.position[0] == pytest.approx(0.4, abs=0.03)
    robot.close()

    robot = SimRobot(load_robot(name, interface="effort"))
    state = robot.reset(0)
    for _ in range(5):
        state = robot.step(Command(np.eye(len(robot.spec.commands))[0] * 2.0, state.stamp_ns))
    assert state.velocity[0] > 0.0
    robot.close()


def test_position_targets_move_at_most_at_the_velocity_limit() -> None:
    robot = SimRobot(load_robot("panda"))
    state = robot.reset(0)
    last = state.command
    commanded = [robot.spec.joints.index(entry.joint) for entry in robot.spec.commands]
    limit = robot.spec.max_velocity[commanded] / robot.spec.control_hz
    for _ in range(30):
        state = robot.step(Command(robot.spec.command_high, state.stamp_ns))
        assert (np.abs(state.command - last) <= limit + 1e-12).all()
        last = state.command
    assert state.command[0] == pytest.approx(30 * limit[0])
    robot.close()
