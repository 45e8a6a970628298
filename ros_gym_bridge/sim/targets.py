"""What stands as commanded to one robot: numbers that hold, positions over time, twists that grow old. No ROS."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.groups import ActuatorGroup, DiffDrive, JointTrajectory
from ros_gym_bridge.robot import NANOSECONDS, FloatArray, read_only
from ros_gym_bridge.safety_checks import command_timeout_s
from ros_gym_bridge.schema_safety import of_joint
from ros_gym_bridge.sim.trajectory import Knot, Trajectory


class Setpoint(NamedTuple):
    """Numbers of the command vector, by index, that hold until others come; the rest of the vector stays."""

    indices: Sequence[int]
    values: Sequence[float]


class Motion(NamedTuple):
    """Positions over time for some joints of a `joint_trajectory`; the others of the group hold their target.

    Attributes:
        group: its name.
        columns: which joints, by their places in the group.
        begin_ns: when it begins.
        knots: after that, for those joints; none to stop and hold.
    """

    group: str
    columns: Sequence[int]
    begin_ns: int
    knots: Sequence[Knot]


Order = Setpoint | Motion


class Targets:
    """The standing command of a robot.

    Args:
        robot: its file.
    """

    def __init__(self, robot: RobotFile) -> None:
        self._home = robot.spec.command_home
        self._vector = np.array(self._home)
        first = 0
        self._tracks: dict[str, _Track] = {}
        self._ageing: list[_Ageing] = []
        for group in robot.config.actuators:
            count = 2 if isinstance(group, DiffDrive) else len(group.joints)
            if isinstance(group, JointTrajectory):
                self._tracks[group.name] = _Track(slice(first, first + count), self._home[first : first + count])
            elif math.isfinite(timeout_s := _timeout_s(robot, group)):
                columns = range(first, first + count)
                self._ageing.append(_Ageing(columns, round(timeout_s * NANOSECONDS), _damping(robot, group)))
            first += count

    def take(self, order: Order, now_ns: int, applied: FloatArray) -> None:
        """Obey a good command from now on.

        Args:
            order: the command.
            now_ns: the present stamp.
            applied: `(n_command,)`, what is applied at present, from which a trajectory sets out.
        """
        if isinstance(order, Motion):
            track = self._tracks[order.group]
            track.take(order, now_ns, applied[track.columns])
            return
        self._vector[list(order.indices)] = order.values
        for ageing in self._ageing:
            if not set(ageing.columns).isdisjoint(order.indices):
                ageing.heard_ns = now_ns

    def jump(self, held: Mapping[int, float], now_ns: int) -> None:
        """The robot was put elsewhere by hand: numbers that hold from now on, by index; what moves stops."""
        self._vector[list(held)] = list(held.values())
        self.hold(now_ns)

    def halt(self, held: Mapping[int, float], now_ns: int) -> None:
        """Numbers that hold from now on, by index, in place of whatever was asked of them; the others go on."""
        self._vector[list(held)] = list(held.values())
        for track in self._tracks.values():
            if not held.keys().isdisjoint(range(track.columns.start, track.columns.stop)):
                track.stop(now_ns, self._vector[track.columns])

    def at(self, begin_ns: int, end_ns: int, velocity: FloatArray) -> FloatArray:
        """`(n_command,)` the target of the control period between two stamps: positions over time are those of its end,
        and what grows old is too old by its beginning. `velocity` `(n_joints,)` is that of the joints then."""
        for ageing in self._ageing:
            if begin_ns - ageing.heard_ns > ageing.timeout_ns:
                self._vector[ageing.columns] = 0.0
                for column, joint, damping in ageing.damped:
                    if math.isfinite(velocity[joint]):
                        self._vector[column] = -damping * velocity[joint]
        for track in self._tracks.values():
            self._vector[track.columns] = track.at(end_ns)
        return read_only(self._vector)

    def reset(self) -> None:
        """Everything at home."""
        self._vector[:] = self._home
        self.hold(0)

    def hold(self, now_ns: int) -> None:
        """Time has turned back to `now_ns`: what holds stays, what moves stops."""
        for track in self._tracks.values():
            track.stop(now_ns, self._vector[track.columns])
        self.heard(now_ns)

    def heard(self, now_ns: int) -> None:
        """Nothing is old: everybody who moves time has commanded."""
        for ageing in self._ageing:
            ageing.heard_ns = now_ns


class _Ageing:
    """Numbers of the command that move the robot for as long as they stand: when the last ones were heard.

    Args:
        columns: of the command vector.
        timeout_ns: after which they are too old, and become 0.
        damped: efforts that oppose the motion then: column, joint and N m s/rad.
    """

    def __init__(self, columns: Sequence[int], timeout_ns: int, damped: Sequence[tuple[int, int, float]]) -> None:
        self.columns, self.timeout_ns, self.damped, self.heard_ns = list(columns), timeout_ns, damped, 0


def _timeout_s(robot: RobotFile, group: ActuatorGroup) -> float:
    """Silence after which the commands of a group are too old; inf for positions, which lead nowhere else."""
    if isinstance(group, DiffDrive):
        return group.cmd_vel_timeout_s or math.inf
    return math.inf if group.interface == "position" else command_timeout_s(robot.config, group)


def _damping(robot: RobotFile, group: ActuatorGroup) -> list[tuple[int, int, float]]:
    spec, safety = robot.spec, robot.config.safety
    if safety.stop != "damp":
        return []
    return [
        (column, spec.joints.index(entry.joint), of_joint(safety.damping, entry.joint, 0.0))
        for column, entry in enumerate(spec.commands)
        if entry.group == group.name and entry.interface == "effort"
    ]


class _Track:
    """What a group of joints follows: one trajectory, and perhaps another that begins later.

    Attributes:
        columns: of the command vector.

    Args:
        columns: as above.
        position: `(n,)` of the joints, where they hold at first.
    """

    def __init__(self, columns: slice, position: FloatArray) -> None:
        self.columns = columns
        self.stop(0, position)

    def stop(self, now_ns: int, position: FloatArray) -> None:
        """Follow nothing, and hold."""
        self._present = Trajectory([Knot(now_ns, np.array(position))])
        self._next: Trajectory | None = None

    def take(self, motion: Motion, now_ns: int, applied: FloatArray) -> None:
        """Follow another trajectory: at once, or from when it begins. What of it is in the past is left out."""
        self.at(now_ns)
        if not motion.knots:
            self.stop(now_ns, applied)
            return
        begin_ns = max(now_ns, motion.begin_ns)
        start = self._present.at(begin_ns)
        if begin_ns == now_ns:
            start = start._replace(position=np.array(applied))
        ahead = [_spread(knot, motion.columns, start) for knot in motion.knots if knot.time_ns >= begin_ns]
        trajectory = Trajectory(ahead if ahead[0].time_ns == begin_ns else [start, *ahead])
        if begin_ns == now_ns:
            self._present, self._next = trajectory, None
        else:
            self._next = trajectory

    def at(self, time_ns: int) -> FloatArray:
        """`(n,)` the position at an instant, which may not go back."""
        if self._next is not None and time_ns >= self._next.begin_ns:
            self._present, self._next = self._next, None
        return self._present.at(time_ns).position


def _spread(knot: Knot, columns: Sequence[int], start: Knot) -> Knot:
    """A knot of some joints as one of all joints; the others stand where they start."""
    position = np.array(start.position)
    position[list(columns)] = knot.position
    return Knot(knot.time_ns, position, _at(columns, knot.velocity, start), _at(columns, knot.acceleration, start))


def _at(columns: Sequence[int], values: FloatArray | None, start: Knot) -> FloatArray | None:
    if values is None:
        return None
    spread = np.zeros_like(start.position)
    spread[list(columns)] = values
    return spread
