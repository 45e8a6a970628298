"""How large a body is, in the frame of its root link."""

from __future__ import annotations

from typing import Any

import numpy as np

from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.sim.client import connect, disconnect
from ros_gym_bridge.sim.frames import placed, rotated
from ros_gym_bridge.sim.world import World

Box = tuple[FloatArray, FloatArray]

_ENDLESS_M = 1e6  # an infinite plane has a box of 1e18 m or so


class MeasuringRoom:
    """A second, empty client, in which a body stands unturned at the origin: PyBullet tells boxes along the axes of the
    world only, and what is measured must not be moved.

    Args:
        world: where the bodies are that are measured.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._client: Any = None
        self._bodies: dict[tuple[RobotModel, float], int] = {}

    def box(self, body: int, model: RobotModel, scale: float) -> Box | None:
        """Lower and upper corner `(3,)`, m, of the box around all that can be touched, as the joints stand now, in the
        frame of the root link; to a millimetre. None for what has no end.

        Args:
            body: PyBullet's number in the world.
            model, scale: what was loaded.
        """
        twin = self._twin(model, scale)
        joints = range(self._client.getNumJoints(twin))
        if joints:
            for joint, (position, *_) in zip(joints, self._world.client.getJointStates(body, joints), strict=True):
                self._client.resetJointState(twin, joint, position)
        return enclosing(boxes_of(self._client, twin))

    def close(self) -> None:
        """Leave. May be called again."""
        if self._client is not None:
            disconnect(self._client)
            self._client, self._bodies = None, {}

    def _twin(self, model: RobotModel, scale: float) -> int:
        if self._client is None:
            self._client = connect()
        if (model, scale) not in self._bodies:
            origin, unturned = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)
            twin = self._world.loader.load(self._client, model, (origin, unturned), True, scale)
            self._bodies[model, scale] = twin
        return self._bodies[model, scale]


def boxes_of(client: Any, body: int) -> list[Box]:
    """Of each link that can be touched, along the axes of the world; where there is none, points at the links."""
    links = range(-1, client.getNumJoints(body))
    touchable = [link for link in links if client.getCollisionShapeData(body, link)]
    corners = [client.getAABB(body, link) for link in touchable or links]
    return [(np.array(low), np.array(high)) for low, high in corners]


def touches_box(client: Any, body: int, low: FloatArray, high: FloatArray) -> bool:
    """Whether the box of one of its links, or the solid side of its plane without end, overlaps with a box."""
    centre, half = 0.5 * (low + high), 0.5 * (high - low)
    planes = planes_of(client, body)
    if planes:
        return any(normal @ (centre - point) <= abs(normal) @ half for point, normal in planes)
    return any(bool((a <= high).all() and (b >= low).all()) for a, b in boxes_of(client, body))


def touches_sphere(client: Any, body: int, centre: FloatArray, radius: float) -> bool:
    """The same with a sphere."""
    planes = planes_of(client, body)
    if planes:
        return any(normal @ (centre - point) <= radius for point, normal in planes)
    near = (np.clip(centre, low, high) for low, high in boxes_of(client, body))
    return any(float(np.linalg.norm(point - centre)) <= radius for point in near)


def planes_of(client: Any, body: int) -> list[tuple[FloatArray, FloatArray]]:
    """A point and the normal of each plane without end on its root link, in the world frame."""
    planes = []
    for shape in client.getCollisionShapeData(body, -1):
        if shape[2] == client.GEOM_PLANE:
            point, turned = placed(client.getBasePositionAndOrientation(body), (shape[5], shape[6]))
            planes.append((np.array(point), np.array(rotated(turned, shape[3]))))
    return planes


def enclosing(boxes: list[Box]) -> Box | None:
    """The box around boxes; None for one without end."""
    low = np.min([box[0] for box in boxes], axis=0)
    high = np.max([box[1] for box in boxes], axis=0)
    return None if max(abs(low).max(), abs(high).max()) > _ENDLESS_M else (low, high)
