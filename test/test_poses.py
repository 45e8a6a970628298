"""Ground truth, as poses and as odometry, against closed forms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sensor_tools import PENDULUM, Lab, joint, link, states, value

G, STEP = 9.81, 0.001
BOX = link("base", 1, shape='<box size="0.2 0.2 0.2"/>') + link("rod", 0.001, inertia=1e-6)
BOX += joint("hinge", "continuous", "base", "rod")
ARM = link("base", 1) + link("rod", 2, "0.2 0 0") + joint("hinge", "continuous", "base", "rod", axis="0 0 1")
FALLING = "\nmodel: {file: MODEL, fixed_base: false, base_position: [1, 2, 50], base_rpy: [0.5, 0, 0]}\n"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def fallen(steps: int) -> tuple[float, float]:
    """How far, m, and how fast, m/s, after so many physics steps: velocities are renewed first, positions by them."""
    return 0.5 * G * STEP**2 * steps * (steps + 1), G * STEP * steps


def test_a_pose_on_a_swinging_rod_follows_its_angle(lab: Lab) -> None:
    channels = "  - {name: s, kind: link_pose, link: rod, position: [0.1, 0.2, -0.5], rpy: [0, 0.3, 0]}"
    angles = []
    for state in states(lab.robot(PENDULUM, channels, home=1.0), 60):
        q = float(state.position[0])
        place = [0.1 * math.cos(q) - 0.5 * math.sin(q), 0.2, -0.1 * math.sin(q) - 0.5 * math.cos(q)]
        half = 0.5 * (q + 0.3)  # both turn about y
        assert value(state) == pytest.approx([*place, 0.0, math.sin(half), 0.0, math.cos(half)], abs=1e-6)
        angles.append(q)
    assert min(angles) < 0.0 < max(angles), "it swings through"


def test_odometry_of_a_turning_arm_is_told_in_the_sensor_s_frame(lab: Lab) -> None:
    """w r along the tangent, which the sensor sees under the angle by which it is turned on the arm."""
    channels = "  - {name: s, kind: odometry, link: rod, position: [0.5, 0, 0.1], rpy: [0, 0, 0.3]}"
    for state in list(states(lab.robot(ARM, channels, interface="velocity"), 100, command=6.0))[50:]:
        q = float(state.position[0])
        assert value(state)[:3] == pytest.approx([0.5 * math.cos(q), 0.5 * math.sin(q), 0.1], abs=1e-6)
        turned = np.array([0.0, 0.0, math.sin(0.5 * (q + 0.3)), math.cos(0.5 * (q + 0.3))])
        assert abs(value(state)[3:7] @ turned) == pytest.approx(1.0, abs=1e-6)  # a quaternion or its negative
        speed = 6.0 * 0.5
        linear = [speed * math.sin(0.3), speed * math.cos(0.3), 0.0]
        assert value(state)[7:] == pytest.approx([*linear, 0.0, 0.0, 6.0], abs=1e-5)


def test_odometry_of_a_falling_box(lab: Lab) -> None:
    robot = lab.robot(BOX, "  - {name: s, kind: odometry, link: base}", more=FALLING)
    for i, state in enumerate(states(robot, 50)):
        way, speed = fallen(10 * i)
        assert value(state)[:3] == pytest.approx([1.0, 2.0, 50.0 - way], abs=1e-6)
        assert value(state)[3:7] == pytest.approx([math.sin(0.25), 0.0, 0.0, math.cos(0.25)], abs=1e-6)
        assert value(state)[7:10] == pytest.approx([0.0, -speed * math.sin(0.5), -speed * math.cos(0.5)], abs=1e-6)
        assert value(state)[10:] == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)


def test_a_body_of_the_scene_is_told_as_well(lab: Lab) -> None:
    """Of a sensor at its side, while it falls without turning."""
    stone = lab.body("stone", link("stone", 1, shape='<box size="0.1 0.1 0.1"/>'))
    scene = f"scene: [{{name: stone, file: {stone}, position: [3, 0, 20], rpy: [0, 0, 1.5707963267948966]}}]\n"
    channels = "  - {name: s, kind: link_pose, body: stone, position: [0.2, 0, 0]}\n"
    channels += "  - {name: o, kind: odometry, body: stone, position: [0.2, 0, 0]}"
    for i, state in enumerate(states(lab.robot(PENDULUM, channels, more=scene), 20)):
        way, speed = fallen(10 * i)
        assert value(state)[:3] == pytest.approx([3.0, 0.2, 20.0 - way], abs=1e-6)
        assert value(state, "o")[:7] == pytest.approx(value(state))
        assert value(state, "o")[7:] == pytest.approx([0.0, 0.0, -speed, 0.0, 0.0, 0.0], abs=1e-6)
