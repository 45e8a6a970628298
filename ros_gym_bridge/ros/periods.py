"""Control periods of a robot in real time: a grid on the steady clock, so that nothing drifts."""

from __future__ import annotations

from ros_gym_bridge.robot import NANOSECONDS


class Periods:
    """When control periods end: the start plus whole periods, never the last wake-up plus one.

    Who comes too late for a period gets the rest of the one that runs; those between were missed.

    Args:
        control_hz: periods per second.
    """

    def __init__(self, control_hz: int) -> None:
        self._hz = control_hz
        self.begin(0)

    def begin(self, now_ns: int) -> None:
        """The first period begins."""
        self._start_ns, self._number = now_ns, 0

    def next(self, now_ns: int) -> tuple[int, int]:
        """A command is sent now.

        Returns:
            when its control period ends (ns on the steady clock), and how many ended since the last one that had a
            command, without any.
        """
        running = (now_ns - self._start_ns) * self._hz // NANOSECONDS
        missed = max(0, running - self._number)
        self._number += missed + 1
        return self._start_ns + self._number * NANOSECONDS // self._hz, missed

    def overrun(self, now_ns: int) -> None:
        """The last period was ended late, by nobody's fault who sends commands: those over by now are not missed."""
        self._number = max(self._number, (now_ns - self._start_ns) * self._hz // NANOSECONDS)
