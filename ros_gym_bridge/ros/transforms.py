"""Transforms between frames as a robot tells them on `/tf` and `/tf_static`: the newest of each, with its time."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from rclpy.node import Node

from ros_gym_bridge.geometry import Quaternion, matrix, product
from ros_gym_bridge.robot import FloatArray, Sample, read_only
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.listener import Listener
from ros_gym_bridge.ros.messages import to_ns

_MESSAGE = "tf2_msgs/msg/TFMessage"
_DEEPEST = 1000  # a chain that is longer is a ring

Vector = tuple[float, float, float]


class Step(NamedTuple):
    """Where a frame stands in its parent (m, quaternion x y z w), and since when; None: always."""

    parent: str
    position: Vector
    rotation: Quaternion
    stamp_ns: int | None


class Transforms:
    """A forest of frames; names without a leading `/`. What is no transform (NaN, a quaternion of length 0) is left
    out."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}

    def put(self, message: Any, static: bool) -> None:
        """A TFMessage has arrived."""
        for each in message.transforms:
            p, q = each.transform.translation, each.transform.rotation
            length = math.hypot(q.x, q.y, q.z, q.w)
            if length > 1e-9 and math.isfinite(length + p.x + p.y + p.z):
                rotation = (q.x / length, q.y / length, q.z / length, q.w / length)
                stamp_ns = None if static else to_ns(each.header.stamp)
                step = Step(each.header.frame_id.lstrip("/"), (p.x, p.y, p.z), rotation, stamp_ns)
                self._steps[each.child_frame_id.lstrip("/")] = step

    def find(self, parent: str, child: str, stamp_ns: int) -> Sample | None:
        """Where `child` stands in `parent`: x y z (m) and quaternion x y z w; None when nothing connects them.

        Its stamp is the oldest one on the way between them; `stamp_ns` where nothing on the way moves.
        """
        up, down = self._way(parent.lstrip("/")), self._way(child.lstrip("/"))
        if up[-1][0] != down[-1][0] or not up[-1][0]:
            return None
        while len(up) > 1 and len(down) > 1 and up[-2] == down[-2]:  # what both have in common does not count
            up.pop()
            down.pop()
        stamps = [step.stamp_ns for _, step in (*up[:-1], *down[:-1]) if step is not None and step.stamp_ns is not None]
        position, rotation = _between(_pose(up), _pose(down))
        return Sample(min(stamps, default=stamp_ns), read_only([*position, *rotation]))

    def missing(self, *frames: str) -> list[str]:
        """Those of these frames that nobody has told of."""
        told = {*self._steps, *(step.parent for step in self._steps.values())}
        return [frame for frame in frames if frame.lstrip("/") not in told]

    def _way(self, frame: str) -> list[tuple[str, Step | None]]:
        """From a frame to the one above all, each with the step that follows."""
        way: list[tuple[str, Step | None]] = []
        for _ in range(_DEEPEST):
            step = self._steps.get(frame)
            way.append((frame, step))
            if step is None:
                return way
            frame = step.parent
        return [("", None)]  # a ring has no top


def _pose(way: list[tuple[str, Step | None]]) -> tuple[Vector, Quaternion]:
    """Of the first frame of a way in the last one."""
    position: FloatArray = np.zeros(3)
    rotation: Quaternion = (0.0, 0.0, 0.0, 1.0)
    for _, step in way[:-1]:
        assert step is not None
        position = np.array(step.position) + matrix(step.rotation) @ position
        rotation = product(step.rotation, rotation)
    x, y, z = position.tolist()
    return (x, y, z), rotation


def _between(parent: tuple[Vector, Quaternion], child: tuple[Vector, Quaternion]) -> tuple[Vector, Quaternion]:
    """Both in one frame; the second in the first."""
    x, y, z = (matrix(parent[1]).T @ (np.array(child[0]) - np.array(parent[0]))).tolist()
    a, b, c, w = parent[1]
    return (x, y, z), product((-a, -b, -c, w), child[1])


class TransformListener:
    """Hears the transforms of a robot.

    Args:
        node: who hears.
        told: called after each message.
    """

    def __init__(self, node: Node, told: Callable[[], None]) -> None:
        self.transforms = Transforms()
        self._told = told
        self._listeners = [
            Listener(node, _MESSAGE, "/tf", partial(self._take, False), qos.ANY_TRANSFORMS),
            Listener(node, _MESSAGE, "/tf_static", partial(self._take, True), qos.LATCHED_TRANSFORMS),
        ]
        for listener in self._listeners:
            listener.subscribe()

    def trouble(self, parent: str, child: str) -> str:
        """Why there is no transform between two frames."""
        missing = self.transforms.missing(parent, child)
        if missing:
            return f"no transform names {' or '.join(missing)}; {'; '.join(each.trouble() for each in self._listeners)}"
        return "no transforms connect the two frames"

    def _take(self, static: bool, message: Any) -> None:
        self.transforms.put(message, static)
        self._told()
