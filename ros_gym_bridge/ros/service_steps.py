"""Steps a simulator that is not ours by its services, whatever it makes of them: what counts is the state's stamp."""

from __future__ import annotations

import time

from ros_gym_bridge.errors import OptionError, RobotRefusedError
from ros_gym_bridge.robot import NANOSECONDS, FloatArray, RobotSpec, RobotState
from ros_gym_bridge.ros.link import Link
from ros_gym_bridge.ros.offers import Lack
from ros_gym_bridge.ros.simulator import overtaken
from ros_gym_bridge.sim.playback import Playback

_SPEAK_S = 0.3  # a paused simulator that says nothing within this time after a reset says nothing at all
_FIRST_QUIET_S = 0.3  # time that stands for so long stands
_QUIET_S = 0.1
_MOVING_S = 1.0  # who is not quiet within this time never is
_LARGER = (2, 3, 4, 5, 8, 10)  # tried in this order where one step is refused
_SLACK = 0.25  # of one of the simulator's steps: stamps that are rounded, or sums of floats


class ServiceSteps:
    """One connection to one simulator, probed at the first episode.

    Attributes:
        missed: control periods since the reset that were passed over.

    Args:
        link: the connection.
        spec: of the robot.
    """

    def __init__(self, link: Link, spec: RobotSpec) -> None:
        self._link, self._spec = link, spec
        self._count = 0  # of the simulator's steps in one control period; 0: not probed yet
        self._single = False  # one step a request
        self._period_ns = self._nominal_ns = NANOSECONDS // spec.control_hz
        self._slack_ns = int(_SLACK * NANOSECONDS / spec.physics_hz)
        self._moving = False
        self.missed = self._steps = self._begun_ns = 0

    def begin(self, home: FloatArray) -> RobotState:
        """Reset, pause, and take the first state of the episode.

        Args:
            home: `(n_command,)`, what the robot is told in an episode before its first command.

        Raises:
            RobotRefusedError: the simulator did not reset or step.
            RobotLostError: it does not answer, or tells no state.
            OptionError: a control period is no whole number of its steps.
        """
        self.missed = self._steps = 0
        self._reset(home, _QUIET_S if self._count else _FIRST_QUIET_S)
        if not self._count and not self._moving:
            self._probe(home)
            self._reset(home, _QUIET_S)
        state = self._take(home, self._link.inbox.newest_ns, "the first state after a reset")
        self._begun_ns = state.stamp_ns
        return state

    def step(self, applied: FloatArray, stamp_ns: int) -> RobotState:
        """Command, step, and wait for the state one control period later.

        Raises:
            RobotRefusedError, RobotLostError: as `begin`; somebody else moves time.
        """
        link = self._link
        link.catch_up()
        newest_ns = link.inbox.newest_ns
        if not self._moving and newest_ns > stamp_ns + self._slack_ns:
            raise overtaken(newest_ns, stamp_ns)
        link.send(applied, stamp_ns)
        if not self._moving:
            self._ask(self._count)
        expected_ns = (newest_ns if self._moving else stamp_ns) + self._period_ns - self._slack_ns
        state = self._take(applied, expected_ns, f"a state at {expected_ns} ns or later, after the steps were done")
        self._steps += 1
        self.missed = round((state.stamp_ns - self._begun_ns) / self._nominal_ns) - self._steps
        return state

    # --- reset

    def _reset(self, home: FloatArray, quiet_s: float) -> None:
        """Until the newest state that was heard is one of the new episode."""
        link, inbox = self._link, self._link.inbox
        self._pause()
        link.catch_up()
        heard, before_ns = inbox.heard, inbox.latest_ns
        link.simulator.reset(None, strict=False)
        self._pause(after_reset=True)
        link.listen(lambda: inbox.heard > heard and inbox.latest_ns != before_ns, _SPEAK_S)
        if inbox.heard == heard and not self._moving:
            self._wake(home, heard)
        self._moving = not self._quiet(quiet_s)
        if inbox.latest_ns < inbox.newest_ns:
            inbox.turn_back(inbox.latest_ns)
        if self._moving:
            link.simulator.note(_MOVES)

    def _pause(self, after_reset: bool = False) -> None:
        simulator = self._link.simulator
        if after_reset and simulator.plays():
            simulator.note(_PLAYS)
        try:
            simulator.ensure(Playback.PAUSED)
        except RobotRefusedError as error:
            simulator.note(Lack(f"no pause ({error.got})", "time must stand still between steps by itself"))

    def _wake(self, home: FloatArray, heard: int) -> None:
        """A step, so that the state is told."""
        link = self._link
        link.simulator.note(_SILENT)
        link.send(home, link.inbox.latest_ns)
        self._ask(self._count or self._accepted()[0])
        link.receive(lambda: link.inbox.heard > heard or None, lambda: "a state after a reset and a step")

    def _quiet(self, quiet_s: float) -> bool:
        """Serve callbacks until time stands; False when it does not within a second."""
        end = time.monotonic() + (4.0 * _QUIET_S if self._moving else _MOVING_S)
        while time.monotonic() < end:
            if not self._changes(quiet_s):
                return True
        return False

    def _changes(self, quiet_s: float) -> bool:
        """Whether a state with another stamp comes within this time."""
        inbox, stamp_ns = self._link.inbox, self._link.inbox.latest_ns
        return self._link.listen(lambda: inbox.latest_ns != stamp_ns, quiet_s)

    # --- probing

    def _probe(self, home: FloatArray) -> None:
        """Find out what one of the simulator's steps is, by trying."""
        link, inbox = self._link, self._link.inbox
        before_ns = inbox.newest_ns
        link.send(home, before_ns)
        asked, refused_one = self._accepted()
        what = f"a state after {before_ns} ns, where {asked} steps were made,"
        link.receive(lambda: inbox.newest_ns > before_ns or None, lambda: what)
        self._quiet(_FIRST_QUIET_S)
        if inbox.newest_ns < before_ns + self._nominal_ns - self._slack_ns:
            self._quiet(2.0 * _FIRST_QUIET_S)  # answered before it was done, and slow
        step_ns = (inbox.newest_ns - before_ns) / asked
        self._count = self._steps_of_a_period(step_ns)
        self._slack_ns = int(_SLACK * step_ns)
        if refused_one and self._count == 1:
            self._count = asked
            link.simulator.note(_larger(asked))
        self._period_ns = round(self._count * step_ns)

    def _steps_of_a_period(self, step_ns: float) -> int:
        count = round(self._nominal_ns / step_ns)
        if count < 1 or abs(count * step_ns - self._nominal_ns) > 0.01 * self._nominal_ns:
            raise OptionError(
                "a control period is no whole number of the simulator's steps",
                got=f"control periods of {self._nominal_ns / 1e6:g} ms, steps of {step_ns / 1e6:g} ms",
                expected="1, 2, 3, ... steps in each control period",
                remedy="Pass another control_hz, or change the simulator's step",
            )
        if count != self._spec.steps_per_period:
            self._link.simulator.note(_other_step(step_ns, self._spec, count))
        return count

    def _accepted(self) -> tuple[int, bool]:
        """Ask for about one control period, in the way that is not refused.

        Returns:
            How many steps were asked for, and whether single steps are refused.
        """
        wanted = self._spec.steps_per_period
        others = _LARGER if wanted == 1 else (1,)
        try:
            self._link.simulator.step(wanted)
            return wanted, False
        except RobotRefusedError as error:
            first = error
        for count in others:
            try:
                self._link.simulator.step(count)
            except RobotRefusedError:
                continue
            self._single = count == 1
            if self._single:
                self._link.simulator.note(_single(wanted, first.got))
            return count, not self._single
        raise first

    def _ask(self, count: int) -> None:
        """For so many steps, in requests of a size that is not refused."""
        for part in [1] * count if self._single else [count]:
            self._link.simulator.step(part)

    def _take(self, applied: FloatArray, from_ns: int, what: str) -> RobotState:
        inbox = self._link.inbox

        def find() -> RobotState | None:
            return inbox.take(inbox.newest_ns, applied) if inbox.newest_ns >= from_ns else None

        return self._link.receive(find, lambda: what)


_MOVES = Lack(
    "time that goes on while it says to be paused",
    "it is not stepped; each step waits until a control period has passed on its clock, and "
    "info['timing']['missed_periods'] counts what was passed over, as with stepping='realtime'",
)
_PLAYS = Lack("the habit to play after a reset", "it is paused again; an episode begins some moments after the reset")
_SILENT = Lack(
    "no state to tell while paused, after a reset",
    "it is stepped once to hear one: episodes begin one control period after the reset",
)


def _larger(count: int) -> Lack:
    return Lack(
        "no single steps",
        f"each step is {count} of its steps, which are {count} control periods; "
        "info['timing']['missed_periods'] counts those that were passed over. Pass a smaller control_hz to avoid it",
    )


def _single(wanted: int, reason: str) -> Lack:
    cost = f"it is asked for a single one, {wanted} times in a control period, which takes longer"
    return Lack(f"no {wanted} steps at once ({reason})", cost)


def _other_step(step_ns: float, spec: RobotSpec, count: int) -> Lack:
    return Lack(
        f"steps of {step_ns / 1e6:g} ms where the robot file has {1e3 / spec.physics_hz:g} ms",
        f"it does {count} of them in a control period, not {spec.steps_per_period}",
    )
