"""Messages that are a row of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ros_gym_bridge.message_types.base import (
    ANYTHING,
    DISTANCE,
    Array,
    Bounds,
    MessageRefused,
    Numbers,
    Wanted,
    WantedError,
    axes,
    chosen,
    exactly,
    frozen,
)

_UNIT: Bounds = (-1.0, 1.0)
_JOINT_FIELDS = ("position", "velocity", "effort")


def _pose(path: str) -> dict[str, Bounds]:
    return axes(f"{path}position", "xyz", ANYTHING) | axes(f"{path}orientation", "xyzw", _UNIT)


def _twist(path: str) -> dict[str, Bounds]:
    return axes(f"{path}linear", "xyz", ANYTHING) | axes(f"{path}angular", "xyz", ANYTHING)


class Imu(Numbers):
    """Orientation, angular velocity, specific force."""

    name = "sensor_msgs/msg/Imu"
    reads = "float64 `(10,)`: orientation x y z w, angular velocity, linear acceleration; of these the `fields`"
    numbers: ClassVar[Mapping[str, Bounds]] = {
        **axes("orientation", "xyzw", _UNIT),
        **axes("angular_velocity", "xyz", ANYTHING),
        **axes("linear_acceleration", "xyz", ANYTHING),
    }


class Odometry(Numbers):
    """Pose and velocities."""

    name = "nav_msgs/msg/Odometry"
    reads = "float64 `(13,)`: position, orientation x y z w, linear and angular velocity; of these the `fields`"
    numbers: ClassVar[Mapping[str, Bounds]] = {**_pose("pose.pose."), **_twist("twist.twist.")}


class PoseStamped(Numbers):
    """A pose."""

    name = "geometry_msgs/msg/PoseStamped"
    reads = "float64 `(7,)`: position, orientation x y z w; of these the `fields`"
    numbers: ClassVar[Mapping[str, Bounds]] = _pose("pose.")


class TwistStamped(Numbers):
    """Velocities."""

    name = "geometry_msgs/msg/TwistStamped"
    reads = "float64 `(6,)`: linear and angular velocity; of these the `fields`"
    numbers: ClassVar[Mapping[str, Bounds]] = _twist("twist.")


class WrenchStamped(Numbers):
    """A force and a torque."""

    name = "geometry_msgs/msg/WrenchStamped"
    reads = "float64 `(6,)`: force and torque; of these the `fields`"
    numbers: ClassVar[Mapping[str, Bounds]] = {
        **axes("wrench.force", "xyz", ANYTHING),
        **axes("wrench.torque", "xyz", ANYTHING),
    }


class Range(Numbers):
    """One distance."""

    name = "sensor_msgs/msg/Range"
    reads = "float32 `(1,)`: the distance"
    keys: tuple[str, ...] = ()
    numbers: ClassVar[Mapping[str, Bounds]] = {"range": DISTANCE}
    dtype: np.dtype[Any] = np.dtype(np.float32)


class JointState:
    """Positions, velocities and efforts of joints by name, in any order."""

    name = "sensor_msgs/msg/JointState"
    reads = "float64 `(fields * joints,)`: of each of the `fields` (position, velocity, effort) all `joints`; NaN for "
    reads += "what a message leaves out"
    keys: tuple[str, ...] = ("fields", "joints")
    dtype: np.dtype[Any] = np.dtype(np.float64)

    def __init__(self, wanted: Wanted) -> None:
        self._fields = chosen(_JOINT_FIELDS, wanted.fields)
        self._joints = wanted.joints
        if not self._joints:
            raise WantedError("joints", None, "names of joints", "Say which joints the channel is about")
        self.shape: tuple[int, ...] = (len(self._fields) * len(self._joints),)
        self.low: float | Array
        self.high: float | Array
        self.low, self.high = wanted.bounds or ANYTHING

    def __call__(self, message: Any) -> Array:
        """See `MessageType`."""
        names = list(message.name)
        missing = [joint for joint in self._joints if joint not in names]
        if missing:
            raise MessageRefused(f"joints {', '.join(missing)} are not among {', '.join(names) or 'none'}")
        order = [names.index(joint) for joint in self._joints]
        value = np.full((len(self._fields), len(order)), math.nan)
        for row, field in enumerate(self._fields):
            numbers = getattr(message, field)
            if len(numbers) == len(names):
                value[row] = np.asarray(numbers)[order]
        return frozen(value.reshape(self.shape))


class Float64MultiArray:
    """Numbers without names and stamp."""

    name = "std_msgs/msg/Float64MultiArray"
    reads = "float64 of the `shape`, row by row"
    keys: tuple[str, ...] = ("shape",)
    dtype: np.dtype[Any] = np.dtype(np.float64)

    def __init__(self, wanted: Wanted) -> None:
        self.shape: tuple[int, ...] = exactly(wanted, (1, 2, 3), "the shape of the numbers, such as [6]")
        self.low: float | Array
        self.high: float | Array
        self.low, self.high = wanted.bounds or ANYTHING
        self._size = math.prod(self.shape)

    def __call__(self, message: Any) -> Array:
        """See `MessageType`."""
        if len(message.data) != self._size:
            shape = " x ".join(map(str, self.shape))
            raise MessageRefused(f"{len(message.data)} numbers, expected {shape} = {self._size}")
        return frozen(np.array(message.data, dtype=self.dtype).reshape(self.shape))


class CameraInfo:
    """What a camera says of itself."""

    name = "sensor_msgs/msg/CameraInfo"
    reads = "float64: the `fields` of k (9 numbers; the default), r (9), p (12), height and width, one after the other"
    keys: tuple[str, ...] = ("fields",)
    dtype: np.dtype[Any] = np.dtype(np.float64)
    _sizes: ClassVar[Mapping[str, int]] = {"k": 9, "r": 9, "p": 12, "height": 1, "width": 1}

    def __init__(self, wanted: Wanted) -> None:
        self._fields = chosen(list(self._sizes), wanted.fields or ("k",))
        self.shape: tuple[int, ...] = (sum(self._sizes[field] for field in self._fields),)
        self.low: float | Array
        self.high: float | Array
        self.low, self.high = wanted.bounds or (-10_000.0, 10_000.0)

    def __call__(self, message: Any) -> Array:
        """See `MessageType`."""
        parts = [np.ravel(getattr(message, field)) for field in self._fields]
        return frozen(np.concatenate(parts).astype(self.dtype))
