"""Force-torque sensors and contacts against closed forms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sensor_tools import PENDULUM, Lab, joint, last, link, states, value

G = 9.81
RESTS = "\nmodel: {file: MODEL, fixed_base: false, base_position: [0, 0, HEIGHT], base_rpy: [0, 0, 0.4]}\n"
BOX = '<box size="0.2 0.2 0.2"/>'
LOOSE = link("base", 2, shape=BOX) + link("rod", 0.001, inertia=1e-6) + joint("hinge", "continuous", "base", "rod")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def test_a_weight_that_hangs_pulls_downwards(lab: Lab) -> None:
    """2 kg rod with 1 kg at its end, on a fixed joint whose frame is turned; the weight's centre is off its frame."""
    weight = link("weight", 1, "0.1 0 0", rpy="0.3 0.2 0.1") + joint(
        "end", "fixed", "rod", "weight", "0 0 -1", "0 0.5 0"
    )
    channels = "  - {name: hinge_ft, kind: force_torque, joint: hinge}\n  - {name: s, kind: force_torque, joint: end}"
    balanced = weight.replace('xyz="0.1 0 0"', 'xyz="0 0 0"')
    state = last(lab.robot(PENDULUM + balanced, channels), 20)
    assert value(state, "hinge_ft") == pytest.approx([0.0, 0.0, -3 * G, 0.0, 0.0, 0.0], abs=1e-6)
    down = np.array([math.sin(0.5), 0.0, -math.cos(0.5)])  # of the turned frame
    assert value(state) == pytest.approx([*(G * down), 0.0, 0.0, 0.0], abs=1e-6)

    state = last(lab.robot(PENDULUM + weight, channels, interface="position"), 20)
    torque = np.cross([0.1, 0.0, 0.0], G * down)
    assert value(state) == pytest.approx([*(G * down), *torque], abs=1e-4)


@pytest.mark.parametrize("interface", ["position", "velocity", "effort"])
def test_a_pendulum_that_is_held_level_loads_its_hinge(lab: Lab, interface: str) -> None:
    """Whatever holds it: the motor's torque is part of what the joint carries."""
    robot = lab.robot(PENDULUM, "  - {name: s, kind: force_torque, joint: hinge}", interface, home=math.pi / 2)
    command = {"position": math.pi / 2, "velocity": 0.0, "effort": 2 * G * 0.5}[interface]
    state = last(robot, 30, command)
    assert state.position[0] == pytest.approx(math.pi / 2, abs=1e-4)
    # the rod points along -x of the world; down is +x of its frame
    assert value(state) == pytest.approx([2 * G, 0.0, 0.0, 0.0, -2 * G * 0.5, 0.0], abs=0.02)


def test_a_moved_sensor_sees_the_same_wrench_from_elsewhere(lab: Lab) -> None:
    channels = "  - {name: s, kind: force_torque, joint: hinge}\n"
    channels += (
        "  - {name: moved, kind: force_torque, joint: hinge, position: [0.1, 0.2, -0.3], rpy: [0, 0, 1.5707963]}"
    )
    state = last(lab.robot(PENDULUM, channels, "position", home=math.pi / 2), 20, math.pi / 2)
    force, torque = value(state)[:3], value(state)[3:]
    there = torque - np.cross([0.1, 0.2, -0.3], force)
    turned = [force[1], -force[0], force[2], there[1], -there[0], there[2]]
    assert value(state, "moved") == pytest.approx(turned, abs=1e-6)


def test_a_swinging_pendulum_pulls_as_the_textbook_says(lab: Lab) -> None:
    robot = lab.robot(PENDULUM, "  - {name: s, kind: force_torque, joint: hinge}", home=1.0)
    inertia = 2 / 12 + 2 * 0.5**2
    for state in list(states(robot, 60))[1:]:
        angle, rate = state.position[0], state.velocity[0]
        along = 2 * (rate**2 * 0.5 + G * math.cos(angle))
        across = 2 * G * math.sin(angle) * (2 * 0.5**2 / inertia - 1.0)
        assert value(state) == pytest.approx([-across, 0.0, -along, 0.0, 0.0, 0.0], abs=0.1)


