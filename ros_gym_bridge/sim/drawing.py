"""What is only looked at: markers, a floor, pictures, and PyBullet's window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

FIELD_OF_VIEW = 40.0  # degrees, from top to bottom of a picture
MARKER_COLOUR = (0.1, 0.8, 0.2)
LIGHT = (-0.6, -1.0, 2.0)  # from where
_FLOOR_COLOUR = (0.72, 0.76, 0.8, 1.0)


def add_marker(client: Any, position: Sequence[float], radius: float) -> int:
    """A sphere to look at, m, world frame; it touches nothing. PyBullet's number of it."""
    shape = client.createVisualShape(client.GEOM_SPHERE, radius=radius, rgbaColor=(*MARKER_COLOUR, 1.0))
    marker: int = client.createMultiBody(baseVisualShapeIndex=shape, basePosition=position)
    return marker


def add_floor(client: Any, position: Sequence[float], half: float) -> None:
    """A square to look at, the middle of its upper side at a position (m, world frame); it touches nothing."""
    size = (half, half, 0.005)
    shape = client.createVisualShape(client.GEOM_BOX, halfExtents=size, rgbaColor=_FLOOR_COLOUR)
    x, y, z = position
    client.createMultiBody(baseVisualShapeIndex=shape, basePosition=(x, y, z - size[2]))


def picture(
    client: Any, size: tuple[int, int], eye: Sequence[float], target: Sequence[float], shadow: bool
) -> npt.NDArray[np.uint8]:
    """What a camera at `eye` that looks at `target` (m, world frame) sees: uint8 `(height, width, 3)`, RGB.

    Args:
        client: what is drawn.
        size: width and height, pixels.
        eye, target: as above.
        shadow: bodies cast them.
    """
    width, height = size
    view = client.computeViewMatrix(eye, target, (0.0, 0.0, 1.0))
    projection = client.computeProjectionMatrixFOV(FIELD_OF_VIEW, width / height, 0.02, 20.0)
    image = client.getCameraImage(
        width, height, view, projection, LIGHT, shadow=int(shadow), renderer=client.ER_TINY_RENDERER
    )
    return np.array(image[2], dtype=np.uint8).reshape(height, width, 4)[:, :, :3]


def look_at(client: Any, distance: float, back: Sequence[float], target: Sequence[float]) -> None:
    """Put the camera of PyBullet's window `distance` from `target` (m, world frame) in the direction `back`."""
    x, y, z = back
    yaw, pitch = math.degrees(math.atan2(x, -y)), -math.degrees(math.asin(z))
    client.resetDebugVisualizerCamera(distance, yaw, pitch, target)


def open_window(client: Any, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> None:
    """Show a box, from corner `(3,)` to corner `(3,)`, m, world frame, in PyBullet's window, without its panels, which
    the key 'g' brings back."""
    client.configureDebugVisualizer(client.COV_ENABLE_GUI, 0)
    look_at(client, 1.2 * float(np.linalg.norm(high - low)), (0.7, -0.6, 0.39), (0.5 * (low + high)).tolist())
