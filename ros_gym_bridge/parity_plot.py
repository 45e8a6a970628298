"""Two episodes with the same actions, drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ros_gym_bridge.errors import BridgeError, MissingDependencyError
from ros_gym_bridge.parity import QUANTITIES, Pair


def plot(two: Pair, path: Path) -> None:
    """Draw both, and their difference, a row for each joint; the suffix of the path chooses the format.

    Raises:
        MissingDependencyError: no matplotlib.
        BridgeError: the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            "plots need matplotlib", got=str(error), remedy="Install it: pip install matplotlib, or leave out --plot"
        ) from error
    joints = two.first.joints
    figure = Figure(figsize=(12.0, 1.0 + 1.8 * len(joints)), layout="constrained")
    axes = figure.subplots(len(joints), 2, squeeze=False, sharex=True)
    for row, joint in enumerate(joints):
        for column, (quantity, name) in enumerate(QUANTITIES):
            axis = axes[row][column]
            axis.set_title(f"{quantity} of {joint}", fontsize="small", loc="left")
            _draw(axis, two, row, quantity, name)
    for axis in axes[-1]:
        axis.set_xlabel("seconds since the reset")
    axes[0][0].legend(fontsize="small")
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        remedy = "Choose another place or suffix"
        raise BridgeError(f"{path}: cannot be written", got=str(error), remedy=remedy) from error


def _draw(axis: Any, two: Pair, joint: int, quantity: str, name: str) -> None:
    """Both curves, and behind them how far they are apart, on an axis of its own to the right."""
    axis.plot(two.seconds, getattr(two.first, name)[:, joint], label=two.names[0])
    axis.plot(two.seconds, getattr(two, quantity)[:, joint], "--", label=two.names[1])
    beside = axis.twinx()
    beside.fill_between(two.seconds, np.abs(two.difference(quantity)[:, joint]), color="0.8")
    beside.set_ylim(bottom=0.0)
    beside.set_ylabel("apart", color="0.5")
    beside.set_zorder(-1)
    axis.patch.set_visible(False)
