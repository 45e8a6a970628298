"""Rotations and poses: right-handed frames, metres, radians, quaternions as x, y, z, w (REP 103)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Quaternion = tuple[float, float, float, float]
Matrix = npt.NDArray[np.float64]


def quaternion(rpy: Sequence[float]) -> Quaternion:
    """Of angles about the fixed axes x, y, z, in this order."""
    (sr, cr), (sp, cp), (sy, cy) = ((math.sin(angle / 2), math.cos(angle / 2)) for angle in rpy)
    return (
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
        cr * cp * cy + sr * sp * sy,
    )


def matrix(rotation: Sequence[float]) -> Matrix:
    """`(3, 3)` of a unit quaternion; its columns are the turned axes."""
    x, y, z, w = rotation
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def product(a: Sequence[float], b: Sequence[float]) -> Quaternion:
    """The rotation `b` in a frame that is turned by `a`."""
    (ax, ay, az, aw), (bx, by, bz, bw) = a, b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def turn(vector: Sequence[float]) -> Quaternion:
    """The rotation about a vector by its length, rad."""
    angle = math.hypot(*vector)
    factor = 0.5 * float(np.sinc(angle / (2 * math.pi)))  # sin(angle / 2) / angle
    x, y, z = vector
    return x * factor, y * factor, z * factor, math.cos(angle / 2)
