"""Pictures and depths, drawn by PyBullet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.channels import Camera
from ros_gym_bridge.sim.drawing import LIGHT
from ros_gym_bridge.sim.sensors.errors import Errors
from ros_gym_bridge.sim.sensors.reader import Values, frozen
from ros_gym_bridge.sim.sensors.spot import Spot
from ros_gym_bridge.sim.world import World

_GL = np.diag([1.0, -1.0, -1.0])  # OpenGL looks along -z with y up, an optical frame along z with y down


class CameraReader:
    """`camera`: RGB, uint8 `(height, width, 3)`, and depth along z, float32 `(height, width)`, m, +inf beyond `far`.

    Args:
        world: what is drawn, and by which renderer.
        channel: what it is.
        spot: where it is.
    """

    sizes: ClassVar[Mapping[str, int]] = {"colour": 1, "depth": 1}

    def __init__(self, world: World, channel: Camera, spot: Spot) -> None:
        self._world, self._channel, self._spot = world, channel, spot
        tiny = world.renderer == "tiny"
        self._projection = _projection(channel, half_a_pixel=tiny)
        client = world.client
        self._renderer = client.ER_TINY_RENDERER if tiny else client.ER_BULLET_HARDWARE_OPENGL

    def __call__(self, errors: Errors, fresh: bool) -> Values:
        """See `Reader`."""
        channel, client = self._channel, self._world.client
        drawn = client.getCameraImage(
            channel.width,
            channel.height,
            self._view(),
            self._projection,
            LIGHT,
            shadow=0,
            renderer=self._renderer,
            flags=client.ER_NO_SEGMENTATION_MASK,
        )
        size = (channel.height, channel.width)
        colour = _noisy_colour(np.asarray(drawn[2], dtype=np.uint8).reshape(*size, 4)[:, :, :3], errors)
        if not channel.depth:
            return (frozen(colour, np.uint8),)
        depth = _distance(np.asarray(drawn[3], dtype=np.float64).reshape(size), channel.near, channel.far)
        return frozen(colour, np.uint8), frozen(depth + errors("depth", size), np.float32)

    def _view(self) -> list[float]:
        """OpenGL's matrix from the world to the eye, column by column."""
        position, _, axes = self._spot.pose()
        view = np.eye(4)
        view[:3, :3] = _GL @ axes.T
        view[:3, 3] = -view[:3, :3] @ position
        return [float(value) for value in view.T.ravel()]


def _projection(channel: Camera, half_a_pixel: bool) -> list[float]:
    """OpenGL's matrix, column by column. TinyRenderer takes the upper left corner of a pixel for its middle in columns,
    and the lower one in rows: half a pixel makes up for it."""
    near, far, focal = channel.near, channel.far, channel.focal_length
    matrix = np.zeros((4, 4))
    matrix[0, 0], matrix[1, 1] = 2.0 * focal / channel.width, 2.0 * focal / channel.height
    matrix[2, 2], matrix[2, 3], matrix[3, 2] = (far + near) / (near - far), 2.0 * far * near / (near - far), -1.0
    if half_a_pixel:
        matrix[0, 2], matrix[1, 2] = 1.0 / channel.width, 1.0 / channel.height
    return [float(value) for value in matrix.T.ravel()]


def _distance(depth: npt.NDArray[np.float64], near: float, far: float) -> npt.NDArray[np.float64]:
    """From OpenGL's depth, 0 to 1, to metres."""
    return np.where(depth < 1.0, far * near / (far - (far - near) * depth), np.inf)


def _noisy_colour(picture: npt.NDArray[np.uint8], errors: Errors) -> npt.NDArray[Any]:
    error = errors("colour", picture.shape)
    return picture if isinstance(error, float) else np.clip(np.rint(picture + error), 0.0, 255.0)
