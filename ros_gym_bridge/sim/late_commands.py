"""Commands that take time to reach the motors, counted in physics steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.groups import ActuatorGroup, DiffDrive
from ros_gym_bridge.robot import FloatArray


class LateCommands:
    """What is on its way to the motors of one robot, in order: a command never overtakes the one before it.

    Attributes:
        random: whether the latency of any group is drawn for each command.

    Args:
        robot: its file; each actuator group has a latency.
    """

    def __init__(self, robot: RobotFile) -> None:
        hz = robot.spec.physics_hz
        self._groups = [
            _Group(part, group.command_latency_s * hz, group.command_jitter_s * hz)
            for part, group in _parts(robot.config.actuators)
        ]
        self.random = any(group.jitter for group in self._groups)
        self._rng = np.random.default_rng()
        self.begin(robot.spec.command_home, None)

    @property
    def punctual(self) -> bool:
        """Whether every command is there at once."""
        return not any(group.latency or group.jitter for group in self._groups)

    def begin(self, applied: FloatArray, rng: np.random.Generator | None) -> None:
        """Nothing is on its way: `applied` `(n_command,)` has arrived. The generator draws latencies from now on; None
        goes on with the present one."""
        self._rng = rng or self._rng
        self._steps = 0
        self._arrived = np.array(applied)
        for group in self._groups:
            group.waiting.clear()

    def put(self, applied: FloatArray) -> None:
        """A command `(n_command,)` sets out."""
        for group in self._groups:
            jitter = group.jitter * self._rng.standard_normal() if group.jitter else 0.0
            due = self._steps + max(0, round(group.latency + jitter))
            group.waiting.append((due, applied[group.part]))

    def step(self) -> FloatArray | None:
        """A physics step is about to be made: what the motors should follow from now on, `(n_command,)`; None: as
        before."""
        news = False
        for group in self._groups:
            while group.waiting and group.waiting[0][0] <= self._steps:
                self._arrived[group.part] = group.waiting.popleft()[1]
                news = True
        self._steps += 1
        return self._arrived if news else None


class _Group:
    """One actuator group: its part of the command, and how late that is, in physics steps."""

    def __init__(self, part: slice, latency: float, jitter: float) -> None:
        self.part, self.latency, self.jitter = part, latency, jitter
        self.waiting: deque[tuple[int, FloatArray]] = deque()


def _parts(groups: Sequence[ActuatorGroup]) -> list[tuple[slice, ActuatorGroup]]:
    parts, first = [], 0
    for group in groups:
        count = 2 if isinstance(group, DiffDrive) else len(group.joints)
        parts.append((slice(first, first + count), group))
        first += count
    return parts
