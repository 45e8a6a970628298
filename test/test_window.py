"""PyBullet's own window, on a screen that is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from conftest import NodeProcess, wait_for

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


def test_the_node_s_window_shows_the_robot(screen: Screen, sim_process: Callable[..., NodeProcess]) -> None:
    """The arm's orange parts, within the middle of the window."""
    node = sim_process(robot="arm", gui=True, ready=False, environment={"DISPLAY": screen.display})
    node.says("Simulating 'arm'", 120.0)

    def orange() -> npt.NDArray[np.bool_]:
        blue, green, red = screen.pixels().astype(int).transpose(2, 0, 1)
        return np.asarray((red > 120) & (red - blue > 80) & (red - green > 40))

    wait_for(lambda: orange().sum() > 200, 30.0, "the arm in the window")
    rows, columns = np.nonzero(orange())
    assert 100 < columns.min() < columns.max() < 924
    assert 100 < rows.min() < rows.max() < 668
