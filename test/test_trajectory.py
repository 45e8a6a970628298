"""Splines against closed forms, and that they are continuous and finite whatever the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.sim.trajectory import Knot, Trajectory, between

SECOND = 10**9


def knot(seconds: float, *rows: Sequence[float]) -> Knot:
    """A knot of positions, then velocities, then accelerations, as far as they are given."""
    parts: list[FloatArray | None] = [np.array(row, dtype=np.float64) for row in rows]
    first, velocity, acceleration = [*parts, None, None][:3]
    assert first is not None
    return Knot(round(seconds * SECOND), first, velocity, acceleration)


def test_a_straight_line() -> None:
    start, end = knot(1.0, [0.0, 2.0]), knot(3.0, [1.0, -2.0])
    middle = between(start, end, round(1.5 * SECOND))
    assert middle.position.tolist() == [0.25, 1.0]
    assert middle.velocity is not None
    assert middle.velocity.tolist() == [0.5, -2.0]


def test_a_cubic_is_the_one_that_it_was_sampled_from() -> None:
    def p(t: float) -> float:
        return 0.3 - 0.7 * t + 1.1 * t**2 - 0.4 * t**3

    def v(t: float) -> float:
        return -0.7 + 2.2 * t - 1.2 * t**2

    start, end = (knot(t, [p(t)], [v(t)]) for t in (0.5, 2.5))
    for t in np.linspace(0.5, 2.4999, 17):
        at = between(start, end, round(t * SECOND))
        assert at.position == pytest.approx(p(t), abs=1e-8)
        assert at.velocity == pytest.approx(v(t), abs=1e-8)
        assert at.acceleration == pytest.approx(2.2 - 2.4 * t, abs=1e-8)


def test_a_quintic_is_the_one_that_it_was_sampled_from() -> None:
    factors = [0.3, -0.7, 1.1, -0.4, 0.25, -0.06]

    def derivative(t: float, order: int) -> float:
        return sum(f * math.perm(n, order) * t ** (n - order) for n, f in enumerate(factors) if n >= order)

    start, end = (knot(t, *([derivative(t, order)] for order in range(3))) for t in (0.5, 2.5))
    for t in np.linspace(0.5, 2.4999, 17):
        at = between(start, end, round(t * SECOND))
        for order, part in enumerate((at.position, at.velocity, at.acceleration)):
            assert part == pytest.approx(derivative(t, order), abs=1e-7), (t, order)


def test_a_minimum_jerk_motion() -> None:
    """From rest to rest with no acceleration at the ends: 10 s^3 - 15 s^4 + 6 s^5."""
    start, end = knot(0.0, [1.0], [0.0], [0.0]), knot(2.0, [3.0], [0.0], [0.0])
    for s in (0.1, 0.5, 0.8):
        expected = 1.0 + 2.0 * (10 * s**3 - 15 * s**4 + 6 * s**5)
        assert between(start, end, round(2.0 * s * SECOND)).position == pytest.approx(expected)


@pytest.mark.parametrize(("start", "end"), [(3, 2), (2, 3), (2, 1), (1, 2), (1, 3), (3, 1)])
def test_the_order_is_what_both_ends_carry(start: int, end: int) -> None:
    full = knot(0.0, [0.0], [1.0], [2.0]), knot(1.0, [1.0], [-1.0], [0.5])
    cut = [Knot(k.time_ns, *k[1 : 1 + rows]) for k, rows in zip(full, (start, end), strict=True)]
    same = [Knot(k.time_ns, *k[1 : 1 + min(start, end)]) for k in full]
    assert between(*cut, SECOND // 3).position == between(*same, SECOND // 3).position


def test_before_the_first_and_after_the_last_knot_it_stands() -> None:
    path = Trajectory([knot(1.0, [0.1], [5.0]), knot(2.0, [0.2], [0.0])])
    for time_ns, position in ((0, 0.1), (SECOND - 1, 0.1), (2 * SECOND, 0.2), (9 * SECOND, 0.2)):
        at = path.at(time_ns)
        assert at.position.tolist() == [position]
        assert at.velocity is not None
        assert at.velocity.tolist() == [0.0]


def test_at_a_knot_it_is_the_knot_to_the_last_bit() -> None:
    rng = np.random.default_rng(1)
    knots = [knot(0.1 * i, *rng.uniform(-3.0, 3.0, (3, 4))) for i in range(8)]
    path = Trajectory(knots)
    for each in knots:
        assert path.at(each.time_ns).position.tobytes() == each.position.tobytes()


finite = st.floats(allow_nan=False, allow_infinity=False)
modest = st.floats(-10.0, 10.0)


@st.composite
def paths(draw: st.DrawFn, numbers: st.SearchStrategy[float], least_ns: int) -> list[Knot]:
    """Knots of one joint in the order of time, each with as many rows as it likes."""
    gaps = draw(st.lists(st.integers(least_ns, 5 * SECOND), min_size=2, max_size=6))
    knots, time_ns = [], 0
    for gap in gaps:
        time_ns += gap
        rows = draw(st.integers(1, 3))
        values = [np.array([draw(numbers)]) for _ in range(rows)]
        knots.append(Knot(time_ns, *values))
    return knots


@settings(max_examples=200, deadline=None)
@given(knots=paths(modest, SECOND // 20))
def test_positions_are_continuous_and_velocities_where_they_are_given(knots: list[Knot]) -> None:
    path = Trajectory(knots)
    for i, each in enumerate(knots[1:-1], 1):
        before, after = path.at(each.time_ns - 10), path.at(each.time_ns + 10)
        assert before.position == pytest.approx(each.position, abs=1e-4)
        assert after.position == pytest.approx(each.position, abs=1e-4)
        if all(k.velocity is not None for k in knots[i - 1 : i + 2]):
            assert before.velocity == pytest.approx(each.velocity, abs=1e-2)
            assert after.velocity == pytest.approx(each.velocity, abs=1e-2)
        if all(k.acceleration is not None for k in knots[i - 1 : i + 2]):
            assert before.acceleration == pytest.approx(each.acceleration, abs=1.0)


@settings(max_examples=200, deadline=None)
@given(knots=paths(finite, 1), share=st.floats(0.0, 1.0))
def test_it_is_finite_whatever_the_numbers(knots: list[Knot], share: float) -> None:
    path = Trajectory(knots)
    at = path.at(round(share * knots[-1].time_ns))
    for part in at[1:]:
        assert np.isfinite(part).all()


@settings(max_examples=100, deadline=None)
@given(knots=paths(modest, SECOND // 20), share=st.floats(0.0, 1.0))
def test_velocity_is_the_slope_of_the_position(knots: list[Knot], share: float) -> None:
    path = Trajectory(knots)
    time_ns = round(share * knots[-1].time_ns)
    step = 1000
    if any(abs(time_ns - each.time_ns) <= step for each in knots):
        return
    slope = (path.at(time_ns + step).position - path.at(time_ns - step).position) / (2 * step / SECOND)
    assert slope == pytest.approx(path.at(time_ns).velocity, abs=1e-3)
