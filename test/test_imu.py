"""The IMU against closed forms: free fall, rest, a turning arm (REP 145)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sensor_tools import PENDULUM, Lab, joint, last, link, states, value

G = 9.81
# a box that floats, with a light arm that stands still
FLOATING = link("base", 1, shape='<box size="0.2 0.2 0.2"/>') + link("rod", 0.001, inertia=1e-6)
FLOATING += joint("hinge", "continuous", "base", "rod")
LOOSE = "model: {file: MODEL, fixed_base: false, base_position: [0, 0, HEIGHT], base_rpy: [0, 0, YAW]}\n"
FLOOR = "scene: [{name: floor, file: 'pybullet_data://plane.urdf', fixed: true}]\n"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def loose(height: float, yaw: float = 0.0) -> str:
    return "\n" + LOOSE.replace("HEIGHT", str(height)).replace("YAW", str(yaw))


def test_a_falling_box_feels_nothing(lab: Lab) -> None:
    robot = lab.robot(FLOATING, "  - {name: s, kind: imu, link: base}", more=loose(50.0))
    *_, state = states(robot, 50)
    assert value(state)[7:] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)
    assert value(state)[4:7] == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)


def test_at_rest_it_feels_gravity_upwards(lab: Lab) -> None:
    robot = lab.robot(FLOATING, "  - {name: s, kind: imu, link: base}", more=loose(0.1) + FLOOR)
    assert value(last(robot, 100))[7:] == pytest.approx([0.0, 0.0, G], abs=0.01)


def test_what_stands_still_feels_gravity_in_its_own_frame(lab: Lab) -> None:
    channels = "  - {name: s, kind: imu, link: base, rpy: [0.5, 0.3, 0.2], position: [1, 2, 3]}"
    robot = lab.robot(PENDULUM, channels)
    for state in states(robot, 2):  # the first state too: as if without acceleration
        r, p, y = 0.5, 0.3, 0.2
        up = np.array([-math.sin(p), math.cos(p) * math.sin(r), math.cos(p) * math.cos(r)])
        assert value(state)[7:] == pytest.approx(G * up, abs=1e-9)
        x, y_, z, w = value(state)[:4]
        assert math.atan2(2 * (w * z + x * y_), 1 - 2 * (y_ * y_ + z * z)) == pytest.approx(y)


def test_a_turning_arm_feels_the_centripetal_force(lab: Lab) -> None:
    urdf = link("base", 1) + link("rod", 2, "0.2 0 0") + joint("hinge", "continuous", "base", "rod", axis="0 0 1")
    channels = "  - {name: s, kind: imu, link: rod, position: [0.5, 0, 0.1]}"
    robot = lab.robot(urdf, channels, interface="velocity")
    found = list(states(robot, 150, command=6.0))
    for state in found[50:]:
        assert state.velocity[0] == pytest.approx(6.0, abs=1e-6)
        assert value(state)[4:7] == pytest.approx([0.0, 0.0, 6.0], abs=1e-6)
        assert value(state)[7:] == pytest.approx([-36.0 * 0.5, 0.0, G], abs=5e-3)  # -x is inwards, whatever the angle
    angles = [2 * math.atan2(value(state)[2], value(state)[3]) for state in found]
    assert np.ptp(np.unwrap(angles)) > 6.0


def test_a_starting_arm_feels_the_tangential_force(lab: Lab) -> None:
    urdf = link("base", 1) + link("rod", 2, "0.2 0 0") + joint("hinge", "continuous", "base", "rod", axis="0 0 1")
    robot = lab.robot(urdf, "  - {name: s, kind: imu, link: rod, position: [0.5, 0, 0]}")
    state = last(robot, 1, command=0.9)
    acceleration = 0.9 / (0.1 + 2 * 0.2**2)
    assert value(state)[8] == pytest.approx(acceleration * 0.5, rel=1e-3)


def test_a_swinging_pendulum_feels_along_its_rod_only_what_the_textbook_says(lab: Lab) -> None:
    """At its centre of mass; the force across is that of the hinge."""
    robot = lab.robot(PENDULUM, "  - {name: s, kind: imu, link: rod, position: [0, 0, -0.5]}", home=1.0)
    inertia = 2 / 12 + 2 * 0.5**2
    for state in list(states(robot, 80))[1:]:
        angle, rate = state.position[0], state.velocity[0]
        along = rate**2 * 0.5 + G * math.cos(angle)
        across = G * math.sin(angle) * (2 * 0.5**2 / inertia - 1.0)
        assert value(state)[7:] == pytest.approx([across, 0.0, along], abs=0.05)


def test_without_orientation_it_has_none(lab: Lab) -> None:
    robot = lab.robot(PENDULUM, "  - {name: s, kind: imu, link: rod, orientation: false}", home=1.0)
    assert value(last(robot, 3))[:4].tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("strict", [False, True])
def test_the_first_state_after_a_reset_knows_nothing_of_the_last_episode(lab: Lab, strict: bool) -> None:
    robot = lab.robot(FLOATING, "  - {name: s, kind: imu, link: base}", more=loose(50.0))
    first = value(next(states(robot, 0)))
    last(robot, 20)
    assert value(robot.reset(1, {"strict": strict})).tobytes() == first.tobytes()
    assert first[7:] == pytest.approx([0.0, 0.0, G])


def test_a_slow_imu_is_as_right_as_a_quick_one(lab: Lab) -> None:
    channels = "  - {name: s, kind: imu, link: rod}\n  - {name: slow, kind: imu, link: rod, rate_hz: 20}"
    robot = lab.robot(PENDULUM, channels, home=1.0)
    kept = 0
    for state in states(robot, 40):
        slow, quick = state.channels["slow"], state.channels["s"]
        if slow.stamp_ns == state.stamp_ns:
            assert slow.value.tobytes() == quick.value.tobytes()
        else:
            kept += 1
    assert kept == 32
