"""What stands between an agent and a robot: which commands pass, and when the robot is stopped. Works on values; no ROS
of its own."""

from __future__ import annotations

import enum
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.groups import DiffDrive
from ros_gym_bridge.robot import NANOSECONDS, FloatArray
from ros_gym_bridge.ros.refused import CommandRefused
from ros_gym_bridge.safety import SafetyFilter
from ros_gym_bridge.safety_checks import command_timeout_s
from ros_gym_bridge.sim.targets import Motion, Order, Targets

_PERIODS = 2  # what did not come for longer is not made up for by a larger step


class Mode(enum.Enum):
    """What the guard does."""

    WAITING = "waiting for joint states"
    IDLE = "no command yet"
    PASSING = "passing commands"
    SILENT = "stopped: no commands"
    STALE = "stopped: no fresh joint states"
    LATCHED = "stopped: emergency stop"


class Joints(NamedTuple):
    """What the robot told last, `(n_joints,)` each; NaN for what it does not tell."""

    position: FloatArray
    velocity: FloatArray
    effort: FloatArray


class Part:
    """The numbers that one topic commands.

    Attributes:
        columns: of the command vector.
        timeout_s: silence after which they are stopped; inf: never.
        heard_s: when the last good command came, on the steady clock; -inf before the first.
        busy_s: how long that command goes on by itself.
        halted: it is stopped.
        moved_ns: the robot's time when it was commanded last.
        stopped_s: the same of being stopped, on the steady clock.
        limited: how many commands were not obeyed to the letter.
    """

    def __init__(self, columns: list[int], timeout_s: float) -> None:
        self.columns, self.timeout_s = columns, timeout_s
        self.heard_s = -math.inf
        self.busy_s = 0.0
        self.halted = True
        self.moved_ns: int | None = None
        self.stopped_s: float | None = None
        self.limited = 0

    @property
    def idle(self) -> bool:
        """Nobody has commanded it yet."""
        return self.heard_s == -math.inf

    def silent(self, now_s: float) -> bool:
        """Whether the last command is too old."""
        return now_s - self.heard_s > self.busy_s + self.timeout_s


