"""The walls of a robot's workspace: how much of a command may be obeyed so that a link stays within its box."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.schema_safety import of_joint
from ros_gym_bridge.workspace import make_excess, movers

_HALVINGS = 20


class Wall:
    """Shortens commands that would lead out of the box.

    What counts is where the joints go: a commanded position, or where a commanded velocity leads within a control
    period; and, where the acceleration is limited, also where they can come to rest from there.

    Args:
        robot: of a file with a workspace.
    """

    def __init__(self, robot: RobotFile) -> None:
        spec, safety = robot.spec, robot.config.safety
        self._excess = make_excess(robot.config, robot.model, robot.followers)
        self._period = 1.0 / spec.control_hz
        moving = movers(robot.config, robot.model, robot.followers)
        self._moving = [
            (column, spec.joints.index(entry.joint), entry.interface == "position", acceleration)
            for column, entry in enumerate(spec.commands)
            if entry.joint in moving
            for acceleration in [of_joint(safety.max_acceleration, entry.joint)]
        ]
        self._columns = [column for column, *_ in self._moving]
        self._held = [column for column, _, held, _ in self._moving if held]
        self._looks_ahead = any(math.isfinite(acceleration) for *_, acceleration in self._moving)

    def __call__(
        self,
        asked: FloatArray,
        brake: FloatArray,
        previous: FloatArray,
        moves: Callable[[FloatArray], FloatArray],
        position: FloatArray,
    ) -> FloatArray:
        """As much of a command as may be obeyed, `(n_command,)`.

        Args:
            asked: the command, within all other limits.
            brake: the command that comes to rest as quickly as these allow.
            previous: what was applied last.
            moves: the speed at which positions would move, from a command.
            position: `(n_joints,)`, measured.
        """
        places = np.where(np.isfinite(position), position, math.nan).tolist()

        def within(command: FloatArray, most: float) -> bool:
            speed = moves(command)
            there = self._out(command, speed, places, False) <= most
            return there and (not self._looks_ahead or self._out(command, speed, places, True) <= most)

        if within(asked, 0.0):
            return asked
        stay = np.array(asked)
        stay[self._columns] = 0.0
        stay[self._held] = previous[self._held]
        most = max(0.0, self._out(stay, moves(stay), places, False))
        if within(asked, most):
            return asked
        slow = np.array(asked)
        slow[self._columns] = brake[self._columns]
        if not within(slow, most):
            return slow if self._out(slow, moves(slow), places, False) <= most else stay
        return _longest(slow, asked, lambda command: within(command, most))

    def _out(self, command: FloatArray, speed: FloatArray, places: Sequence[float], stopping: bool) -> float:
        """How far the link will be outside, m; `stopping`: where it can come to rest."""
        there = list(places)
        for column, joint, held, acceleration in self._moving:
            moves = float(speed[column] if held else command[column])
            there[joint] = float(command[column]) if held else places[joint] + moves * self._period
            if stopping:
                there[joint] += moves * abs(moves) / (2.0 * acceleration)
        return self._excess(there)


def _longest(near: FloatArray, far: FloatArray, good: Callable[[FloatArray], bool]) -> FloatArray:
    """How far one may go on the way from a good command to one that is not."""
    best, low, high = near, 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        command = near + middle * (far - near)
        low, high, best = (middle, high, command) if good(command) else (low, middle, best)
    return best
