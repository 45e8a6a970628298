"""Positions over time: points, and the polynomials between them. Pure functions of numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ros_gym_bridge.robot import NANOSECONDS, FloatArray

_Pair = tuple[FloatArray, FloatArray]


class Knot(NamedTuple):
    """Where joints are at one instant, and how they move there as far as that is said.

    Attributes:
        time_ns: the instant.
        position: `(n,)`, rad or m.
        velocity: `(n,)`, rad/s or m/s, or None.
        acceleration: `(n,)`, rad/s² or m/s², or None; with a velocity only.
    """

    time_ns: int
    position: FloatArray
    velocity: FloatArray | None = None
    acceleration: FloatArray | None = None


class Trajectory:
    """Goes from knot to knot, stands at the first one before it and at the last one from it on.

    Between two knots that both have an acceleration it is a polynomial of the fifth order that meets positions,
    velocities and accelerations; where both have a velocity, one of the third that meets positions and velocities;
    otherwise a straight line.

    Args:
        knots: at least one, in the order of time, no two at the same.
    """

    def __init__(self, knots: Sequence[Knot]) -> None:
        self._knots = list(knots)
        self._times = [knot.time_ns for knot in knots]

    @property
    def begin_ns(self) -> int:
        """When it begins."""
        return self._times[0]

    def at(self, time_ns: int) -> Knot:
        """Position, velocity and acceleration at an instant; at a knot its position to the last bit."""
        place = bisect_right(self._times, time_ns)
        if 0 < place < len(self._knots):
            return between(self._knots[place - 1], self._knots[place], time_ns)
        still = self._knots[max(place - 1, 0)].position
        zero = np.zeros_like(still)
        return Knot(time_ns, still, zero, zero)


def between(start: Knot, end: Knot, time_ns: int) -> Knot:
    """The state at an instant between two knots, by the polynomial of the order that both carry. Where numbers are so
    large that it is no number, by a straight line.

    Args:
        start, end: the knots, finite; `start` is earlier.
        time_ns: from `start.time_ns` on, before `end.time_ns`.
    """
    with np.errstate(all="ignore"):
        state = _polynomial(start, end, time_ns)
    if np.isfinite(state).all():
        return Knot(time_ns, *state)
    share = (time_ns - start.time_ns) / (end.time_ns - start.time_ns)
    zero = np.zeros_like(start.position)
    return Knot(time_ns, (1.0 - share) * start.position + share * end.position, zero, zero)


def _polynomial(start: Knot, end: Knot, time_ns: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    length_s = (end.time_ns - start.time_ns) / NANOSECONDS
    elapsed_s = (time_ns - start.time_ns) / NANOSECONDS
    if start.velocity is None or end.velocity is None:
        coefficients = [start.position, (end.position - start.position) / length_s]
    elif start.acceleration is None or end.acceleration is None:
        coefficients = _cubic(start.position, end.position, start.velocity, end.velocity, length_s)
    else:
        velocities, accelerations = (start.velocity, end.velocity), (start.acceleration, end.acceleration)
        coefficients = _quintic(start.position, end.position, velocities, accelerations, length_s)
    return _evaluate(coefficients, elapsed_s)


def _cubic(p0: FloatArray, p1: FloatArray, v0: FloatArray, v1: FloatArray, t: float) -> list[FloatArray]:
    """Coefficients of the cubic Hermite polynomial over `t` seconds, the constant first."""
    way = p1 - p0
    return [p0, v0, (3.0 * way / t - 2.0 * v0 - v1) / t, (-2.0 * way / t + v0 + v1) / t**2]


def _quintic(p0: FloatArray, p1: FloatArray, v: _Pair, a: _Pair, t: float) -> list[FloatArray]:
    """Coefficients of the quintic Hermite polynomial over `t` seconds, the constant first."""
    way, (v0, v1), (a0, a1) = p1 - p0, v, a
    return [
        p0,
        v0,
        0.5 * a0,
        (20.0 * way - (8.0 * v1 + 12.0 * v0) * t - (3.0 * a0 - a1) * t**2) / (2.0 * t**3),
        (-30.0 * way + (14.0 * v1 + 16.0 * v0) * t + (3.0 * a0 - 2.0 * a1) * t**2) / (2.0 * t**4),
        (12.0 * way - 6.0 * (v1 + v0) * t + (a1 - a0) * t**2) / (2.0 * t**5),
    ]


def _evaluate(coefficients: Sequence[FloatArray], t: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The polynomial and its first two derivatives at `t`, by Horner's rule."""
    value = first = second = np.zeros_like(coefficients[0])
    for coefficient in reversed(coefficients):
        second = second * t + 2.0 * first
        first = first * t + value
        value = value * t + coefficient
    return value, first, second
