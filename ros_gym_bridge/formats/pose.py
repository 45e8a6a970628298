"""Where one frame stands in another: a place and a rotation matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Pose(NamedTuple):
    """`xyz` `(3,)` in m, `turn` `(3, 3)`: the frame's axes are its columns."""

    xyz: Array
    turn: Array

    def __matmul__(self, other: Pose) -> Pose:
        """Where what stands at `other` in this frame stands in the frame that this one stands in."""
        return Pose(self.xyz + self.turn @ other.xyz, self.turn @ other.turn)

    def inverse(self) -> Pose:
        """The outer frame as seen from this one."""
        return Pose(-self.turn.T @ self.xyz, self.turn.T)

    def rpy(self) -> tuple[float, float, float]:
        """Angles about the fixed axes x, y, z in this order (URDF, SDF)."""
        r = self.turn
        pitch = math.atan2(-r[2, 0], math.hypot(r[2, 1], r[2, 2]))
        if math.hypot(r[2, 1], r[2, 2]) < 1e-9:  # straight up or down: only one sum of roll and yaw counts
            return 0.0, pitch, math.atan2(-r[0, 1], r[1, 1])
        return math.atan2(r[2, 1], r[2, 2]), pitch, math.atan2(r[1, 0], r[0, 0])


def at(xyz: Sequence[float] | Array, turn: Array | None = None) -> Pose:
    """A pose from a place, not turned unless said."""
    return Pose(np.array(xyz, dtype=np.float64), np.eye(3) if turn is None else turn)


HERE = at((0.0, 0.0, 0.0))


def about(axis: Sequence[float] | Array, angle: float) -> Array:
    """The rotation by an angle, rad, about an axis of any length but 0."""
    x, y, z = np.array(axis, dtype=np.float64) / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    turn: Array = np.eye(3) + math.sin(angle) * cross + (1.0 - math.cos(angle)) * (cross @ cross)
    return turn


def from_rpy(roll: float, pitch: float, yaw: float) -> Array:
    """The rotation by angles about the fixed axes x, y, z in this order."""
    return about((0, 0, 1), yaw) @ about((0, 1, 0), pitch) @ about((1, 0, 0), roll)


def from_quaternion(w: float, x: float, y: float, z: float) -> Array:
    """The rotation of a quaternion of any length but 0."""
    sine = math.hypot(x, y, z)
    return np.eye(3) if sine == 0.0 else about((x, y, z), 2.0 * math.atan2(sine, w))


def z_along(direction: Array) -> Array:
    """The shortest rotation that takes z to a direction of any length but 0."""
    z = direction / np.linalg.norm(direction)
    x, y, cosine = (float(value) for value in z)
    sine = math.hypot(x, y)
    if sine < 1e-12:
        return np.eye(3) if cosine > 0 else about((1, 0, 0), math.pi)
    return about((-y, x, 0.0), math.atan2(sine, cosine))
