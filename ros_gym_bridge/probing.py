"""Whether PyBullet takes a robot file, asked in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ros_gym_bridge import errors
from ros_gym_bridge.errors import BridgeError, ModelError

_WAITING_S = 120


class Probe(NamedTuple):
    """A robot at home: the corners of the box around it, m, and its distance from the nearest other body, if any."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    away: float | None


def probe(path: Path, where: str) -> Probe:
    """Load a robot file, and step it once.

    Args:
        path: the file.
        where: the model, for messages.

    Raises:
        BridgeError: as `SimRobot`, when it refuses the file or cannot simulate it.
        ModelError: PyBullet has ended the process, or takes longer than two minutes.
    """
    command = [sys.executable, "-m", "ros_gym_bridge.sim.probe", str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_WAITING_S, check=False)
    except subprocess.TimeoutExpired as error:
        remedy = "Simplify its meshes"
        raise ModelError(f"{where}: PyBullet takes more than {_WAITING_S} s to load it", remedy=remedy) from error
    if done.returncode != 0:
        code = done.returncode
        got = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        remedy = "Look for broken mesh files: remove meshes until it loads"
        raise ModelError(f"{where}: PyBullet crashes on it", got=got, remedy=remedy)
    answer = json.loads(done.stdout)
    if "refused" in answer:
        kind, what, got, expected, remedy = answer["refused"]
        refused: BridgeError = getattr(errors, kind)(what, got=got, expected=expected, remedy=remedy)
        raise refused
    found = answer["found"]
    return Probe(tuple(found["low"]), tuple(found["high"]), found["away"])
