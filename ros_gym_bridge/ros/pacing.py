"""Real time: when the next control period ends on the wall clock; sleeping, and watching instead."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

_STALL_NS = 20_000_000
_AWAKE_NS = 100_000


def sleep_until(due_ns: int) -> None:
    """Return at an instant of the monotonic clock, nanoseconds. Who sleeps is woken up to 0.1 ms late: so long before,
    this wakes up and watches the clock."""
    rest_ns = due_ns - time.monotonic_ns()
    if rest_ns > _AWAKE_NS:
        time.sleep((rest_ns - _AWAKE_NS) / 1e9)
    while time.monotonic_ns() < due_ns:
        pass


class SpareCore:
    """Whether this process may use a core to watch for something instead of sleeping: no more processes want to run
    than there are cores. The system is asked once a second.

    Args:
        cores: of this machine that this process may use.
        load: processes that want to run, the mean of the last minute.
    """

    def __init__(self, cores: int | None = None, load: Callable[[], float] = lambda: os.getloadavg()[0]) -> None:
        self._cores = len(os.sched_getaffinity(0)) if cores is None else cores
        self._load, self._asked_s, self._spare = load, float("-inf"), False

    def __call__(self, now_s: float) -> bool:
        """At this instant of a steady clock, seconds."""
        if now_s - self._asked_s >= 1.0:
            self._asked_s, self._spare = now_s, self._cores > 1 and self._load() <= self._cores
        return self._spare


class Pacer:
    """Deadlines on a steady clock, without drift.

    A deadline is the start plus a number of periods, never the last wake-up plus one. Small delays are made up for;
    a stall of more than 20 ms and one period is not: the reference moves, and the caller says so.

    Args:
        period_s: one control period, simulated seconds.
        clock: nanoseconds, steady.
    """

    def __init__(self, period_s: float, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._period_s, self._clock = period_s, clock
        self._factor = 1.0
        self.restart(1.0)

    def restart(self, factor: float) -> None:
        """Count from now: after a pause, a reset of the factor or a stall. 0: as fast as possible."""
        self._factor = factor
        self._period_ns = self._period_s * 1e9 / factor if factor > 0.0 else 0.0
        self._start_ns, self._periods, self._spent_ns = self._clock(), 0, 0.0

    @property
    def factor(self) -> float:
        """Simulated seconds for each second of the wall clock that are aimed at."""
        return self._factor

    def due_ns(self) -> int:
        """When the current period ends, on the clock."""
        return self._start_ns + round((self._periods + 1) * self._period_ns)

    def done(self, spent_ns: int = 0) -> int:
        """The period is over. Nanoseconds of a stall that will not be caught up; 0 without one.

        Args:
            spent_ns: what sensors took of it. So much more is made up for, half a period less with each period after
                it: a picture now and then does not slow time down.
        """
        self._spent_ns = max(spent_ns, self._spent_ns - 0.5 * self._period_ns)
        lag = self._clock() - self.due_ns()
        self._periods += 1
        if self._factor > 0.0 and lag > max(_STALL_NS, self._period_ns) + self._spent_ns:
            self.restart(self._factor)
            return lag
        return 0
