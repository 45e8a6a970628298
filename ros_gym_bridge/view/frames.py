"""Transforms between frames, the newest of each: what `/tf` and `/tf_static` have told. Metres, right-handed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]  # (4, 4), homogeneous: child to parent

_DEEPEST = 1000  # a chain that is longer is a ring


def matrix(position: Sequence[float], quaternion: Sequence[float] = (0.0, 0.0, 0.0, 1.0)) -> Matrix:
    """A pose as a matrix.

    Args:
        position: x, y, z.
        quaternion: x, y, z, w, of any length but 0.

    Raises:
        ValueError: a number that is not finite, or a quaternion of length 0.
    """
    x, y, z, w = quaternion
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if not (length > 1e-9 and math.isfinite(length + sum(position))):
        raise ValueError(f"not a pose: position {tuple(position)}, quaternion {tuple(quaternion)}")
    x, y, z, w = x / length, y / length, z / length, w / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), position[0]],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), position[1]],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), position[2]],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )


def wxyz(pose: Matrix) -> tuple[float, float, float, float]:
    """The rotation of a pose as a unit quaternion w, x, y, z, w not negative."""
    r = pose[:3, :3]
    # the four squares, times four; the root of the largest is the one to divide by
    squares = [
        1 + r[0, 0] + r[1, 1] + r[2, 2],
        1 + r[0, 0] - r[1, 1] - r[2, 2],
        1 - r[0, 0] + r[1, 1] - r[2, 2],
        1 - r[0, 0] - r[1, 1] + r[2, 2],
    ]
    a, b, c = r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]
    d, e, f = r[1, 0] + r[0, 1], r[0, 2] + r[2, 0], r[2, 1] + r[1, 2]
    rows = [(squares[0], a, b, c), (a, squares[1], d, e), (b, d, squares[2], f), (c, e, f, squares[3])]
    q = np.array(rows[int(np.argmax(squares))], dtype=np.float64)
    q *= math.copysign(1.0, q[0]) / np.linalg.norm(q)
    w, x, y, z = q.tolist()
    return w, x, y, z


class Frames:
    """A forest of frames; names without a leading `/`."""

    def __init__(self) -> None:
        self._above: dict[str, tuple[str, Matrix]] = {}

    def set(self, child: str, parent: str, pose: Matrix) -> None:
        """Where the frame `child` stands in the frame `parent`, from now on. One parent for each frame: the newest."""
        child, parent = child.lstrip("/"), parent.lstrip("/")
        if child and parent and child != parent:
            self._above[child] = (parent, pose)

    def knows(self, frame: str) -> bool:
        """Whether anything was told of a frame."""
        return frame in self._above or any(parent == frame for parent, _ in self._above.values())

    def between(self, parent: str, child: str) -> Matrix | None:
        """Where `child` stands in `parent`, when exactly that was told."""
        told = self._above.get(child)
        return told[1] if told is not None and told[0] == parent else None

    def top(self, frame: str) -> str:
        """The frame above all others of this one's tree; itself, when nobody told of it."""
        return self._climb(frame)[0]

    def pose(self, frame: str, fixed: str) -> Matrix | None:
        """Where `frame` stands in the frame `fixed`; None when nothing connects them."""
        frame, fixed = frame.lstrip("/"), fixed.lstrip("/")
        if frame == fixed:
            return np.eye(4)
        (top, pose), (other_top, other) = self._climb(frame), self._climb(fixed)
        return np.asarray(np.linalg.inv(other) @ pose) if top == other_top else None

    def _climb(self, frame: str) -> tuple[str, Matrix]:
        pose = np.eye(4)
        for _ in range(_DEEPEST):
            if frame not in self._above:
                return frame, pose
            frame, step = self._above[frame]
            pose = step @ pose
        return "", np.eye(4)  # a ring has no top
