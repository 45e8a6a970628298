"""The rover: it drives as its wheels say, and its frames stand where REP 103 and REP 105 want them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.robot import Command, RobotState, read_only
from ros_gym_bridge.sim.sim_robot import SimRobot

RADIUS, SEPARATION, PERIODS = 0.08, 0.34, 100
LINKS = ("base_footprint", "base_link", "left_wheel_link", "laser_link", "imu_link", "camera_link")
CHANNELS = "".join(
    f"  - {{name: {link}, kind: link_pose, link: {link}, topic: poses/{link}}}\n"
    for link in (*LINKS, "camera_optical_frame")
)
WHEELS = "  - {name: wheels, interface: velocity, joints: [left_wheel_joint, right_wheel_joint]}\n"


@pytest.fixture
def seen_rover(tmp_path: Path) -> Path:
    """The rover with the poses of its links as channels."""
    path = tmp_path / "seen_rover.yaml"
    path.write_text(f"extends: rover\nactuators:\n{WHEELS}channels:\n{CHANNELS}")
    return path


@pytest.fixture
def rover(seen_rover: Path) -> Iterator[SimRobot]:
    robot = SimRobot(load_robot(seen_rover))
    yield robot
    robot.close()


def pose(state: RobotState, link: str) -> npt.NDArray[np.float64]:
    return np.array(state.channels[link].value)


def yaw(state: RobotState) -> float:
    x, y, z, w = pose(state, "base_footprint")[3:]
    return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def drive(rover: SimRobot, left: float, right: float, periods: int = PERIODS) -> list[RobotState]:
    """The states of some control periods with constant wheel velocities, rad/s, after the wheels have got there."""
    state = rover.reset(seed=1)
    states = []
    for period in range(25 + periods):
        state = rover.step(Command(read_only([left, right]), state.stamp_ns))
        states += [state] if period >= 24 else []
    return states


def turned(states: list[RobotState]) -> float:
    """The angle, rad, also beyond half a turn."""
    return float(np.unwrap([yaw(state) for state in states])[-1] - yaw(states[0]))


@pytest.mark.parametrize("speed", [2.0, 8.0, -5.0])
def test_drives_straight_when_both_wheels_turn_equally(rover: SimRobot, speed: float) -> None:
    states = drive(rover, speed, speed, 50)
    start, end = pose(states[0], "base_footprint"), pose(states[-1], "base_footprint")
    assert end[0] - start[0] == pytest.approx(speed * RADIUS * 50 / 50, rel=0.01)
    assert end[:3] - start[:3] == pytest.approx([end[0] - start[0], 0.0, 0.0], abs=1e-3)
    assert turned(states) == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("speed", [2.0, -5.0])
def test_turns_on_the_spot_when_the_wheels_turn_oppositely(rover: SimRobot, speed: float) -> None:
    states = drive(rover, -speed, speed)
    away = np.array([pose(state, "base_footprint")[:3] - pose(states[0], "base_footprint")[:3] for state in states])
    assert turned(states) == pytest.approx(2 * speed * RADIUS / SEPARATION * PERIODS / 50, rel=0.01)
    assert np.abs(away).max() < 2e-3


def test_drives_a_circle_about_the_point_of_theory(rover: SimRobot) -> None:
    states = drive(rover, 3.0, 6.0)
    radius = SEPARATION / 2 * (6.0 + 3.0) / (6.0 - 3.0)
    places = np.array([pose(state, "base_footprint")[:2] for state in states])
    start = yaw(states[0])
    centre = places[0] + radius * np.array([-math.sin(start), math.cos(start)])
    assert np.linalg.norm(places - centre, axis=1) == pytest.approx(radius, rel=0.01)


def test_stands_still_and_level_on_the_floor(rover: SimRobot) -> None:
    states = drive(rover, 0.0, 0.0)
    for state in (states[0], states[-1]):
        assert pose(state, "base_footprint") == pytest.approx([0, 0, 0, 0, 0, 0, 1], abs=1e-3)


def test_frames_stand_where_the_conventions_want_them(rover: SimRobot) -> None:
    state = rover.reset(seed=1)
    expected = {
        "base_footprint": [0.0, 0.0, 0.0],
        "base_link": [0.0, 0.0, 0.08],
        "left_wheel_link": [0.0, 0.17, 0.08],
        "imu_link": [0.0, 0.0, 0.11],
        "laser_link": [0.05, 0.0, 0.19],
        "camera_link": [0.2, 0.0, 0.14],
    }
    for link, place in expected.items():
        assert pose(state, link) == pytest.approx([*place, 0, 0, 0, 1], abs=1e-6), link
    optical = pose(state, "camera_optical_frame")
    optical[3:] *= np.sign(optical[6])  # a quaternion and its negative are the same
    assert optical == pytest.approx([0.2, 0.0, 0.14, -0.5, 0.5, -0.5, 0.5], abs=1e-6)  # z ahead, x right, y down