@pytest.mark.parametrize("interface", ["position", "effort"])
def test_a_lift_carries_its_load(lab: Lab, interface: str) -> None:
    """A prismatic joint; the load's centre is off the axis, and the slide takes the torque."""
    urdf = link("base", 1) + link("rod", 2, "0.3 0 0") + joint("hinge", "prismatic", "base", "rod", axis="0 0 1")
    robot = lab.robot(urdf, "  - {name: s, kind: force_torque, joint: hinge}", interface)
    state = last(robot, 30, 2 * G if interface == "effort" else 0.0)
    assert value(state) == pytest.approx([0.0, 0.0, -2 * G, 0.0, 0.3 * 2 * G, 0.0], abs=0.02)


FLOOR = "scene: [{name: floor, file: 'pybullet_data://plane.urdf', fixed: true}]\n"


def test_no_step_no_force(lab: Lab) -> None:
    channels = "  - {name: s, kind: force_torque, joint: hinge}\n  - {name: touch, kind: contact, link: base}"
    robot = lab.robot(LOOSE, channels, more=RESTS.replace("HEIGHT", "0.1") + FLOOR)
    assert not value(next(states(robot, 0))).any()
    state = last(robot, 50)
    assert value(state, "touch")[2] > 0.0
    for strict in (False, True):
        state = robot.reset(1, {"strict": strict})
        assert not value(state).any()
        assert not value(state, "touch").any()


def test_a_box_on_the_floor_is_carried(lab: Lab) -> None:
    channels = "  - {name: s, kind: contact, link: base}\n  - {name: none, kind: contact, link: rod}"
    robot = lab.robot(LOOSE, channels, more=RESTS.replace("HEIGHT", "0.1") + FLOOR)
    state = last(robot, 150)
    assert value(state) == pytest.approx([0.0, 0.0, 2.001 * G, 0.0, 0.0, 0.0], abs=0.02)
    assert not value(state, "none").any()


@pytest.mark.parametrize("slope_first", [True, False])
def test_friction_is_part_of_a_contact(lab: Lab, slope_first: bool) -> None:
    """On a slope friction holds what gravity pulls along it: together they carry the weight, straight up in the world.
    PyBullet tells frictions for that of two bodies which it lists first, so the sensor is on each of them once."""
    slope, box = link("base", 0, shape='<box size="4 4 0.2"/>'), link("base", 2, shape=BOX)
    rod = link("rod", 0.001, inertia=1e-6) + joint("hinge", "continuous", "base", "rod")
    place = [0.2 * part for part in (math.sin(0.2) * math.cos(0.3), -math.sin(0.3), math.cos(0.2) * math.cos(0.3))]
    if slope_first:
        model = f"{{file: MODEL, fixed_base: false, base_position: {place}, base_rpy: [0.3, 0.2, 0]}}"
        scene = f"{{name: slope, file: {lab.body('slope', slope)}, fixed: true, rpy: [0.3, 0.2, 0]}}"
    else:  # the robot is the slope, loaded after the box that lies on it
        model = "{file: MODEL, base_rpy: [0.3, 0.2, 0]}"
        scene = f"{{name: box, file: {lab.body('box', box)}, position: {place}, rpy: [0.3, 0.2, 0]}}"
    urdf = (box if slope_first else slope.replace('mass value="0"', 'mass value="1"')) + rod
    more = f"\nmodel: {model}\nscene: [{scene}]\n"
    state = last(lab.robot(urdf, "  - {name: s, kind: contact, link: base}", more=more), 150)
    up = np.array([-math.sin(0.2), math.cos(0.2) * math.sin(0.3), math.cos(0.2) * math.cos(0.3)])  # in either frame
    assert value(state)[:3] == pytest.approx((2.001 * G if slope_first else -2.0 * G) * up, abs=0.05)
