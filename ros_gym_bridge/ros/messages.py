"""Between our values and ROS messages: pure conversions."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import JointState

from ros_gym_bridge.errors import BridgeError
from ros_gym_bridge.robot import NANOSECONDS, FloatArray, RobotState, Sample, read_only


def to_time(stamp_ns: int) -> Time:
    """A stamp as builtin_interfaces/Time."""
    return Time(sec=stamp_ns // NANOSECONDS, nanosec=stamp_ns % NANOSECONDS)


def to_ns(time: Time) -> int:
    """builtin_interfaces/Time as nanoseconds."""
    return int(time.sec) * NANOSECONDS + int(time.nanosec)


def fill_joint_state(message: JointState, state: RobotState) -> JointState:
    """Write a state into a message that has its names already; arrays of doubles are what rosidl takes fastest."""
    message.header.stamp = to_time(state.stamp_ns)
    message.position = array("d", state.position.tobytes())
    message.velocity = array("d", state.velocity.tobytes())
    message.effort = array("d", state.effort.tobytes())
    return message


def fill_pose(message: PoseStamped, sample: Sample) -> PoseStamped:
    """Write a `link_pose` sample (x y z in m, quaternion x y z w) into a message."""
    message.header.stamp = to_time(sample.stamp_ns)
    x, y, z, qx, qy, qz, qw = sample.value.tolist()
    message.pose.position.x, message.pose.position.y, message.pose.position.z = x, y, z
    rotation = message.pose.orientation
    rotation.x, rotation.y, rotation.z, rotation.w = qx, qy, qz, qw
    return message


def pose_sample(message: PoseStamped) -> Sample:
    """Inverse of `fill_pose`."""
    p, q = message.pose.position, message.pose.orientation
    return Sample(to_ns(message.header.stamp), read_only([p.x, p.y, p.z, q.x, q.y, q.z, q.w]))


class JointStateReader:
    """Joint arrays in the robot file's order from a JointState in any order.

    Args:
        joints: the robot file's joints.
    """

    def __init__(self, joints: Sequence[str]) -> None:
        self._joints = list(joints)
        self._names: list[str] = []
        self._order: list[int] = []

    def __call__(self, message: JointState) -> tuple[FloatArray, FloatArray, FloatArray] | list[str]:
        """Position, velocity and effort, `(n_joints,)` each and read-only, or the names of the joints that are missing.

        Further joints are ignored. What a message leaves out is NaN.
        """
        if message.name != self._names:
            missing = [name for name in self._joints if name not in message.name]
            if missing:
                return missing
            self._names = list(message.name)
            self._order = [self._names.index(name) for name in self._joints]
        block = np.empty((3, len(self._joints)))
        for row, values in enumerate((message.position, message.velocity, message.effort)):
            block[row] = np.frombuffer(values)[self._order] if len(values) == len(self._names) else math.nan
        block.setflags(write=False)
        return block[0], block[1], block[2]


class CommandRefused(BridgeError, ValueError):
    """A command message that was refused whole; `kind` is the counter that it adds to.

    `provisional`: the text will soon say more, see `Counters.add`.
    """

    def __init__(
        self, kind: str, what: str, got: str = "", expected: str = "", remedy: str = "", provisional: bool = False
    ) -> None:
        super().__init__(what, got=got, expected=expected, remedy=remedy or "The last good command stands")
        self.kind, self.provisional = kind, provisional


class CommandReader:
    """Reads the JointState commands of one topic: by joint name, in any order, whole or not at all.

    Args:
        interface: `position`, `velocity` or `effort`, what the topic's joints are commanded by.
        indices: where each joint's number stands in the command vector.
    """

    def __init__(self, interface: str, indices: Mapping[str, int]) -> None:
        self._interface = interface
        self._indices = indices

    def __call__(self, message: JointState) -> tuple[list[int], list[float]]:
        """Indices into the command vector, and the values that belong there.

        Raises:
            CommandRefused: unknown or repeated joint, lengths that differ, another interface, a value that is not
                finite, nothing commanded.
        """
        names = message.name
        self._check_names(names)
        self._check_interfaces(message)
        values: Any = getattr(message, self._interface)
        if len(values) != len(names):
            raise CommandRefused(
                "length",
                "names and values of different length",
                got=f"{len(names)} names, {len(values)} values in '{self._interface}'",
                expected="one value for each name",
            )
        numbers = values.tolist()
        for name, number in zip(names, numbers, strict=True):
            if not math.isfinite(number):
                raise CommandRefused(
                    "not_finite",
                    f"{self._interface} for joint '{name}' is not finite",
                    got=str(number),
                    expected="a number",
                )
        return [self._indices[name] for name in names], numbers

    def _check_names(self, names: Sequence[str]) -> None:
        known = ", ".join(self._indices)
        for name in names:
            if name not in self._indices:
                raise CommandRefused("unknown_joint", "unknown joint", got=repr(name[:80]), expected=f"one of {known}")
        if len(set(names)) != len(names):
            twice = next(name for name in names if list(names).count(name) > 1)
            raise CommandRefused(
                "repeated_joint", "the same joint twice", got=f"'{twice}'", expected="every joint once"
            )

    def _check_interfaces(self, message: JointState) -> None:
        given = [name for name in ("position", "velocity", "effort") if len(getattr(message, name))]
        if not message.name or not given:
            raise CommandRefused(
                "nothing_commanded",
                "nothing is commanded",
                got=f"{len(message.name)} names, no values" if message.name else "no names",
                expected=f"joint names and '{self._interface}' values",
            )
        wrong = [name for name in given if name != self._interface]
        if wrong:
            raise CommandRefused(
                "wrong_interface",
                f"'{wrong[0]}' for joints that are commanded by {self._interface}",
                got=f"values in {', '.join(given)}",
                expected=f"values in '{self._interface}' only",
                remedy="Leave the other arrays empty; the last good command stands",
            )
