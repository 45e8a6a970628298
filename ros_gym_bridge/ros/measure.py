"""Measures a live robot by small moves: how long a command takes until a state shows it, and how states are at rest."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import MeasurementError
from ros_gym_bridge.groups import DiffDrive
from ros_gym_bridge.homing import holding
from ros_gym_bridge.measurement import MeasuredGroup, MeasuredStates, Measurement, now_text
from ros_gym_bridge.response import Heard, Onset, of_states, spread, statistics
from ros_gym_bridge.robot import NANOSECONDS, FloatArray, read_only
from ros_gym_bridge.ros.link import Link
from ros_gym_bridge.ros.operator import Operator
from ros_gym_bridge.ros.periods import Periods

_PUSH_S = 0.1  # for so long a velocity is commanded
_ANSWER_S = 3.0
_CALM_S = 0.3
_FEWEST = 10  # states at rest, before a move


@dataclass(frozen=True)
class Moves:
    """What the robot is asked for.

    Attributes:
        count: moves of each group, there and back in turn.
        size: rad or m; of a drive m along the ground.
        rest_s: how long it is watched at rest.
    """

    count: int = 40
    size: float = 0.02
    rest_s: float = 2.0


class _Probe(NamedTuple):
    """How one group is moved: by which number of the command and by how much, how long, and which joint shows it."""

    column: int
    value: float
    push_s: float
    joint: int
    way: float


def measure(robot: RobotFile, connection: Connection, moves: Moves, say: Callable[[str], None]) -> Measurement:
    """Measure a robot that runs. It stays where it is, but for the moves.

    Args:
        robot: its file.
        connection: where it is; `stepping="realtime"`, `attach=True`, `reset_by="motion"`.
        moves: how it is moved.
        say: told what is about to be done, one sentence at a time.

    Raises:
        RobotNotFoundError, RobotLostError: nobody is there, or no longer.
        ResetTimeoutError, RobotRefusedError: the operator, who is asked where the robot file says so.
        MeasurementError: the robot did not move, was not at rest, or somebody else commands it.
    """
    link = Link(robot, connection)
    try:
        return _Measuring(robot, link, moves, say).run(connection)
    finally:
        link.close()


class _Measuring:
    def __init__(self, robot: RobotFile, link: Link, moves: Moves, say: Callable[[str], None]) -> None:
        self._robot, self._spec, self._link, self._moves, self._say = robot, robot.spec, link, moves, say
        self._period_s = 1.0 / self._spec.control_hz
        self._heard: list[Heard] = []
        link.live_inbox.watch_joints(self._hear)

    def run(self, connection: Connection) -> Measurement:
        link, spec = self._link, self._spec
        self._check_alone()
        if self._robot.config.reset.ask_operator:
            asked = Operator(connection.operator, self._robot.config.reset.operator_timeout_s)
            asked.ask(link, f"Robot '{spec.name}' is about to make small moves.")
        self._still = holding(spec, link.live_inbox.position)
        try:
            states = self._at_rest()
            groups = {name: self._group(name, probe) for name, probe in self._probes().items()}
        finally:
            link.send_last(self._still)
        if not groups:
            raise MeasurementError(
                "no group can be measured",
                got=", ".join(entry.name for entry in spec.commands),
                expected="a position, a velocity or a drive",
                remedy="Efforts move a joint by how heavy it is; measure it with a controller by position",
            )
        return Measurement(robot=spec.name, measured_at=now_text(), groups=groups, joint_states=states)

    def _hear(self, heard: Heard) -> None:
        self._heard.append(heard)

    def _check_alone(self) -> None:
        others = self._link.others()
        if others:
            raise MeasurementError(
                "somebody else commands the robot",
                got=", ".join(others),
                expected="nobody",
                remedy="End the other program while you measure",
            )

    def _at_rest(self) -> MeasuredStates:
        seconds = self._moves.rest_s
        self._say(f"The robot holds where it is; its joint states are recorded for {seconds:g} s.")
        self._stream(self._still, _CALM_S)
        self._heard.clear()
        jumps = self._link.live_inbox.clock.jumps
        self._stream(self._still, seconds)
        if len(self._heard) < _FEWEST or self._link.live_inbox.clock.jumps != jumps:
            raise MeasurementError(
                "the joint states at rest cannot be used",
                got=f"{len(self._heard)} in {seconds:g} s, {self._link.live_inbox.clock.jumps - jumps} jumps of stamps",
                expected=f"at least {_FEWEST}, with stamps of a steady clock",
                remedy="Look at what publishes them: ros-gym-bridge doctor",
            )
        self._noise = spread(self._heard)[0]
        return of_states(self._heard)

    def _probes(self) -> dict[str, _Probe]:
        """For each group that can be moved, how."""
        probes: dict[str, _Probe] = {}
        column = 0
        for group in self._robot.config.actuators:
            count = 2 if isinstance(group, DiffDrive) else len(group.joints)
            probe = self._of_drive(group, column) if isinstance(group, DiffDrive) else self._of_joint(column, count)
            if probe is not None:
                probes[group.name] = probe
            column += count
        return probes

    def _of_joint(self, column: int, count: int) -> _Probe | None:
        """The joint of a group with the most room, moved towards the farther end."""
        entries, size = self._spec.commands[column : column + count], self._moves.size
        if entries[0].interface == "effort":
            return None
        joints = [self._spec.joints.index(entry.joint) for entry in entries]
        position = self._link.live_inbox.position
        below = (position - self._spec.lower)[joints]
        above = (self._spec.upper - position)[joints]
        best = int(np.argmax(np.maximum(below, above)))
        sign = 1.0 if above[best] >= below[best] else -1.0
        speed = self._spec.max_velocity[joints[best]] or np.inf
        if entries[best].interface == "velocity":
            value = min(size / _PUSH_S, 0.5 * entries[best].high)
            return _Probe(column + best, sign * value, _PUSH_S, joints[best], value * _PUSH_S)
        way = float(min(size, speed * self._period_s, 0.5 * max(below[best], above[best])))
        return _Probe(column + best, sign * way, 0.0, joints[best], way)

    def _of_drive(self, group: DiffDrive, column: int) -> _Probe:
        value = min(self._moves.size / _PUSH_S, 0.5 * self._spec.commands[column].high)
        wheel = self._spec.joints.index(group.left_wheels[0])
        return _Probe(column, value, _PUSH_S, wheel, value * _PUSH_S / group.wheel_radius)

    def _group(self, name: str, probe: _Probe) -> MeasuredGroup:
        entry, joint = self._spec.commands[probe.column], self._spec.joints[probe.joint]
        self._say(f"Group '{name}': {entry.name} is changed by {abs(probe.value):.3g} {self._moves.count} times.")
        trips = []
        for i in range(self._moves.count):
            forth = i % 2 == 0
            command = np.array(self._still)
            if probe.push_s:
                command[probe.column] = probe.value if forth else -probe.value
            elif forth:
                command[probe.column] += probe.value
            trips.append(self._move(name, probe, read_only(command)))
        spread_s = statistics(trips)
        return MeasuredGroup(
            joint=joint,
            move=probe.way,
            command_latency_s=spread_s.mean,
            command_jitter_s=spread_s.std,
            round_trip_s=spread_s,
        )

    def _move(self, name: str, probe: _Probe, command: FloatArray) -> float:
        """One move; seconds from the command to the arrival of the first state that shows it."""
        link = self._link
        link.serve_until(time.monotonic_ns() + round(random.uniform(0.0, self._period_s) * NANOSECONDS))
        rest = self._heard[-_FEWEST:]
        self._heard.clear()
        onset = Onset(rest, probe.joint, float(self._noise[probe.joint]), probe.way)
        sent_ns = time.monotonic_ns()
        self._stream(command, probe.push_s or self._period_s)
        after = read_only(self._still) if probe.push_s else command
        deadline = time.monotonic() + _ANSWER_S
        while (shown := onset.find(self._heard)) is None and time.monotonic() < deadline:
            self._stream(after, self._period_s)
        if shown is None:
            raise MeasurementError(
                f"group '{name}': joint '{self._spec.joints[probe.joint]}' did not move",
                got=f"no state within {_ANSWER_S:g} s in which it had",
                expected=f"{self._spec.commands[probe.column].name} to be obeyed, a way of {probe.way:.3g}",
                remedy="Look whether its controller is active and the robot enabled, or move it further: --size",
            )
        self._calm(after, probe.joint, onset.far)
        return (shown.arrived_ns - sent_ns) / NANOSECONDS

    def _calm(self, command: FloatArray, joint: int, far: float) -> None:
        """Wait until the newest states show a joint at rest again."""
        begun = time.monotonic()
        self._stream(command, _CALM_S)
        self._heard.clear()
        while True:
            self._stream(command, self._period_s)
            places = [heard.position[joint] for heard in self._heard[-_FEWEST:]]
            if len(places) == _FEWEST and max(places) - min(places) < far:
                return
            if time.monotonic() - begun > _CALM_S + _ANSWER_S:
                apart = max(places, default=0.0) - min(places, default=0.0)
                raise MeasurementError(
                    f"joint '{self._spec.joints[joint]}' does not come to rest after a move",
                    got=f"{len(places)} states, up to {apart:.3g} apart",
                    expected=f"{_FEWEST}, less than {far:.3g} apart",
                    remedy="Look whether its controller oscillates, or move it further: --size",
                )

    def _stream(self, command: FloatArray, seconds: float) -> None:
        """Say a command again in every control period, as an agent does."""
        periods = Periods(self._spec.control_hz)
        periods.begin(time.monotonic_ns())
        end_ns = time.monotonic_ns() + round(seconds * NANOSECONDS)
        while (now_ns := time.monotonic_ns()) < end_ns:
            self._link.send(command, self._link.live_inbox.newest_ns)
            self._link.serve_until(min(end_ns, periods.next(now_ns)[0]))
