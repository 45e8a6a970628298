"""Frames within frames, in plain numbers: poses are a position (m) and an orientation (unit quaternion x y z w).

(PyBullet's own functions for this round to single precision.)
"""

from __future__ import annotations

from ros_gym_bridge.geometry import Quaternion, product

Vector = tuple[float, float, float]
Pose = tuple[Vector, Quaternion]


def added(a: Vector, b: Vector, factor: float = 1.0) -> Vector:
    """a + factor * b."""
    return a[0] + factor * b[0], a[1] + factor * b[1], a[2] + factor * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """The vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def rotated(orientation: Quaternion, vector: Vector) -> Vector:
    """A vector that is told in a frame, told in the frame around it."""
    x, y, z, w = orientation
    twice = cross((2.0 * x, 2.0 * y, 2.0 * z), vector)
    return added(added(vector, twice, w), cross((x, y, z), twice))


def placed(frame: Pose, pose: Pose) -> Pose:
    """A pose that is told in a frame, told in the frame around it."""
    return added(frame[0], rotated(frame[1], pose[0])), product(frame[1], pose[1])


def around(pose: Pose) -> Pose:
    """The frame around it, told in the frame that stands at `pose`: the inverse."""
    x, y, z, w = pose[1]
    back = (-x, -y, -z, w)
    px, py, pz = rotated(back, pose[0])
    return (-px, -py, -pz), back
