"""What may reach the motors: a pure function of the command, what was applied before, and the robot's limits."""

from __future__ import annotations

import numpy as np

from ros_gym_bridge.robot import FloatArray, RobotSpec, read_only


class CommandLimiter:
    """Keeps commands within the bounds of the robot file and, for positions, within the joints' velocity limits.

    Limiting twice gives the same as limiting once, so a client can say what a simulator will apply.
    """

    def __init__(self, spec: RobotSpec) -> None:
        self._low, self._high = spec.command_low, spec.command_high
        self._change = spec.max_change
        self._home = spec.command_home
        self._previous = self._home

    @property
    def applied(self) -> FloatArray:
        """`(n_command,)` what was applied last; the home command after `reset`."""
        return self._previous

    def reset(self, applied: FloatArray | None = None) -> None:
        """Start an episode: `applied` (default: the home command) counts as the last command."""
        self._previous = self._home if applied is None else read_only(applied)

    def __call__(self, vector: FloatArray) -> FloatArray:
        """The nearest command that may be applied, `(n_command,)`, read-only, in the units of `vector`."""
        low = np.maximum(self._low, self._previous - self._change)
        high = np.minimum(self._high, self._previous + self._change)
        applied: FloatArray = np.minimum(np.maximum(vector, low), high)
        applied.setflags(write=False)
        self._previous = applied
        return applied
