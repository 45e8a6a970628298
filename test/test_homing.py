"""The way home, as numbers: smooth, within the speed that the robot file allows, at rest at its end. No ROS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import kinds
from ros_gym_bridge import load_robot
from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.homing import HomeCommands, holding
from ros_gym_bridge.schema import Reset


@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_every_joint_keeps_to_its_share_of_the_speed(fraction: float) -> None:
    spec = load_robot("panda").spec
    rng = np.random.default_rng(1)
    start = rng.uniform(spec.lower, spec.upper)
    way = HomeCommands(spec, Reset(velocity_fraction=fraction), start)
    times = np.linspace(0.0, way.duration_s, 2001)
    positions = np.array([way.at(t, start) for t in times])
    speeds = np.gradient(positions, times, axis=0)
    share = np.max(np.abs(speeds), axis=0) / (fraction * spec.max_velocity[: len(spec.commands)])
    assert np.all(share <= 1.001)
    assert np.max(share) == pytest.approx(1.0, abs=0.01), "the slowest joint sets the time, no other does"
    assert np.max(np.abs(speeds[[0, 1, -2, -1]])) < 0.01, "at rest at both ends"
    assert positions[0] == pytest.approx(start[: len(spec.commands)])
    assert positions[-1] == pytest.approx(spec.command_home)
    assert way.speed_at(0.5 * way.duration_s) == pytest.approx(speeds[1000], abs=1e-3)
    assert way.away(spec.home) == []
    assert way.away(start)[0] == int(np.argmax(np.abs(start - spec.home)[: len(spec.commands)]))


def test_velocities_are_led_and_efforts_are_not(tmp_path: Path) -> None:
    """`kinds`: a trajectory, a position, a velocity and an effort group."""
    spec = load_robot(kinds.write(tmp_path, "kinds")).spec
    start = spec.home + 1.0
    way = HomeCommands(spec, Reset(velocity_fraction=0.5, velocity_gain=2.0), start)
    assert way.unled() == ["wrist_3_joint/effort"]
    begin, end = way.at(0.0, start), way.at(way.duration_s, spec.home + 0.1)
    assert (begin[4], begin[5]) == (0.0, 0.0)
    assert end[4] == pytest.approx(-0.2), "towards home, by how far it is away"
    assert way.at(way.duration_s, spec.home + 100.0)[4] == -0.5 * spec.max_velocity[4], "within its share of the limit"
    assert 5 not in way.away(spec.home + 1.0), "nobody waits for a joint that nobody leads"
    held = holding(spec, spec.home + 100.0)
    assert held[:4] == pytest.approx(spec.command_high[:4])
    assert held[4:].tolist() == [0.0, 0.0]


def test_a_drive_stays(tmp_path: Path) -> None:
    spec = load_robot(kinds.write(tmp_path, "drive")).spec
    way = HomeCommands(spec, Reset(), spec.home + 10.0)
    assert way.unled() == ["diff_drive_controller/linear", "diff_drive_controller/angular"]
    assert way.at(0.05, spec.home).tolist() == [0.0, 0.0]
    assert way.away(spec.home + 10.0) == []


def test_what_the_file_may_say(tmp_path: Path) -> None:
    path = tmp_path / "slow.yaml"
    path.write_text("extends: arm\nreset: {velocity_fraction: 0.1, ask_operator: true}\n")
    reset = load_robot(path).config.reset
    assert (reset.velocity_fraction, reset.ask_operator, reset.tolerance) == (0.1, True, 0.02)
    path.write_text("extends: arm\nreset: {velocity_fraction: 1.5}\n")
    expected = (
        f"{path}: reset.velocity_fraction; got 1.5; expected less than or equal to 1; "
        "Change the value of 'reset.velocity_fraction'."
    )
    with pytest.raises(RobotFileError) as error:
        load_robot(path)
    assert str(error.value) == expected
