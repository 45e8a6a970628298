"""Stepping a robot whose time nobody moves: control periods end on a steady clock."""

from __future__ import annotations

import time

from ros_gym_bridge.errors import RobotLostError
from ros_gym_bridge.robot import NANOSECONDS, FloatArray, RobotSpec, RobotState
from ros_gym_bridge.ros.link import Link
from ros_gym_bridge.ros.live_inbox import LiveInbox
from ros_gym_bridge.ros.periods import Periods


class RealTimeSteps:
    """One step after the other: command, wait for the end of the control period, take the newest state.

    A state counts only when the robot took it after the command was sent, by its own stamps (see `RobotClock`); where
    none has come by the end of the period, the step waits on, and the period is an overrun.

    Attributes:
        timing: see `TopicRobot.timing`.

    Args:
        spec: of the robot.
        max_missed_deadlines: with more of them the episode ends; None: never.
    """

    def __init__(self, spec: RobotSpec, max_missed_deadlines: int | None) -> None:
        self._period_ns = NANOSECONDS // spec.control_hz
        self._periods = Periods(spec.control_hz)
        self._most = max_missed_deadlines
        self.timing: dict[str, float] = {}

    def begin(self, inbox: LiveInbox) -> None:
        """An episode begins now."""
        self._jumps = inbox.clock.jumps
        self.timing = {"missed_deadlines": 0, "overruns": 0, "missed_periods": 0, "clock_jumps": 0}
        self._periods.begin(time.monotonic_ns())
        self._note(inbox, inbox.newest_ns)

    def step(self, link: Link, applied: FloatArray, stamp_ns: int) -> RobotState:
        """Send a command that answers the state at `stamp_ns`, and return the state at the end of its period.

        Raises:
            RobotLostError: silence, or nobody takes the commands.
        """
        inbox = link.live_inbox
        link.catch_up()
        sent_ns = time.monotonic_ns()
        due_ns, missed = self._periods.next(sent_ns)
        self.timing["missed_deadlines"] += missed
        link.send(applied, stamp_ns)
        link.serve_until(due_ns)

        def find() -> RobotState | None:
            return inbox.newest(applied) if inbox.newest_ns > inbox.clock.stamp_at(sent_ns) else None

        state = find()
        if state is None:
            self.timing["overruns"] += 1
            state = link.receive(find, lambda: inbox.lacks(sent_ns))
            self._periods.overrun(time.monotonic_ns())
        self._note(inbox, state.stamp_ns, stamp_ns)
        self.timing.update(link.extra_publishers())
        if untaken := link.untaken():
            raise _deaf(untaken)
        return state._replace(ended=self._ended())

    def _note(self, inbox: LiveInbox, stamp_ns: int, before_ns: int | None = None) -> None:
        timing = self.timing
        jumps = inbox.clock.jumps - self._jumps
        if before_ns is not None and jumps == timing["clock_jumps"]:
            timing["missed_periods"] += max(0, round((stamp_ns - before_ns) / self._period_ns) - 1)
        timing["clock_jumps"] = jumps
        timing["age_s"] = (inbox.clock.stamp_at(time.monotonic_ns()) - stamp_ns) / NANOSECONDS

    def _ended(self) -> str:
        missed = self.timing["missed_deadlines"]
        if self._most is None or missed <= self._most:
            return ""
        return f"{missed:.0f} control periods without a command, more than max_missed_deadlines={self._most}"


def _deaf(topics: list[str]) -> RobotLostError:
    return RobotLostError(
        "nobody takes the commands any more, and the robot tells its states as ever",
        got=f"no subscriber of {', '.join(topics)}",
        remedy="Start what takes them, such as a controller or the safety node; reset() connects again",
    )
