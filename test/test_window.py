"""PyBullet's own window, on a screen that is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from conftest import NodeProcess, wait_for
from standard_calls import load, unload

XVFB = shutil.which("Xvfb")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(XVFB is None, reason="no Xvfb here: apt install xvfb")]


class Screen:
    """A screen in memory. Attributes: `display`, as DISPLAY wants it."""

    def __init__(self, folder: Path) -> None:
        read, write = os.pipe()
        options = ["-screen", "0", "1024x768x24", "-fbdir", str(folder), "-nolisten", "tcp"]
        command = [str(XVFB), "-displayfd", str(write), *options]
        self.process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as told:
            self.display = f":{told.readline().strip()}"
        self._file = folder / "Xvfb_screen0"

    def pixels(self) -> npt.NDArray[np.uint8]:
        """What is on it, blue, green and red: `(768, 1024, 3)`. The file is an X window dump."""
        data = self._file.read_bytes()
        header = np.frombuffer(data, dtype=">u4", count=25)
        start, width, height, line, colours = (int(header[i]) for i in (0, 4, 5, 12, 19))
        rows = np.frombuffer(data, dtype=np.uint8, count=line * height, offset=start + 12 * colours)
        return rows.reshape(height, line)[:, : 4 * width].reshape(height, width, 4)[..., :3]


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    made = Screen(tmp_path)
    yield made
    made.process.terminate()
    made.process.wait(10.0)


def orange(screen: Screen) -> npt.NDArray[np.bool_]:
    """The arm's upper parts."""
    blue, green, red = screen.pixels().astype(int).transpose(2, 0, 1)
    return np.asarray((red > 120) & (red - blue > 80) & (red - green > 40))


def green(screen: Screen) -> npt.NDArray[np.bool_]:
    """The block of the test."""
    blue, green, red = screen.pixels().astype(int).transpose(2, 0, 1)
    return np.asarray((green > 100) & (green - red > 80) & (green - blue > 80))


def test_the_node_s_window_shows_the_robot(screen: Screen, sim_process: Callable[..., NodeProcess]) -> None:
    """The arm's orange parts, within the middle of the window."""
    node = sim_process(robot="arm", gui=True, ready=False, environment={"DISPLAY": screen.display})
    node.says("Simulating 'arm'", 120.0)
    wait_for(lambda: orange(screen).sum() > 200, 30.0, "the arm in the window")
    rows, columns = np.nonzero(orange(screen))
    assert 100 < columns.min() < columns.max() < 924
    assert 100 < rows.min() < rows.max() < 668


BLOCK = """<robot name="block"><link name="block"><inertial><mass value="1"/>
<inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/></inertial>
<visual><geometry><box size="0.4 0.4 0.4"/></geometry><material name="g"><color rgba="0 1 0 1"/></material></visual>
</link></robot>"""
WORLD = "name: green\nrobots: [{robot: cartpole}]\nbodies: [{name: block, file: FOLDER/block.urdf, fixed: true}]"


def test_the_window_shows_the_world_that_is_loaded(
    screen: Screen, tmp_path: Path, sim_process: Callable[..., NodeProcess], client: Callable[..., Any]
) -> None:
    """A process can have one window: it is made anew for each world, goes with it, and outlives what is refused."""
    (tmp_path / "block.urdf").write_text(BLOCK)
    node = sim_process(robot="arm", gui=True, ready=False, environment={"DISPLAY": screen.display})
    node.says("Simulating 'arm'", 120.0)
    stranger = client(commands=())
    stranger.set_state(2)
    wait_for(lambda: orange(screen).sum() > 200, 30.0, "the arm in the window")
    assert load(stranger, text="name: 7").result.result > 100
    assert orange(screen).sum() > 200, "the old world is still there"
    for _ in range(2):
        assert load(stranger, text=WORLD.replace("FOLDER", str(tmp_path))).result.result == 1
        wait_for(lambda: green(screen).sum() > 200, 30.0, "the block")
        assert load(stranger, "empty").result.result == 1
        wait_for(lambda: orange(screen).sum() > 200 and not green(screen).sum(), 30.0, "the arm without the block")
    assert unload(stranger).result.result == 1
    wait_for(lambda: not screen.pixels().any(), 30.0, "the end of the window, and none behind it")
    assert load(stranger, text="name: 7").result.result > 100
    assert load(stranger, "empty").result.result == 1
    wait_for(lambda: orange(screen).sum() > 200, 30.0, "the arm again")
    stranger.set_state(2)
    assert stranger.step_simulation(10).result == 1
