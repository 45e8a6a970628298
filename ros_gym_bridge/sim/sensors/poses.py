"""Ground truth: poses and odometry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ros_gym_bridge.geometry import Quaternion, product, turn
from ros_gym_bridge.sim.sensors.errors import Errors
from ros_gym_bridge.sim.sensors.reader import Values, frozen
from ros_gym_bridge.sim.sensors.spot import Spot


class LinkPoseReader:
    """`link_pose`: x y z (m) and quaternion x y z w in the world frame, `(7,)`."""

    sizes: ClassVar[Mapping[str, int]] = {"position": 3, "rotation": 3}

    def __init__(self, spot: Spot) -> None:
        self._spot = spot

    def __call__(self, errors: Errors, fresh: bool) -> Values:
        """See `Reader`."""
        position, rotation, _ = self._spot.pose()
        return (frozen(np.array([*(position + errors("position", (3,))), *turned(rotation, errors)])),)


class OdometryReader:
    """`odometry`: pose in the world frame, linear and angular velocity in the frame itself, `(13,)`."""

    sizes: ClassVar[Mapping[str, int]] = {"position": 3, "rotation": 3, "linear": 3, "angular": 3}

    def __init__(self, spot: Spot) -> None:
        self._spot = spot

    def __call__(self, errors: Errors, fresh: bool) -> Values:
        """See `Reader`."""
        now = self._spot.motion()
        parts: list[Any] = [now.position + errors("position", (3,)), turned(now.rotation, errors)]
        parts += [now.linear @ now.axes + errors("linear", (3,)), now.angular @ now.axes + errors("angular", (3,))]
        return (frozen(np.concatenate(parts)),)


def turned(rotation: Quaternion, errors: Errors) -> Quaternion:
    """An orientation with the error `rotation`, about the axes of the frame itself."""
    error = errors("rotation", (3,))
    return rotation if isinstance(error, float) else product(rotation, turn(error.tolist()))
