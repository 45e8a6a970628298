"""The reset of a robot that nobody can put back: it moves to its home position, and the reset waits for it."""

from __future__ import annotations

import math
import time

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.errors import ResetTimeoutError
from ros_gym_bridge.homing import HomeCommands, holding
from ros_gym_bridge.robot import FloatArray, RobotState
from ros_gym_bridge.ros.link import Link
from ros_gym_bridge.ros.operator import Operator
from ros_gym_bridge.ros.periods import Periods
from ros_gym_bridge.safety import limiter

_POINTS_HZ = 20.0
_STALE_NS = 200_000_000


class MotionReset:
    """Moves a robot home. Groups of the kind `joint_trajectory` are told the whole way at once, others a target in
    every control period, within what `safety` of the robot file allows.

    Args:
        robot: the robot file.
        operator: who is asked before.
    """

    def __init__(self, robot: RobotFile, operator: Operator) -> None:
        self._robot, self._spec, self._config = robot, robot.spec, robot.config.reset
        self._operator = operator
        self._period_s = 1.0 / self._spec.control_hz

    def __call__(self, link: Link) -> RobotState:
        """Bring the robot home and return its state there. Whatever goes wrong, it is told to stop where it is.

        Raises:
            ResetTimeoutError: a joint did not arrive, or the operator did not answer.
            RobotRefusedError: the operator said no.
            RobotLostError: the robot fell silent.
        """
        state = self._hear(link, 0)
        if self._config.ask_operator:
            self._operator.ask(link, f"Robot '{self._spec.name}' is about to move to its home position.")
            state = self._hear(link, time.monotonic_ns())
        try:
            return self._move(link, HomeCommands(self._spec, self._config, state.position))
        except BaseException:
            self.stop(link)
            raise

    def _hear(self, link: Link, since_ns: int) -> RobotState:
        """The newest whole state, not older than an instant of the steady clock (0: however old)."""
        inbox = link.live_inbox
        return link.receive(lambda: self._fresh(link, since_ns), lambda: inbox.lacks(since_ns))

    def _fresh(self, link: Link, since_ns: int) -> RobotState | None:
        inbox = link.live_inbox
        old = since_ns and inbox.newest_ns <= inbox.clock.stamp_at(since_ns)
        return None if old else inbox.newest(self._spec.command_home)

    def _move(self, link: Link, way: HomeCommands) -> RobotState:
        """Lead the robot and wait until it has settled."""
        begun = time.monotonic()
        periods = Periods(self._spec.control_hz)
        periods.begin(time.monotonic_ns())
        allowed = limiter(self._robot)
        allowed.reset(holding(self._spec, link.live_inbox.position))
        self._send_path(link, way)
        quiet_since = math.inf
        while True:
            now_ns = time.monotonic_ns()
            due_ns, _ = periods.next(now_ns)
            if self._fresh(link, now_ns - _STALE_NS) is None:
                self.stop(link)  # blind, so still
            state = self._hear(link, now_ns - _STALE_NS)
            gone_s = time.monotonic() - begun
            command = allowed(way.at(gone_s + self._period_s, state.position), state)
            link.send_on_the_way(command, state.stamp_ns)
            link.serve_until(due_ns)
            if gone_s < way.duration_s:
                continue
            position = link.live_inbox.position
            away = way.away(position)
            quiet_since = min(quiet_since, time.monotonic()) if not away else math.inf
            if time.monotonic() - quiet_since >= self._config.settle_s:
                return self._hear(link, now_ns)
            if gone_s > way.duration_s + self._config.timeout_s:
                raise self._late(away, position, gone_s)

    def _send_path(self, link: Link, way: HomeCommands) -> None:
        count = max(2, math.ceil(way.duration_s * _POINTS_HZ))
        times_s = [way.duration_s * (i + 1) / count for i in range(count)]
        nowhere = np.zeros(len(self._spec.joints))
        link.send_path(times_s, [way.at(t, nowhere) for t in times_s], [way.speed_at(t) for t in times_s])

    def stop(self, link: Link) -> None:
        """Tell the robot to stop where it is."""
        link.send_last(holding(self._spec, link.live_inbox.position))

    def _late(self, away: list[int], position: FloatArray, after_s: float) -> ResetTimeoutError:
        spec = self._spec
        if not away:
            return ResetTimeoutError(
                f"robot '{spec.name}' did not come to rest at home within {after_s:.1f} s",
                remedy="Raise 'reset.tolerance' or lower 'reset.settle_s' in the robot file",
            )
        names = ", ".join(f"'{spec.joints[i]}'" for i in away[1:])
        i = away[0]
        return ResetTimeoutError(
            f"joint '{spec.joints[i]}' did not get home within {after_s:.1f} s",
            got=f"{position[i]:.4g}" + (f" (also not at home: {names})" if names else ""),
            expected=f"{spec.home[i]:.4g} within {self._config.tolerance:g}",
            remedy="Look whether something holds it, the robot has stopped itself, or its controller is not active; "
            "then reset() again, or raise 'reset.timeout_s' or 'reset.tolerance' in the robot file",
        )