class Guard:
    """Takes commands and joint states, and says what is to be published on which topics.

    The robot's time is that of its joint states; how old things are is measured on a steady clock.

    Attributes:
        parts: by command topic.
        latched: why there is an emergency stop; empty without one.

    Args:
        robot: the robot file.
        clock: seconds, steady.
    """

    def __init__(self, robot: RobotFile, clock: Callable[[], float] = time.monotonic) -> None:
        self._robot, self._clock = robot, clock
        self._filter, self._targets = SafetyFilter(robot), Targets(robot)
        self._period_s = 1.0 / robot.config.rates.control_hz
        self._states_timeout_s = robot.config.safety.states_timeout_s(robot.config.rates.control_hz)
        self.parts: Mapping[str, Part] = _parts(robot)
        self.latched = ""
        self._joints: Joints | None = None
        self._stamp_ns = 0
        self._fresh_s = -math.inf
        self._lost = True

    @property
    def applied(self) -> FloatArray:
        """`(n_command,)`, what stands."""
        return self._filter.applied

    @property
    def mode(self) -> Mode:
        """What the guard does now."""
        if self.latched:
            return Mode.LATCHED
        if self._joints is None:
            return Mode.WAITING
        if self.stale:
            return Mode.STALE
        commanded = [part for part in self.parts.values() if not part.idle]
        if not commanded:
            return Mode.IDLE
        now_s = self._clock()
        return Mode.SILENT if any(part.halted or part.silent(now_s) for part in commanded) else Mode.PASSING

    @property
    def stamp_ns(self) -> int:
        """The robot's time; 0 before the first joint states."""
        return self._stamp_ns

    @property
    def states_age_s(self) -> float:
        """How long ago the robot's time moved; inf before the first joint states."""
        return self._clock() - self._fresh_s

    @property
    def stale(self) -> bool:
        """Whether the joint states are too old, or their time stands."""
        return self.states_age_s > self._states_timeout_s

    def hear_joints(self, stamp_ns: int, joints: Joints) -> None:
        """Joint states have come.

        Args:
            stamp_ns: theirs; 0 for a robot that does not stamp.
            joints: in the robot file's order.
        """
        was_lost = self._lost or self.stale
        back = bool(stamp_ns) and stamp_ns < self._stamp_ns
        if not stamp_ns or stamp_ns != self._stamp_ns:
            self._fresh_s = self._clock()
            self._stamp_ns = stamp_ns or round(self._fresh_s * NANOSECONDS)
        self._joints = joints
        if back or (was_lost and not self.stale):
            self._lost = False
            self._begin_anew(self.parts.values())

    def command(self, topic: str, order: Order) -> list[str]:
        """Pass a good command on.

        Args:
            topic: where it came, without the agent's prefix.
            order: what is commanded.

        Returns:
            The topics on which `applied` is to be published.

        Raises:
            CommandRefused: the robot is stopped, or its state is not known; nothing has changed.
        """
        part = self.parts[topic]
        self._check(part)
        now_s = self._clock()
        if part.idle:
            self._begin_anew([part])
        self._targets.take(order, self._stamp_ns, self.applied)
        part.heard_s, part.busy_s, part.halted = now_s, _lasts_s(order, self._stamp_ns), False
        part.stopped_s = None
        asked, changed = self._pass([part])
        part.limited += not np.array_equal(self.applied[part.columns], asked[part.columns])
        return [name for name in self.parts if name == topic or name in changed]

    def tick(self) -> list[str]:
        """To be called about once a control period: go on with what takes time, stop what must stop.

        Returns:
            The topics on which `applied` is to be published.
        """
        if self._joints is None:
            return []
        stale, now_s = self.stale, self._clock()
        self._lost = self._lost or stale
        halting, going = list[str](), list[Part]()
        for topic, part in self.parts.items():
            if part.idle and not self.latched:
                continue
            if self.latched or stale or part.halted or part.silent(now_s):
                self._halt(part, stale, now_s)
                halting.append(topic)
            else:
                going.append(part)
        return halting + (self._pass(going)[1] if going else [])

    def stop(self, why: str) -> list[str]:
        """Emergency stop, until `reset`; the topics on which `applied` is to be published."""
        self.latched = self.latched or why
        return self.tick()

    def reset(self) -> None:
        """End the emergency stop; the robot stays where it is until the next command."""
        self.latched = ""

    def _check(self, part: Part) -> None:
        if self.latched:
            remedy = f"Call the service '{self._robot.config.safety.reset_service}' when it is safe"
            raise CommandRefused("stopped", "emergency stop", self.latched, "a reset", remedy)
        if self._joints is None or self.stale:
            age = "none" if self._joints is None else f"none that is new for {self.states_age_s:.2f} s"
            expected = f"joint states whose stamps go on within {self._states_timeout_s:g} s"
            remedy = (
                "Look at the robot, and at its topic; a simulator that is paused or in lockstep needs no safety node"
            )
            raise CommandRefused("no_joint_states", "where the robot is is not known", age, expected, remedy)
        still = self._filter.at_rest(self._joints)
        unknown = [column for column in part.columns if math.isnan(still[column])]
        if unknown:
            name = self._robot.spec.commands[unknown[0]].joint
            got, expected = f"no position of joint '{name}'", "a position of every joint that is commanded by one"
            raise CommandRefused("no_joint_states", "where the robot is is not known", got, expected)

    def _pass(self, parts: Iterable[Part]) -> tuple[FloatArray, list[str]]:
        """Filter what stands for some parts; what was asked, and the topics whose numbers have changed."""
        assert self._joints is not None
        now_ns, before = self._stamp_ns, self.applied
        end_ns = now_ns + round(self._period_s * NANOSECONDS)
        target = self._targets.at(now_ns, end_ns, self._joints.velocity)
        asked, seconds = np.array(before), np.zeros(len(before))
        for part in parts:
            asked[part.columns] = target[part.columns]
            seconds[part.columns] = self._elapsed_s(part.moved_ns, now_ns)
            part.moved_ns = now_ns
        after = self._filter(asked, self._joints, seconds)
        return asked, [t for t, p in self.parts.items() if not np.array_equal(after[p.columns], before[p.columns])]

    def _elapsed_s(self, then_ns: int | None, now_ns: int) -> float:
        """Since a part was commanded last, in the robot's time; one control period for the first time."""
        if then_ns is None:
            return self._period_s
        return min(max((now_ns - then_ns) / NANOSECONDS, 0.0), _PERIODS * self._period_s)

    def _halt(self, part: Part, stale: bool, now_s: float) -> None:
        assert self._joints is not None
        first = part.stopped_s is None
        elapsed_s = self._period_s if part.stopped_s is None else now_s - part.stopped_s
        seconds = np.full(len(self.applied), min(elapsed_s, _PERIODS * self._period_s))
        nothing = np.full(len(self._joints.position), math.nan)
        seen = Joints(nothing, nothing, nothing) if stale else self._joints
        if part.idle and first and not stale:
            self._begin_anew([part])
        self._filter.halt(part.columns, seen, seconds, first)
        part.halted, part.stopped_s, part.moved_ns = True, now_s, None
        self._targets.halt({column: float(self.applied[column]) for column in part.columns}, self._stamp_ns)

    def _begin_anew(self, parts: Iterable[Part]) -> None:
        """From where the robot is, at rest: whatever was asked before is forgotten."""
        assert self._joints is not None
        still = self._filter.at_rest(self._joints)
        for part in parts:
            known = [column for column in part.columns if not math.isnan(still[column])]
            self._filter.seed(known, still)
            self._targets.halt({column: float(still[column]) for column in known}, self._stamp_ns)
            part.moved_ns, part.halted = None, True


def _parts(robot: RobotFile) -> dict[str, Part]:
    """One for each distinct command topic."""
    parts: dict[str, Part] = {}
    first = 0
    for group in robot.config.actuators:
        count = 2 if isinstance(group, DiffDrive) else len(group.joints)
        columns = list(range(first, first + count))
        if group.topic in parts:
            parts[group.topic].columns += columns
        else:
            parts[group.topic] = Part(columns, command_timeout_s(robot.config, group))
        first += count
    return parts


def _lasts_s(order: Order, now_ns: int) -> float:
    """How long a command goes on by itself: a trajectory until its end."""
    if isinstance(order, Motion) and order.knots:
        return max(0.0, (order.knots[-1].time_ns - now_ns) / NANOSECONDS)
    return 0.0
