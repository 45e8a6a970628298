"""A connection between an adapter and a robot on ROS 2: found, compared, waited on."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.ros.facts import facts
from ros_gym_bridge.ros.finding import NEEDED, RESET, may_move, mode_for, nobody
from ros_gym_bridge.ros.graph import publishers
from ros_gym_bridge.ros.live_inbox import LiveInbox
from ros_gym_bridge.ros.names import absolute, fact_name, place_below
from ros_gym_bridge.ros.own_node import OwnNode
from ros_gym_bridge.ros.pacing import SpareCore
from ros_gym_bridge.ros.session import check_process
from ros_gym_bridge.ros.simulator import lost
from ros_gym_bridge.ros.wires import Wires
from ros_gym_bridge.shared_memory import sweep

_START_S = 30.0  # a node of our own: Python starts, PyBullet loads; on a busy machine that takes a while
_RECOGNIZE_S = 0.5  # another simulator has no parameters of ours, and nobody announces that
_SERVED_S = 1.0  # who publishes joint states and has a service announces both at about the same time
_SAID = 3
_BETWEEN_S = 0.02
_SILENCE_S = 0.4  # states come at 10 Hz at least: who hears none for so long, with services there, has a dead port
_LOCKED_S = 3.0  # see `Link.close`
_WATCH_S = 0.002  # most steps take less
_AGAIN_S = 0.05  # who hears nothing sends again; the other side steps once all the same
Found = TypeVar("Found")
_inherited: list[Link] = []


class Link:
    """A connection that stands. Made whole or not at all.

    Attributes:
        send: publishes a command, see `Wires.send`.
        inbox: what has been heard.
        extra_publishers, untaken: see `Wires`.
        simulator: the services.
        by_motion: nobody resets the robot, it has to move home itself.

    Args:
        robot: the robot file: topics, joints, channels.
        connection: where the robot is and how it is stepped.

    Raises:
        RobotNotFoundError: nobody answered; says which topics and services were looked for, where, and what to start.
        RobotLostError: a node of our own ended while it started.
        OptionError: the simulator runs another mode, rate or robot than this environment.
        ForkError: this process was forked from one that had used ROS.
    """

    def __init__(self, robot: RobotFile, connection: Connection) -> None:
        check_process()
        sweep()
        self._robot, self._connection = robot, connection
        self._process = os.getpid()
        self._spare = SpareCore()
        begun = time.monotonic()
        mode = mode_for(robot, connection)
        self._own = None if connection.attach else _start(robot, mode, connection)
        self._closing = contextlib.ExitStack()
        try:
            if self._own is not None:
                self._closing.callback(self._own.close)
            self._find(begun)
            wires = self._wires
            self.send, self.inbox, self.simulator = wires.send, wires.inbox, wires.simulator
            self.extra_publishers, self.untaken = wires.extra_publishers, wires.untaken
            self.send_path, self.send_on_the_way = wires.send_path, wires.send_on_the_way
            self._compare(mode)
        except BaseException:
            self.close()
            raise

    @property
    def node(self) -> Any:
        """The node of this end."""
        return self._wires.session.node

    @property
    def log(self) -> Any:
        """Its logger."""
        return self.node.get_logger()

    @property
    def live_inbox(self) -> LiveInbox:
        """What has been heard, in real time."""
        assert isinstance(self.inbox, LiveInbox)
        return self.inbox

    @property
    def node_pid(self) -> int | None:
        """Process of a node of our own."""
        return self._own.pid if self._own else None

    def receive(
        self,
        find: Callable[[], Found | None],
        what: Callable[[], str],
        again: Callable[[], None] | None = None,
    ) -> Found:
        """Serve callbacks until `find` returns something, such as a state.

        Args:
            find: looks into the inbox.
            what: says what is waited for, for an error message.
            again: called after 50 ms of silence, and whenever that has become twice as long: a state with large
                pictures takes its time. With it, an answer is expected at once: on a core that nobody else needs it is
                watched for, since who sleeps wakes up late, and with cold caches.

        Raises:
            RobotLostError: silence for `step_timeout_s`, or a node of our own has ended.
        """
        spin_once, clock = self._wires.session.executor.spin_once, time.monotonic
        begun = clock()
        watched = begun + _WATCH_S if again is not None and self._spare(begun) else begun
        due, patience_s = begun + _AGAIN_S, _AGAIN_S
        while (found := find()) is None:
            now = clock()
            if now >= due:
                self._check(what, now - begun)
                if again is not None and now - begun >= patience_s:
                    again()
                    patience_s *= 2.0
                due = now + _AGAIN_S
            spin_once(timeout_sec=due - now if now >= watched else 0.0)
        return found

    def listen(self, done: Callable[[], object], timeout_s: float) -> bool:
        """Serve callbacks until `done()` holds, or for so many wall-clock seconds; whether it does."""
        return self._wires.session.spin_until(done, timeout_s)

    def catch_up(self) -> None:
        """Take what has arrived in the meantime."""
        received = -1
        while received != self.inbox.received:
            received = self.inbox.received
            self._wires.session.executor.spin_once(timeout_sec=0.0)

    def send_last(self, command: FloatArray) -> None:
        """Publish a command `(n_command,)` that answers the newest state; more than once, since what a node says last
        may be lost with it."""
        for _ in range(_SAID):
            self.send(command, self.inbox.newest_ns)
            time.sleep(_BETWEEN_S)

    def others(self) -> list[str]:
        """Who else publishes commands, by full name of node."""
        mine = self.node.get_fully_qualified_name()
        names = {name for topic in self._wires.command_topics() for name in publishers(self.node, topic)}
        return sorted(names - {mine})

    def serve_until(self, steady_ns: int) -> None:
        """Serve callbacks until an instant of the steady clock, and take what has arrived by then.

        Raises:
            RobotLostError: there is no point in waiting.
        """
        spin_once, clock = self._wires.session.executor.spin_once, time.monotonic_ns
        while (left_ns := steady_ns - clock()) > 0:
            spin_once(timeout_sec=min(left_ns / 1e9, _AGAIN_S))
        if ending := self._ending():
            raise lost("the end of a control period", 0.0, ending)
        self.catch_up()

    def close(self) -> None:
        """Leave the graph and end a node of our own; a forked child leaves both to its parent. May be called again."""
        if self._process != os.getpid():
            _inherited.append(self)  # to destroy what the middleware's threads, gone here, still hold would hang
            return
        if self._own is not None and self._own.killed:
            # The dead may hold a lock in memory that is shared with us. Fast DDS gives it up after 2 s, and crashes
            # when a participant is destroyed before.
            later = threading.Timer(_LOCKED_S, self._closing.pop_all().close)
            later.start()
        self._closing.close()
        sweep()

    def _ending(self) -> str:
        """Why there is no point in waiting: we were asked to stop, or how a node of our own has ended; else empty."""
        if self._connection.stop():
            return "asked to stop"
        return self._own.ending() if self._own is not None else ""

    def _check(self, what: Callable[[], str], waited_s: float) -> None:
        """Raise when there is no point in waiting any longer."""
        ending = self._ending()
        if ending or waited_s >= self._connection.step_timeout_s:
            raise lost(what(), waited_s, ending, self._wires.seen())

    def _connect(self) -> Wires:
        own, connection = self._own, self._connection
        wires = Wires(
            self._robot,
            namespace=own.namespace if own is not None else connection.namespace or "",
            simulator=None if own is not None or connection.simulator is None else absolute(connection.simulator),
            domain_id=own.domain_id if own is not None else connection.domain_id,
            ros_arguments=connection.ros_arguments,
            command_prefix=connection.command_prefix,
            realtime=connection.stepping == "realtime",
            services=() if may_move(connection) else NEEDED[connection.stepping],
            timeout_s=connection.step_timeout_s,
            ending=self._ending,
        )
        self._closing.callback(wires.close)
        return wires

    def _find(self, begun: float) -> None:
        """Connect, and wait until everybody is there.

        Fast DDS gives a new participant the lowest free port. Where that was the port of a program that was killed, the
        robot's messages go on to the dead for some seconds: services are there, but no states. Then a second
        participant, made while the first one still holds the port, hears at once.
        """
        timeout_s = self._connection.connect_timeout_s if self._own is None else _START_S
        deadline = begun + timeout_s
        self._wires, may_be_silent = self._connect(), False
        if self._wait_for_all(deadline, _SILENCE_S):
            silence_s = _SILENCE_S if self._may_be_silent() else math.inf
            first, self._wires = self._wires, self._connect()
            first.close()
            may_be_silent = self._wait_for_all(deadline, silence_s) and self._wires.speechless
        self.by_motion = may_move(self._connection) and not self._wires.absent() and self._choose(deadline)
        if ending := self._ending():
            raise lost("the simulation node to start", time.monotonic() - begun, ending)
        if self._wires.absent() and not may_be_silent:
            raise nobody(self._wires, self._robot, self._connection, timeout_s)
        if self._own is not None:
            self._own.stands()
        if not self.by_motion:
            self._wires.simulator.survey(_RECOGNIZE_S if self._own is None else _START_S)
        self._wires.settle()
        if self.by_motion or (self._connection.stepping != "lockstep" and not self._wires.simulator.ours):
            self._wires.inbox.relax()

    def _may_be_silent(self) -> bool:
        """A paused simulator may tell its state when that changes only: a reset, a step or playing will show."""
        stepping, services = self._connection.stepping, (RESET, "set_simulation_state")
        there = self._wires.simulator.offered()
        return stepping == "step_service" or (stepping == "realtime" and there.issuperset(services))

    def _wait_for_all(self, deadline: float, silence_s: float = math.inf) -> bool:
        """Wait until everybody is there; true when only the states are missing, for longer than `silence_s`."""
        wires, quiet_since = self._wires, math.inf

        def done() -> bool:
            nonlocal quiet_since
            absent = wires.absent()
            only_states = wires.silent and len(absent) == len(wires.unheard())
            quiet_since = min(quiet_since, time.monotonic()) if only_states else math.inf
            return not absent or bool(self._ending()) or time.monotonic() - quiet_since > silence_s

        wires.session.spin_until(done, max(0.0, deadline - time.monotonic()))
        return time.monotonic() - quiet_since > silence_s

    def _choose(self, deadline: float) -> bool:
        """Whether the robot is reset by its own motion: where it is told so, or where nobody offers a reset."""
        simulator, stepping = self._wires.simulator, self._connection.stepping
        if self._connection.reset_by == "motion":
            return True
        if not simulator.offers(RESET, _SERVED_S):
            self.log.info(f"Nobody offers the service {RESET}: reset() moves the robot home.")
            return True
        simulator.need(NEEDED[stepping])
        self._wait_for_all(deadline)
        self.log.info(f"Somebody offers the service {RESET}: reset() calls it.")
        return False

    def _compare(self, mode: str) -> None:
        """Our own node says what it runs; any other simulator is taken at its word."""
        mine: dict[str, object] = {"mode": mode} if self._connection.stepping != "step_service" else {}
        mine.update((fact_name(self._among_others(), fact.name), fact.value) for fact in facts(self._robot))
        theirs = self.simulator.parameters(*mine)
        for name, value in mine.items():
            other = theirs.get(name, value)
            if (list(other) if isinstance(value, list) else other) != value:
                raise OptionError(
                    f"the simulator and this environment differ in '{name}'",
                    got=f"{other!r} on the simulator's side",
                    expected=repr(value),
                    remedy="Start the simulator with the same robot file and the mode that the stepping needs",
                )

    def _among_others(self) -> str:
        """The robot's namespace below that of the simulator; empty for a robot that is alone."""
        return "" if self._own is not None else place_below(self._connection.namespace, self._connection.simulator)


def _start(robot: RobotFile, mode: str, connection: Connection) -> OwnNode:
    paused = connection.stepping == "step_service"
    return OwnNode(robot, mode, connection.namespace, connection.domain_id, paused)
