"""Deadlines on a steady clock: no drift, no burst after a stall."""

from __future__ import annotations

import time

import pytest

from ros_gym_bridge.ros.pacing import Pacer, SpareCore, sleep_until

PERIOD_S = 0.04
PERIOD_NS = 40_000_000


class Clock:
    """Nanoseconds that move when told."""

    def __init__(self) -> None:
        self.now = 5_000_000_007

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_first_period_ends_one_period_after_the_start(clock: Clock) -> None:
    assert Pacer(PERIOD_S, clock).due_ns() == clock.now + PERIOD_NS


def test_deadlines_do_not_drift_with_late_wake_ups(clock: Clock) -> None:
    pacer, start = Pacer(1.0 / 300.0, clock), clock.now
    for period in range(1, 3001):
        assert pacer.due_ns() == start + round(period * 1e9 / 300.0)
        clock.now = pacer.due_ns() + 1_500_000
        assert pacer.done() == 0
    assert pacer.due_ns() - start == round(3001 * 1e9 / 300.0)


@pytest.mark.parametrize(("factor", "period_ns"), [(0.5, 80_000_000), (2.0, 20_000_000), (1000.0, 40_000)])
def test_the_factor_scales_the_period(clock: Clock, factor: float, period_ns: int) -> None:
    pacer = Pacer(PERIOD_S, clock)
    pacer.restart(factor)
    assert pacer.factor == factor
    assert pacer.due_ns() == clock.now + period_ns


def test_factor_zero_is_always_due_and_never_stalls(clock: Clock) -> None:
    pacer = Pacer(PERIOD_S, clock)
    pacer.restart(0.0)
    start = clock.now
    for _ in range(3):
        assert pacer.due_ns() == start
        clock.now += 10**12
        assert pacer.done() == 0


def test_a_short_delay_is_made_up_for(clock: Clock) -> None:
    pacer, start = Pacer(PERIOD_S, clock), clock.now
    clock.now = start + PERIOD_NS + 39_000_000
    assert pacer.done() == 0
    assert pacer.due_ns() == start + 2 * PERIOD_NS


@pytest.mark.parametrize(("period_s", "most_ns"), [(0.04, 40_000_000), (0.001, 20_000_000)])
def test_a_stall_is_told_and_not_caught_up(clock: Clock, period_s: float, most_ns: int) -> None:
    pacer = Pacer(period_s, clock)
    clock.now = pacer.due_ns() + most_ns
    assert pacer.done() == 0
    clock.now = pacer.due_ns() + most_ns + 1
    assert pacer.done() == most_ns + 1
    assert pacer.due_ns() == clock.now + round(period_s * 1e9)


def test_what_sensors_took_is_made_up_for(clock: Clock) -> None:
    """A picture of 90 ms ten times a second, in periods of 20 ms, the other four of which take 2 ms."""
    pacer, start = Pacer(0.02, clock), clock.now
    for _ in range(50):
        for spent_ns in (90_000_000, 2_000_000, 2_000_000, 2_000_000, 2_000_000):
            clock.now = max(clock.now, pacer.due_ns()) + spent_ns
            assert pacer.done(spent_ns) == 0
    assert pacer.due_ns() == start + 251 * 20_000_000
    assert clock.now - pacer.due_ns() < 20_000_000, "and time is up to date"


def test_sensors_that_always_take_too_long_are_a_stall(clock: Clock) -> None:
    pacer = Pacer(0.02, clock)
    stalls = 0
    for _ in range(100):
        clock.now = max(clock.now, pacer.due_ns()) + 25_000_000
        stalls += pacer.done(25_000_000) > 0
    assert 10 < stalls < 30
    for _ in range(3):
        clock.now = pacer.due_ns()
        assert pacer.done() == 0
    clock.now = pacer.due_ns() + 20_000_001
    assert pacer.done() == 20_000_001, "what was spent long ago excuses nothing"


def test_a_restart_counts_from_now(clock: Clock) -> None:
    pacer = Pacer(PERIOD_S, clock)
    clock.now += 10**10
    pacer.restart(1.0)
    assert pacer.due_ns() == clock.now + PERIOD_NS


@pytest.mark.parametrize("ahead_ns", [-5_000_000, 0, 30_000, 3_000_000])
def test_nobody_wakes_up_too_early(ahead_ns: int) -> None:
    due_ns = time.monotonic_ns() + ahead_ns
    used = time.thread_time()
    sleep_until(due_ns)
    assert time.monotonic_ns() >= due_ns
    assert time.thread_time() - used < 0.0015, "it sleeps, and watches the clock for 0.1 ms only"


def test_a_core_is_spare_while_no_more_want_to_run_than_there_are() -> None:
    load = 1.9
    spare = SpareCore(2, lambda: load)
    assert spare(100.0)
    load = 2.1
    assert [spare(at) for at in (100.9, 101.0, 101.9)] == [True, False, False], "asked once a second"
    load = 0.5
    assert spare(102.1)
    assert not SpareCore(1, lambda: 0.0)(0.0), "the robot needs it"
