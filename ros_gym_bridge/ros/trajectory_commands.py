"""Reads trajectories, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from ros_gym_bridge.robot import NANOSECONDS, FloatArray
from ros_gym_bridge.ros.messages import to_ns
from ros_gym_bridge.ros.refused import CommandRefused, check_names, not_finite
from ros_gym_bridge.sim.targets import Motion
from ros_gym_bridge.sim.trajectory import Knot

_STILL = float(np.finfo(np.float32).eps)  # what joint_trajectory_controller takes for standing still


class TrajectoryCommands:
    """Reads the JointTrajectory commands of one group.

    Args:
        group: its name.
        joints: in its order.
        allow_partial: a message may leave joints out.
    """

    kind = JointTrajectory

    def __init__(self, group: str, joints: Sequence[str], allow_partial: bool) -> None:
        self._group, self._joints, self._allow_partial = group, list(joints), allow_partial

    def __call__(self, message: JointTrajectory, now_ns: int | None = None) -> Motion:
        """What is commanded; a message without points stops the group.

        Args:
            message: the trajectory.
            now_ns: the present stamp; None where the message's stamp is that of the state that it answers.

        Raises:
            CommandRefused: unknown, repeated or missing joint, lengths that differ, an effort, a value that is not
                finite, times that do not increase, an end in motion or in the past.
        """
        names = list(message.joint_names)
        check_names(names, self._joints, self._joints)
        stamp_ns = to_ns(message.header.stamp)
        begin_ns = stamp_ns if now_ns is None or stamp_ns else now_ns
        if not message.points:
            return Motion(self._group, (), begin_ns, ())
        self._check_complete(names)
        knots = [self._knot(point, names, begin_ns, i) for i, point in enumerate(message.points)]
        _check_times(knots, begin_ns)
        _check_end(knots[-1], names, now_ns)
        return Motion(self._group, [self._joints.index(name) for name in names], begin_ns, knots)

    def _check_complete(self, names: Sequence[str]) -> None:
        missing = [name for name in self._joints if name not in names]
        if not names or (missing and not self._allow_partial):
            raise CommandRefused(
                "missing_joint",
                "joints are missing" if names else "points without joint names",
                got=f"no {', '.join(missing)}",
                expected=f"all joints of '{self._group}'" if not self._allow_partial else "at least one joint",
            )

    def _knot(self, point: JointTrajectoryPoint, names: Sequence[str], begin_ns: int, i: int) -> Knot:
        if len(point.effort):
            raise CommandRefused(
                "wrong_interface",
                f"point {i} has efforts, and '{self._group}' is commanded by position",
                got=f"{len(point.effort)} values",
                expected="'effort' to be empty",
            )
        position = _field(point, "positions", names, i)
        velocity, acceleration = (_field(point, field, names, i) for field in ("velocities", "accelerations"))
        if position is None or (acceleration is not None and velocity is None):
            raise CommandRefused(
                "length",
                f"point {i} lacks {'positions' if position is None else 'velocities'}",
                got=f"{len(point.positions)} positions, {len(point.velocities)} velocities, "
                f"{len(point.accelerations)} accelerations",
                expected="positions, and velocities where there are accelerations",
            )
        return Knot(begin_ns + to_ns(point.time_from_start), position, velocity, acceleration)


def _field(point: JointTrajectoryPoint, field: str, names: Sequence[str], i: int) -> FloatArray | None:
    """One array of a point; None when it is empty."""
    values: Any = getattr(point, field)
    if not len(values):
        return None
    if len(values) != len(names):
        raise CommandRefused(
            "length",
            f"names and {field} of point {i} of different length",
            got=f"{len(names)} names, {len(values)} {field}",
            expected="one value for each name",
        )
    array = np.array(values, dtype=np.float64)
    if not np.isfinite(array).all():
        place = int(np.argmin(np.isfinite(array)))
        raise not_finite(f"{field} of joint '{names[place]}' in point {i}", array[place])
    return array


def _check_times(knots: Sequence[Knot], begin_ns: int) -> None:
    before_ns = begin_ns - 1
    for i, knot in enumerate(knots):
        if knot.time_ns <= before_ns:
            raise CommandRefused(
                "times",
                f"time_from_start of point {i} is {'not later than that of the point before' if i else 'negative'}",
                got=f"{(knot.time_ns - begin_ns) / NANOSECONDS} s",
                expected=f"more than {(before_ns - begin_ns) / NANOSECONDS} s" if i else "0 s or more",
            )
        before_ns = knot.time_ns


def _check_end(last: Knot, names: Sequence[str], now_ns: int | None) -> None:
    if last.velocity is not None and (np.abs(last.velocity) > _STILL).any():
        place = int(np.argmax(np.abs(last.velocity)))
        raise CommandRefused(
            "moving_end",
            f"joint '{names[place]}' does not stand still at the last point",
            got=f"velocity {last.velocity[place]}",
            expected="velocity 0, since the last point is held",
        )
    if now_ns is not None and last.time_ns < now_ns:
        raise CommandRefused(
            "past",
            "all points of the trajectory are in the past",
            got=f"an end at {last.time_ns} ns",
            expected=f"an end after {now_ns} ns, or header.stamp 0 to begin now",
        )
