"""Distances and points."""

from __future__ import annotations

from typing import Any

import numpy as np

from ros_gym_bridge.message_types.base import (
    ANYTHING,
    DISTANCE,
    Array,
    MessageRefused,
    Wanted,
    WantedError,
    chosen,
    exactly,
    frozen,
)
from ros_gym_bridge.message_types.buffers import records


class LaserScan:
    """The rays of a scanner."""

    name = "sensor_msgs/msg/LaserScan"
    reads = "float32 `(rays,)`: ranges (m, the default) or intensities, as one of `fields`; `shape: [rays]`; where "
    reads += "`angles` are given, of rays between just these"
    keys: tuple[str, ...] = ("fields", "shape", "angles")
    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, wanted: Wanted) -> None:
        self.shape: tuple[int, ...] = exactly(wanted, (1,), "the number of rays, such as [360]")
        (self._field,) = chosen(["ranges", "intensities"], wanted.fields[:1] or ("ranges",))
        self._angles = wanted.angles
        natural = DISTANCE if self._field == "ranges" else ANYTHING
        self.low: float | Array
        self.high: float | Array
        self.low, self.high = wanted.bounds or natural

    def __call__(self, message: Any) -> Array:
        """See `MessageType`."""
        value: Array = np.frombuffer(getattr(message, self._field), self.dtype)
        if value.shape != self.shape:
            raise MessageRefused(f"{value.size} {self._field}, expected {self.shape[0]}")
        if self._angles is not None:
            self._check_angles(message, *self._angles)
        return frozen(value)

    def _check_angles(self, message: Any, first: float, last: float) -> None:
        """Refuse rays that look elsewhere, by more than one and a half of the angles between them."""
        begin, step = message.angle_min, message.angle_increment
        end, slack = begin + (self.shape[0] - 1) * step, 1.5 * abs(step) + 1e-6
        if abs(begin - first) > slack or abs(end - last) > slack:
            raise MessageRefused(f"rays from {begin:.3f} to {end:.3f} rad, expected {first:.3f} to {last:.3f}")


class PointCloud2:
    """Points. Unorganized: up to so many, and the rest is padding; organized: just so many rows and columns."""

    name = "sensor_msgs/msg/PointCloud2"
    reads = "float32 `(points, fields)`, at most so many points and `padding` for the rest, with `shape: [points]`; "
    reads += "float32 `(rows, columns, fields)` of an organized cloud with `shape: [rows, columns]`; `fields`: x, y, z"
    keys: tuple[str, ...] = ("fields", "shape", "padding")
    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(self, wanted: Wanted) -> None:
        size = exactly(wanted, (1, 2), "the most points of a cloud, such as [1000], or rows and columns: [16, 360]")
        self._names = list(wanted.fields or ("x", "y", "z"))
        twice = next((name for name in self._names if self._names.count(name) > 1), None)
        if twice is not None:
            raise WantedError("fields", twice, "every field once", "Take the second one away")
        self._organized, self._padding = len(size) == 2, wanted.padding
        self.shape: tuple[int, ...] = (*size, len(self._names))
        self.low: float | Array
        self.high: float | Array
        self.low, self.high = wanted.bounds or ANYTHING

    def __call__(self, message: Any) -> Array:
        """See `MessageType`."""
        found = message.height, message.width
        if self._organized and found != self.shape[:2]:
            rows, columns, _ = self.shape
            raise MessageRefused(f"{found[0]} x {found[1]} points, expected {rows} x {columns}")
        count = message.height * message.width
        if not self._organized and count > self.shape[0]:
            raise MessageRefused(f"{count} points, expected at most {self.shape[0]}")
        if not count:
            return frozen(np.full(self.shape, self._padding, dtype=self.dtype))
        points = records(message, self._names)
        value = np.stack([points[name].astype(self.dtype) for name in self._names], axis=-1)
        if self._organized:
            return frozen(value.reshape(self.shape))
        padded = np.full(self.shape, self._padding, dtype=self.dtype)
        padded[:count] = value
        return frozen(padded)
