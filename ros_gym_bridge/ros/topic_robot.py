"""`TopicRobot`: the robot protocol over ROS 2 topics and services."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import ResetNeededError, RobotClosedError, RobotLostError
from ros_gym_bridge.robot import Command, FloatArray, RobotSpec, RobotState, check_command, strict_option
from ros_gym_bridge.ros.connection_checks import check_connection
from ros_gym_bridge.ros.link import Link
from ros_gym_bridge.ros.motion_reset import MotionReset
from ros_gym_bridge.ros.offers import Lack
from ros_gym_bridge.ros.operator import Operator
from ros_gym_bridge.ros.real_time import RealTimeSteps
from ros_gym_bridge.ros.service_steps import ServiceSteps
from ros_gym_bridge.ros.session import check_process
from ros_gym_bridge.ros.simulator import overtaken
from ros_gym_bridge.safety import limiter
from ros_gym_bridge.sim.playback import Playback

_PAUSE_S = 0.8  # states are told again at 10 Hz while nothing happens, and queues hold 10
_FOLLOWING_S = 0.3


class TopicRobot:
    """A robot behind ROS 2 topics. Connects at the first `reset`, so that its spaces are known before anything runs.

    Args:
        robot: the robot file.
        connection: where the robot is and how it is stepped.

    Raises:
        OptionError: a stepping that is not offered, also by this robot's commands, or a timeout that is not positive.
    """

    def __init__(self, robot: RobotFile, connection: Connection) -> None:
        check_connection(robot, connection)
        self._robot, self._connection = robot, connection
        self._limiter = limiter(robot)
        self._link: Link | None = None
        self._others: ServiceSteps | None = None  # steps a simulator that is not ours
        self._state: RobotState | None = None
        self._looked = math.inf  # when states were waited for last; a new connection has no backlog
        self._closed = False
        self._timing: dict[str, float] = {}
        self._live = RealTimeSteps(robot.spec, connection.max_missed_deadlines)
        self._go_home = MotionReset(robot, Operator(connection.operator, robot.config.reset.operator_timeout_s))
        self._exchange = {
            "lockstep": self._step_in_lockstep,
            "step_service": self._step_by_service,
            "realtime": self._step_in_real_time,
        }[connection.stepping]

    @property
    def spec(self) -> RobotSpec:
        """What this robot is."""
        return self._robot.spec

    @property
    def node_pid(self) -> int | None:
        """Process of the simulation node that was started for this robot; None when attached or not connected."""
        return self._link.node_pid if self._link else None

    @property
    def lacks(self) -> tuple[Lack, ...]:
        """What the simulator, one that is not ours, lacks or does in its own way, and what each costs; empty before the
        first reset."""
        return tuple(self._link.simulator.lacks) if self._link else ()

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> RobotState:
        """Start an episode. Connects first where that is needed; a node of our own that has ended is started again.

        Raises:
            RobotNotFoundError: nobody answered.
            RobotRefusedError: the simulator refused to reset.
            RobotLostError: the robot fell silent.
            OptionError: an option that is not offered.
            RobotClosedError: after `close`.
        """
        strict = strict_option(options)
        self._open()
        self._state = None
        if self._link is not None:
            try:
                return self._begin(self._link, seed, strict)
            except RobotLostError:
                self._disconnect()
        self._link = Link(self._robot, self._connection)
        return self._begin(self._link, seed, strict)

    def step(self, command: Command) -> RobotState:
        """Send a command and return the state at the end of its control period. See `Robot.step`.

        Raises:
            RobotLostError: silence for `step_timeout_s`, or a node of our own that has ended; says for what was waited.
        """
        self._open()
        if self._link is None or self._state is None:
            raise ResetNeededError("step before the first reset", remedy="Call reset() first")
        check_command(self._robot.spec, command, self._state.stamp_ns)
        applied = self._limiter(command.vector, self._state)
        before = time.perf_counter()
        try:
            self._state = self._exchange(self._link, applied, self._state.stamp_ns)
        except RobotLostError:
            self._state = None
            self._disconnect()
            raise
        self._looked = time.perf_counter()
        self._timing["round_trip_s"] = self._looked - before
        return self._state

    def timing(self) -> dict[str, float]:
        """`round_trip_s` of the last step; since the reset `resent` commands, and in real time `missed_periods` (of
        the robot's clock, between states); since it connected `NAME.refused` messages of channels that were not as the
        robot file says, and `joint_states.refused` with a position that is not a number. On a robot that nobody resets
        also `age_s` of the state and, since the reset, `missed_deadlines` (periods without a command: the agent was too
        slow), `overruns` (periods at whose end no state was there that was taken after the command was sent) and
        `clock_jumps`; after each step `other_commanders`, nodes besides this one that publish commands, and
        `other_robots`, nodes besides one that publish joint states."""
        refused = self._link.inbox.refused if self._link is not None else {}
        return {**self._timing, **{f"{name}.refused": count for name, (count, _) in refused.items()}}

    def close(self) -> None:
        """Leave the graph and end a node of our own. May be called again."""
        self._closed = True
        self._disconnect()

    def _open(self) -> None:
        if self._closed:
            raise RobotClosedError("the robot is closed", remedy="Make a new one")
        if self._link is not None:
            check_process()

    def _disconnect(self) -> None:
        if self._link is not None:
            link, self._link, self._others = self._link, None, None
            self._looked = math.inf
            if link.by_motion:
                self._go_home.stop(link)
            link.close()

    def _begin(self, link: Link, seed: int | None, strict: bool) -> RobotState:
        """Ask for a reset and take the first state that was not there before."""
        if link.by_motion:
            return self._begin_by_motion(link)
        stepping = self._connection.stepping
        if stepping == "step_service" and not link.simulator.ours:
            return self._begin_elsewhere(link)
        realtime = stepping == "realtime"
        self._look(link)
        before_ns = link.inbox.newest_ns
        link.simulator.reset(seed, strict)
        link.simulator.ensure(Playback.PAUSED if stepping == "step_service" else Playback.PLAYING)
        self._limiter.reset()
        self._timing = {"round_trip_s": 0.0, "resent": 0, "missed_periods": 0}
        spec, home, inbox = self._robot.spec, self._limiter.applied, link.inbox
        if realtime:
            # states from before the reset may still be on their way: the second new one is certainly from after it
            link.catch_up()
            before_ns = spec.next_stamp(inbox.newest_ns)

        def find() -> RobotState | None:
            newest_ns = inbox.newest_ns
            return inbox.take(newest_ns, home, all_due=not realtime) if newest_ns > before_ns else None

        self._state = link.receive(find, lambda: f"the first state after a reset, later than {before_ns} ns")
        self._looked = time.perf_counter()
        return self._state

    def _look(self, link: Link) -> None:
        """Learn where time stands: somebody else may have moved it since, and what was there before is no first state.
        After a pause more states are on their way than the queue holds; they follow with the next ones."""
        if self._connection.attach and time.perf_counter() - self._looked > _PAUSE_S:
            link.listen(lambda: False, _FOLLOWING_S)
        link.catch_up()

    def _begin_elsewhere(self, link: Link) -> RobotState:
        """The same on a simulator that is not ours, stepped by service."""
        self._limiter.reset()
        self._timing = {"round_trip_s": 0.0, "resent": 0, "missed_periods": 0}
        self._others = self._others or ServiceSteps(link, self._robot.spec)
        self._state = self._others.begin(self._limiter.applied)
        return self._state

    def _begin_by_motion(self, link: Link) -> RobotState:
        self._state = self._go_home(link)
        self._limiter.reset()
        self._live.begin(link.live_inbox)
        self._timing = {"round_trip_s": 0.0, **self._live.timing}
        return self._state

    def _step_in_lockstep(self, link: Link, applied: FloatArray, stamp_ns: int) -> RobotState:
        """Send until the answer is there: the state one period later."""
        expected = self._robot.spec.next_stamp(stamp_ns)
        inbox = link.inbox

        def find() -> RobotState | None:
            if inbox.newest_ns > expected:
                raise overtaken(inbox.newest_ns, expected)
            return inbox.take(expected, applied)

        def again() -> None:
            self._timing["resent"] += 1
            link.send(applied, stamp_ns)

        self._check_alone(link, stamp_ns)
        link.send(applied, stamp_ns)
        return link.receive(find, lambda: _missing(link, expected), again)

    def _step_by_service(self, link: Link, applied: FloatArray, stamp_ns: int) -> RobotState:
        """Command, step, and wait for the state one period later.

        Command and request leave one participant in this order, reach the other's queue in this order, and are served
        in this order. To wait for the command's acknowledgement instead takes up to a heartbeat, seconds.
        """
        if self._others is not None:
            state = self._others.step(applied, stamp_ns)
            self._timing["missed_periods"] = self._others.missed
            return state
        expected = self._robot.spec.next_stamp(stamp_ns)
        self._check_alone(link, stamp_ns)
        link.send(applied, stamp_ns)
        link.simulator.step(self._robot.spec.steps_per_period)
        return link.receive(lambda: link.inbox.take(expected, applied), lambda: _missing(link, expected))

    def _check_alone(self, link: Link, stamp_ns: int) -> None:
        """A state that somebody else has caused must not pass for an answer. A node of our own is ours alone."""
        if self._connection.attach:
            link.catch_up()
            if link.inbox.newest_ns > stamp_ns:
                raise overtaken(link.inbox.newest_ns, stamp_ns)

    def _step_in_real_time(self, link: Link, applied: FloatArray, stamp_ns: int) -> RobotState:
        """Command, and take the newest state that was not there yet: none that has waited here is an answer."""
        if link.by_motion:
            state = self._live.step(link, applied, stamp_ns)
            self._timing.update(self._live.timing)
            return state
        spec, inbox = self._robot.spec, link.inbox
        link.catch_up()
        expected = spec.next_stamp(inbox.newest_ns)

        def find() -> RobotState | None:
            return inbox.take(inbox.newest_ns, applied) if inbox.newest_ns >= expected else None

        link.send(applied, stamp_ns)
        state = link.receive(find, lambda: f"a state from {expected} ns on")
        late = spec.steps(state.stamp_ns) - spec.steps(stamp_ns)
        self._timing["missed_periods"] += late // spec.steps_per_period - 1
        return state


def _missing(link: Link, stamp_ns: int) -> str:
    inbox = link.inbox
    return f"{', '.join(n + inbox.refusals(n) for n in inbox.missing(stamp_ns))} at stamp {stamp_ns} ns"
