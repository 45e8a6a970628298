"""Pictures and depths against the pinhole model, for both renderers; pictures change nothing else."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.errors import MissingDependencyError, OptionError
from ros_gym_bridge.sim import renderer
from ros_gym_bridge.sim.sim_robot import SimRobot
from ros_gym_bridge.world_file import world_of
from sensor_tools import PENDULUM, Lab, last, states, value

WIDTH, HEIGHT, FOV = 160, 120, 1.2
FOCAL = WIDTH / 2 / math.tan(FOV / 2)
OPTICAL = "rpy: [-1.5707963267948966, 0, -1.5707963267948966]"  # of a link whose x points ahead
KEYS = f"width: {WIDTH}, height: {HEIGHT}, horizontal_fov: {FOV}, depth: true, {OPTICAL}"
CAMERA = f"  - {{name: s, kind: camera, link: base, position: [0, 0, 1], {KEYS}, far: 8.0}}\n"
DEPTH = "depth/s"
has_egl = not renderer._egl_failure()
RENDERERS = ["tiny", pytest.param("egl", marks=pytest.mark.skipif(not has_egl, reason="no EGL here"))]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    yield lab
    lab.close()


def painted(name: str, size: str, colour: str) -> str:
    """A URDF of a box that is only seen."""
    look = f'<geometry><box size="{size}"/></geometry><material name="m"><color rgba="{colour} 1"/></material>'
    inertia = '<inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/>'
    return f'<link name="{name}"><inertial><mass value="1"/>{inertia}</inertial><visual>{look}</visual></link>'


def scene(lab: Lab, renderer: str) -> str:
    """Before the camera at height 1 a red box, left of the middle and below it, whose face is 2 m away, and a blue wall
    5 m away, below the upper third of the picture."""
    cube = lab.body("cube", painted("cube", "0.2 0.4 0.2", "1 0 0"))
    wall = lab.body("wall", painted("wall", "0.2 40 10", "0 0 1"))
    bodies = f"{{name: cube, file: {cube}, fixed: true, position: [2.1, 0.5, 0.7]}}, "
    bodies += f"{{name: wall, file: {wall}, fixed: true, position: [5.1, 0, -3.5]}}"
    return f"gravity: [0, 0, 0]\nrenderer: {renderer}\nscene: [{bodies}]\n"


def rows_and_columns(mask: Any) -> list[int]:
    rows, columns = np.nonzero(mask)
    return [rows.min(), rows.max(), columns.min(), columns.max()]


def inside(low: float, high: float) -> list[int]:
    """The first and the last pixel whose middle lies between two image coordinates."""
    return [math.ceil(low), math.floor(high)]


@pytest.mark.parametrize("name", RENDERERS)
def test_a_cube_is_where_the_pinhole_model_puts_it(lab: Lab, name: str) -> None:
    state = last(lab.robot(PENDULUM, CAMERA, more=scene(lab, name)), 1)
    picture, depth = value(state), value(state, DEPTH)
    assert (picture.dtype, picture.shape) == (np.uint8, (HEIGHT, WIDTH, 3))
    assert (depth.dtype, depth.shape) == (np.float32, (HEIGHT, WIDTH))
    red = (picture[:, :, 0] > 100) & (picture[:, :, 2] < 60)
    blue = (picture[:, :, 2] > 100) & (picture[:, :, 0] < 60)
    # y to the left of the world is -x of the picture, z up is -y: left edge at y = 0.7, lower edge at z = 0.6
    rows = inside((HEIGHT - 1) / 2 + FOCAL * 0.2 / 2, (HEIGHT - 1) / 2 + FOCAL * 0.4 / 2)
    columns = inside((WIDTH - 1) / 2 - FOCAL * 0.7 / 2, (WIDTH - 1) / 2 - FOCAL * 0.3 / 2)
    front = red & (np.abs(depth - 2.0) < 0.002)  # not its sides, of which the right one can be seen
    assert rows_and_columns(front) == rows + columns
    assert front.sum() == (rows[1] - rows[0] + 1) * (columns[1] - columns[0] + 1)
    tolerance = 1e-4 if name == "tiny" else 2e-3  # OpenGL's depth has 16 bits: z² / near / 65536
    assert depth[front] == pytest.approx(2.0, abs=tolerance)
    assert depth[blue & ~red] == pytest.approx(5.0, abs=6 * tolerance)
    horizon = (HEIGHT - 1) / 2 - FOCAL * 0.5 / 5
    assert np.isposinf(depth[: math.ceil(horizon)]).all()
    assert np.isfinite(depth[math.ceil(horizon) :]).all()


@pytest.mark.parametrize("name", RENDERERS)
def test_depth_ends_at_far(lab: Lab, name: str) -> None:
    state = last(lab.robot(PENDULUM, CAMERA.replace("far: 8.0", "far: 4.0"), more=scene(lab, name)), 1)
    depth = value(state, DEPTH)
    assert (np.isposinf(depth) | (depth < 3.0)).all()
    assert np.isfinite(depth).sum() > 100


@pytest.mark.parametrize("name", RENDERERS)
def test_pictures_are_the_same_again_bit_by_bit(lab: Lab, name: str) -> None:
    """After resets of both kinds, beside other worlds and their pictures, in another thread, and in another process."""
    moving = "  - {name: s, kind: camera, link: rod, depth: true, width: 64, height: 48, position: [0, 0, 1]}\n"
    moving += "  - {name: t/t, kind: camera, link: rod, width: 50, height: 70, rpy: [0, 1.5, 0]}\n"
    path = lab.file(PENDULUM, moving, home=1.0, more=scene(lab, name).replace("gravity: [0, 0, 0]\n", ""))

    def pictures(robot: SimRobot, strict: bool = False) -> list[bytes]:
        robot.reset(1, {"strict": strict})
        return [s.channels[c].value.tobytes() for s in states(robot, 3) for c in ("s", DEPTH, "t/t")]

    robot, other = SimRobot(load_robot(path)), SimRobot(load_robot(path))
    try:
        first = pictures(robot)
        assert len(set(first)) > 6
        assert pictures(robot, strict=True) == first
        assert pictures(other) == first
        assert pictures(robot) == first
        found: list[list[bytes]] = []
        thread = threading.Thread(target=lambda: found.append(pictures(robot)))
        thread.start()
        thread.join()
        assert found == [first]
        other.close()
        assert pictures(robot) == first
    finally:
        robot.close()
        other.close()
    code = "import sys, hashlib; sys.path.insert(0, sys.argv[2]); from sensor_tools import *\n"
    code += "robot = SimRobot(load_robot(sys.argv[1])); robot.reset(1)\n"
    code += "found = [s.channels[c].value.tobytes() for s in states(robot, 3) for c in ('s', 'depth/s', 't/t')]\n"
    code += "print(hashlib.sha256(b''.join(found)).hexdigest()); robot.close()"
    command = [sys.executable, "-c", code, str(path), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == (hashlib.sha256(b"".join(first)).hexdigest(), "")


@pytest.mark.parametrize("name", RENDERERS)
def test_looking_changes_nothing(lab: Lab, name: str) -> None:
    """The same path, to the last bit, with and without sensors of every kind."""
    channels = CAMERA.replace("link: base", "link: rod")
    channels += "  - {name: a, kind: lidar, link: rod}\n  - {name: b, kind: force_torque, joint: hinge}\n"
    channels += "  - {name: c, kind: contact, link: rod}\n  - {name: d, kind: imu, link: rod}\n"
    plain = "  - {name: s, kind: link_pose, link: rod, rate_hz: 1}"
    ball = lab.body(
        "ball",
        '<link name="ball"><inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" '
        'iyz="0"/></inertial><collision><geometry><sphere radius="0.3"/></geometry></collision></link>',
    )
    more = f"gravity: [0, 0, 0]\nrenderer: {name}\nscene: [{{name: ball, file: {ball}, position: [-0.5, 0, -0.9]}}]\n"
    rod = '<collision><origin xyz="0 0 -0.5"/><geometry><box size="0.1 0.1 1"/></geometry></collision></link>'
    base, rest = PENDULUM.split("</link>", 1)
    urdf = f"{base}</link>{rest.replace('</link>', rod)}"
    seeing, blind = (lab.robot(urdf, each, home=1.0, more=more) for each in (channels, plain))
    for a, b in zip(states(seeing, 60, -5.0), states(blind, 60, -5.0), strict=True):
        assert (a.position.tobytes(), a.velocity.tobytes()) == (b.position.tobytes(), b.velocity.tobytes())
        assert seeing.body_poses() == blind.body_poses()
    assert seeing.body_poses()["ball"][0][0] > -0.49, "they have met"


def test_noisy_pictures(lab: Lab) -> None:
    keys = "noise: {colour: 10.0, depth: 0.05}"
    camera = CAMERA.replace("far: 8.0", f"far: 8.0, {keys}")
    noisy, plain = (last(lab.robot(PENDULUM, each, more=scene(lab, "tiny")), 1) for each in (camera, CAMERA))
    middle = (value(plain) > 60) & (value(plain) < 200)
    difference = value(noisy)[middle].astype(float) - value(plain)[middle]
    assert difference.size > 1000
    assert difference.std() == pytest.approx(10.0, rel=0.05)
    there = np.isfinite(value(plain, DEPTH))
    assert (np.isfinite(value(noisy, DEPTH)) == there).all()
    assert (value(noisy, DEPTH)[there] - value(plain, DEPTH)[there]).std() == pytest.approx(0.05, rel=0.05)


def test_the_window_of_a_task_keeps_its_own_renderer(lab: Lab) -> None:
    """Pictures of the environment do not depend on the cameras of its robot."""
    from ros_gym_bridge.sim.mirror import Mirror

    robot = load_robot(lab.file(PENDULUM, CAMERA))
    mirror = Mirror(robot)
    assert mirror._world.renderer == ""
    mirror.close()


def test_choice_of_the_renderer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def world(name: str, channels: str = CAMERA) -> Any:
        return world_of(load_robot(lab.file(PENDULUM, channels, more=f"renderer: {name}\n")))

    assert renderer.choose_renderer(world("egl", "  - {name: s, kind: imu, link: rod}"), False) == ""
    assert renderer.choose_renderer(world("tiny"), False) == "tiny"
    assert renderer.choose_renderer(world("auto"), True) == "tiny"
    with pytest.raises(OptionError, match="renderer: egl beside PyBullet's window; Leave the window off"):
        renderer.choose_renderer(world("egl"), True)
    monkeypatch.setattr(renderer, "_egl_failure", lambda: "")
    assert renderer.choose_renderer(world("auto"), False) == "egl"
    monkeypatch.setattr(renderer, "_egl_failure", lambda: "no driver")
    assert renderer.choose_renderer(world("auto"), False) == "tiny"
    with pytest.raises(MissingDependencyError) as caught:
        renderer.choose_renderer(world("egl"), False)
    assert str(caught.value) == (
        "renderer: egl does not work here; got no driver; expected EGL and an OpenGL driver, on Debian and Ubuntu "
        "libegl1 and libgl1-mesa-dri; Install them, or use renderer: auto or tiny."
    )


def test_without_a_driver_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mesa is told to use a driver that is not there: PyBullet ends the process, but not this one."""
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nowhere.json")
    assert renderer._egl_failure.__wrapped__() != ""
