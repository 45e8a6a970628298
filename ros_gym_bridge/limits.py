"""What a limiter is, the plain one, and the arithmetic of limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ros_gym_bridge.robot import FloatArray, RobotSpec, read_only

Span = tuple[FloatArray, FloatArray]


class Moving(Protocol):
    """What a limiter looks at of a state: `(n_joints,)` each, in the robot file's order; NaN where not known."""

    @property
    def position(self) -> FloatArray:
        """Rad or m."""

    @property
    def velocity(self) -> FloatArray:
        """Rad/s or m/s."""

    @property
    def effort(self) -> FloatArray:
        """N m or N."""


class Limiter(Protocol):
    """Says what of a command is applied for the next control period.

    Limiting twice gives the same as limiting once, so a client that knows the state can say what the other side will
    apply.
    """

    @property
    def applied(self) -> FloatArray:
        """`(n_command,)` what was applied last; the home command after `reset`."""

    def reset(self, applied: FloatArray | None = None) -> None:
        """Start an episode: `applied` (default: the home command) counts as the last command, at rest."""

    def __call__(self, vector: FloatArray, state: Moving) -> FloatArray:
        """What may be applied, `(n_command,)`, read-only.

        Args:
            vector: what is asked, finite, in the units of a command.
            state: the robot's, at the beginning of the period.
        """


class CommandLimiter:
    """Keeps commands within their bounds, and their changes within what a control period allows; see `Limiter`."""

    def __init__(self, spec: RobotSpec) -> None:
        self._low, self._high = spec.command_low, spec.command_high
        self._change = spec.max_change
        self._home = spec.command_home
        self._previous = self._home

    @property
    def applied(self) -> FloatArray:
        """See `Limiter`."""
        return self._previous

    def reset(self, applied: FloatArray | None = None) -> None:
        """See `Limiter`."""
        self._previous = self._home if applied is None else read_only(applied)

    def __call__(self, vector: FloatArray, state: Moving | None = None) -> FloatArray:
        """See `Limiter`; the state makes no difference. What is out of bounds moves back in at the limited rate."""
        target = np.minimum(np.maximum(vector, self._low), self._high)
        previous, change = self._previous, self._change
        applied: FloatArray = np.minimum(np.maximum(target, previous - change), previous + change)
        applied.setflags(write=False)
        self._previous = applied
        return applied


def through(spans: Sequence[Span], command: FloatArray) -> FloatArray:
    """The nearest command within each of some spans, one after the other."""
    for low, high in spans:
        command = np.minimum(np.maximum(command, low), high)
    return command


def times(rate: FloatArray, seconds: FloatArray) -> FloatArray:
    """The most that something may change at a limited rate; what is not limited may, in no time too."""
    most = np.full(len(rate), math.inf)
    limited = np.isfinite(rate)
    most[limited] = rate[limited] * seconds[limited]
    return most


def shrunk(values: FloatArray, by: FloatArray) -> FloatArray:
    """Nearer to 0 by so much, as far as 0."""
    return np.asarray(np.sign(values) * np.maximum(np.abs(values) - by, 0.0))


def fastest(way: FloatArray, acceleration: FloatArray, elapsed: FloatArray) -> FloatArray:
    """The speed v with which so much of a way is gone in some time that one can still stop at its end:
    v t + v² / 2a = way."""
    gained = times(acceleration, elapsed)
    room = np.maximum(way, 0.0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.maximum(np.sqrt(gained * gained + 2.0 * acceleration * room) - gained, 0.0))


def reach(way: float, acceleration: float, elapsed: float) -> float:
    """The same of one number; 0 where the way is not known."""
    room = way if way > 0.0 else 0.0
    if math.isinf(acceleration):
        return room / elapsed
    gained = acceleration * elapsed
    return math.sqrt(gained * gained + 2.0 * acceleration * room) - gained
