"""Lidars and range sensors against walls at known places (REP 117)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sensor_tools import Lab, joint, last, link, states, value

# a post with a sensor's place at its top, and an arm that stands still beside it
POST = link("base", 1, shape='<box size="0.1 0.1 0.1"/>') + link("rod", 1, shape='<sphere radius="0.05"/>')
POST += joint("hinge", "continuous", "base", "rod", at="0.6 0 0")
WALL = "{name: wall, file: WALL, fixed: true, position: [3.05, 0, 0]}"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def walled(lab: Lab, *more: str) -> str:
    """A wall whose face is the plane x = 3, from y = -2 to 2 and z = -1 to 1."""
    wall = lab.body("wall", link("wall", 1, shape='<box size="0.1 4 2"/>'))
    return f"scene: [{', '.join((WALL.replace('WALL', wall), *more))}]\n"


def test_a_scan_of_a_wall(lab: Lab) -> None:
    channels = "  - {name: s, kind: lidar, link: base, rays: 181, min_angle: -1.5707963, max_angle: 1.5707963}"
    found = value(last(lab.robot(POST, channels, more=walled(lab)), 2))
    angles = np.linspace(-math.pi / 2, math.pi / 2, 181)
    with np.errstate(divide="ignore"):
        distances = 3.0 / np.cos(angles)
    hit = np.abs(np.tan(angles)) < 2.0 / 3.0
    assert (found.dtype, found.shape) == (np.float32, (181,))
    assert found[hit] == pytest.approx(distances[hit], abs=1e-5)
    assert np.isposinf(found[~hit]).all()
    assert 60 < hit.sum() < 120


def test_a_turned_scanner_sees_the_wall_elsewhere(lab: Lab) -> None:
    """Turned by a quarter about z: straight ahead of it is y, the wall stands at its right."""
    mount = "position: [0.5, 0.2, 0.1], rpy: [0, 0, 1.5707963267948966]"
    channels = (
        f"  - {{name: s, kind: lidar, link: base, rays: 3, min_angle: -1.5707963, max_angle: 1.5707963, {mount}}}"
    )
    found = value(last(lab.robot(POST, channels, more=walled(lab)), 1))
    assert found == pytest.approx([2.5, math.inf, math.inf], abs=1e-5)


def test_too_close_and_out_of_range(lab: Lab) -> None:
    near = "  - {name: near, kind: lidar, link: base, rays: 1, min_angle: 0.0, range_min: 3.01}\n"
    far = "  - {name: far, kind: lidar, link: base, rays: 1, min_angle: 0.0, range_max: 2.99}\n"
    just = "  - {name: just, kind: lidar, link: base, rays: 1, min_angle: 0.0, range_min: 2.99, range_max: 3.01}\n"
    state = last(lab.robot(POST, near + far + just, more=walled(lab)), 1)
    found = [value(state, name)[0] for name in ("near", "far", "just")]
    assert found == [-math.inf, math.inf, pytest.approx(3.0, abs=1e-6)]


def test_the_robot_is_transparent_unless_it_is_to_be_seen(lab: Lab) -> None:
    """The sensor sits within the post, the arm stands between it and the wall."""
    ray = "kind: lidar, link: base, rays: 1, min_angle: 0.0"
    channels = f"  - {{name: s, {ray}}}\n  - {{name: sees, {ray}, sees_robot: true}}"
    state = last(lab.robot(POST, channels, more=walled(lab)), 1)
    assert value(state)[0] == pytest.approx(3.0, abs=1e-6)
    assert value(state, "sees")[0] == pytest.approx(0.55, abs=1e-6)


def test_what_stands_between_two_parts_of_the_robot_is_seen(lab: Lab) -> None:
    block = lab.body("block", link("block", 1, shape='<box size="0.1 0.1 0.1"/>'))
    scene = walled(lab, f"{{name: block, file: {block}, fixed: true, position: [0.4, 0, 0]}}")
    channels = "  - {name: s, kind: lidar, link: base, rays: 1, min_angle: 0.0, position: [-1, 0, 0]}"
    assert value(last(lab.robot(POST, channels, more=scene), 1))[0] == pytest.approx(1.35, abs=1e-6)


def test_nothing_behind_the_robot_is_nothing(lab: Lab) -> None:
    channels = "  - {name: s, kind: lidar, link: base, rays: 1, min_angle: 0.0, position: [-1, 0, 0], range_max: 2.0}"
    assert value(last(lab.robot(POST, channels, more=walled(lab)), 1))[0] == math.inf


def test_several_layers_are_points_on_the_wall(lab: Lab) -> None:
    angles = "min_angle: -0.5, max_angle: 0.5, min_elevation: -0.6, max_elevation: 0.6"
    channels = f"  - {{name: s, kind: lidar, link: base, rays: 21, layers: 7, {angles}, position: [0.2, 0.0, 0.0]}}"
    found = value(last(lab.robot(POST, channels, more=walled(lab)), 1))
    assert (found.dtype, found.shape) == (np.float32, (7, 21, 3))
    up, around = np.meshgrid(np.linspace(-0.6, 0.6, 7), np.linspace(-0.5, 0.5, 21), indexing="ij")
    y, z = 2.8 * np.tan(around), 2.8 * np.tan(up) / np.cos(around)
    hit = (np.abs(y) < 2.0) & (np.abs(z) < 1.0)
    assert found[hit] == pytest.approx(np.stack([np.full_like(y, 2.8), y, z], axis=2)[hit], abs=1e-5)
    assert np.isnan(found[~hit]).all()
    assert 0 < hit.sum() < hit.size


def test_a_range_sensor_tells_what_is_nearest_in_its_cone(lab: Lab) -> None:
    ball = lab.body("ball", link("ball", 1, shape='<sphere radius="0.5"/>'))
    scene = walled(lab, f"{{name: ball, file: {ball}, fixed: true, position: [1.9, 0.7, 0]}}")
    channels = "  - {name: thin, kind: range, link: base, position: [0.9, 0, 0]}\n"
    channels += "  - {name: wide, kind: range, link: base, position: [0.9, 0, 0], field_of_view: 1.4, rays: 2000}\n"
    channels += "  - {name: blind, kind: range, link: base, position: [0.9, 0, 0], range_max: 1.0}\n"
    state = last(lab.robot(POST, channels, more=scene), 1)
    assert value(state, "thin") == pytest.approx([2.1], abs=1e-6)
    assert value(state, "wide") == pytest.approx([math.hypot(1.0, 0.7) - 0.5], abs=1e-2)
    assert value(state, "blind") == [math.inf]
    assert value(state, "thin").dtype == np.float32


def test_scans_are_the_same_again_bit_by_bit(lab: Lab) -> None:
    """After both kinds of reset, and in another simulation."""
    ball = lab.body("ball", link("ball", 1, shape='<sphere radius="0.3"/>'))
    scene = walled(lab, f"{{name: ball, file: {ball}, position: [1.5, 0.7, 1.0]}}")
    channels = "  - {name: s, kind: lidar, link: rod, rays: 360}"
    robots = [lab.robot(POST, channels, more=scene) for _ in range(2)]
    first, again, other = (
        [value(state).tobytes() for state in states(robot, 20, 0.1)] for robot in (robots[0], robots[0], robots[1])
    )
    assert first == again == other
    assert len(set(first)) > 10
    robots[0].reset(1, {"strict": True})
    strict = robots[0].reset(1, {"strict": True}).channels["s"].value.tobytes()
    assert strict == first[0]


@pytest.mark.parametrize("strict", [False, True])
def test_after_a_reset_rays_meet_what_stands_there(lab: Lab, strict: bool) -> None:
    """And not what stood there before: an arm at home, and a ball that has rolled away."""
    ball = lab.body("ball", link("ball", 1, shape='<sphere radius="0.3"/>'))
    urdf = link("base", 1) + link("rod", 1, shape='<box size="0.1 0.1 0.1"/>')
    urdf += joint("hinge", "prismatic", "base", "rod", axis="0 1 0")
    ray = "kind: lidar, link: base, sees_robot: true, rays: 1"
    channels = f"  - {{name: s, {ray}, min_angle: 1.5707963267948966}}\n  - {{name: b, {ray}, min_angle: 0.0}}"
    scene = f"scene: [{{name: ball, file: {ball}, position: [2.3, 0, 0]}}]\n"
    robot = lab.robot(urdf, channels, home=4.0, more=scene)
    for _ in range(2):
        state = robot.reset(1, {"strict": strict})
        assert [value(state)[0], value(state, "b")[0]] == pytest.approx([3.95, 2.0], abs=1e-5)
        state = last(robot, 100, command=-10.0)
        assert value(state, "b")[0] == math.inf  # it has fallen
