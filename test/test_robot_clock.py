"""A clock that is not ours: offset, drift, jumps; control periods on a steady clock; gaps in joint states. No ROS."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.joint_gaps import JointGaps
from ros_gym_bridge.robot import read_only
from ros_gym_bridge.robot_clock import RobotClock
from ros_gym_bridge.ros.periods import Periods

MS = 1_000_000
HOUR = 3_600_000 * MS


def heard(clock: RobotClock, begin_ms: int, count: int, offset_ns: int, scale: float = 1.0, way_ms: float = 5.0) -> int:
    """States at 250 Hz that take 0.2 ms and up to `way_ms` more; how many jumps were told."""
    wire = random.Random(begin_ms)
    jumps = 0
    for i in range(count):
        taken_ns = (begin_ms + 4 * i) * MS
        arrived_ns = taken_ns + round((0.2 + wire.random() * way_ms) * MS)
        jumps += clock.hear(round(taken_ns * scale) + offset_ns, arrived_ns)
    return jumps


@pytest.mark.parametrize("offset_ns", [-HOUR, 0, 17 * HOUR])
@pytest.mark.parametrize("scale", [0.999, 1.0, 1.001])
def test_offset_and_drift(offset_ns: int, scale: float) -> None:
    clock = RobotClock()
    assert heard(clock, 1000, 2000, offset_ns, scale) == 0
    end_ns = (1000 + 4 * 2000) * MS
    error_ns = clock.stamp_at(end_ns) - (round(end_ns * scale) + offset_ns)
    assert -1.0 * MS < error_ns < 1.3 * MS, "a window of a second, at a drift of 1 ms in a second"


@pytest.mark.parametrize("jump_ms", [-HOUR // MS, -60, 200, HOUR // MS])
def test_a_jump_is_told_once_and_learned(jump_ms: int) -> None:
    clock = RobotClock()
    heard(clock, 1000, 500, 0)
    assert heard(clock, 3000, 500, jump_ms * MS) == 1
    assert clock.jumps == 1
    assert clock.stamp_at(5000 * MS) == pytest.approx((5000 + jump_ms) * MS, abs=2 * MS)


def test_a_pause_of_the_agent_is_no_jump() -> None:
    """While an agent learns nobody listens; then what had waited arrives late, and what comes next in time."""
    clock = RobotClock()
    heard(clock, 1000, 500, -HOUR)
    jumps = sum(clock.hear((3000 + 4 * i) * MS - HOUR, 8000 * MS) for i in range(10))
    assert (jumps, heard(clock, 8000, 500, -HOUR)) == (0, 0)


def test_a_slow_wire_is_no_jump() -> None:
    clock = RobotClock()
    heard(clock, 1000, 500, 0)
    assert heard(clock, 3000, 500, 0, way_ms=40.0) == 0, "neither late nor in another order"


def test_a_state_that_comes_again_and_again_gets_older() -> None:
    clock = RobotClock()
    heard(clock, 1000, 500, 0)
    newest_ns = clock.newest_ns
    assert not any(clock.hear(newest_ns, newest_ns + i * 4 * MS) for i in range(1, 1000))
    assert clock.stamp_at(newest_ns + 2000 * MS) > newest_ns + 1900 * MS


def test_periods_keep_to_the_grid() -> None:
    periods = Periods(30)
    periods.begin(1000)
    dues = []
    now = 1000
    for _ in range(300):
        now, missed = periods.next(now + 2 * MS)
        assert missed == 0
        dues.append(now)
    assert dues[-1] == 1000 + 10 * 1000 * MS, "no drift in 300 periods that do not fit into nanoseconds"
    due, missed = periods.next(now + 100 * MS + 1)
    assert (due, missed) == (1000 + 304 * 1000 * MS // 30, 3), "late by three periods: the rest of the fourth"
    periods.overrun(due + 50 * MS)
    assert periods.next(due + 50 * MS) == (1000 + 306 * 1000 * MS // 30, 0), "the robot was late, not the agent"


def test_gaps_are_filled() -> None:
    spec = load_robot("cartpole").spec
    gaps = JointGaps(spec)
    nan = math.nan
    for i in range(50):
        stamp = 4 * i * MS
        position, velocity, effort = read_only([0.002 * i, 1.0]), read_only([nan, 0.25]), read_only([3.0, nan])
        joints = gaps(stamp, (position, velocity, effort))
        assert joints is not None
    assert joints[1] == pytest.approx([0.5, 0.25]), "the mean of a control period; what is measured stays"
    assert joints[2].tolist() == [3.0, 0.0]
    assert not any(part.flags.writeable for part in joints)
    assert (gaps.velocities, gaps.efforts) == ([spec.joints[0]], [spec.joints[1]])
    blind = gaps(stamp + 1, (read_only([nan, 0.0]), velocity, effort))
    assert (blind, gaps.positions) == (None, [spec.joints[0]])
    whole = (read_only([0.0, 0.0]),) * 3
    assert gaps(stamp + 2, whole) is whole


def test_a_first_state_has_no_velocity() -> None:
    gaps = JointGaps(load_robot("cartpole").spec)
    unknown = read_only(np.full(2, math.nan))
    joints = gaps(1, (read_only([1.0, 2.0]), unknown, unknown))
    assert joints is not None
    assert joints[1].tolist() == [0.0, 0.0]
