"""Distances by rays against collision shapes: lidars and range sensors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.channels import Lidar, Range
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.sim.robot_body import RobotBody
from ros_gym_bridge.sim.sensors.errors import Errors
from ros_gym_bridge.sim.sensors.reader import Values, frozen
from ros_gym_bridge.sim.sensors.spot import Spot

_GOLDEN = math.pi * (3.0 - math.sqrt(5.0))  # rad: the angle that spreads points evenly


class Rays:
    """Rays from one point in fixed directions of its frame.

    Args:
        body: the robot.
        spot: where the rays begin.
        directions: unit vectors in the sensor's frame, `(n, 3)`.
        length: m.
        sees_robot: the robot itself stops rays.
    """

    def __init__(self, body: RobotBody, spot: Spot, directions: FloatArray, length: float, sees_robot: bool) -> None:
        self._body, self._spot, self._length, self._sees_robot = body, spot, length, sees_robot
        self._directions = directions
        self._cast = body.client.rayTestBatch

    def __call__(self) -> FloatArray:
        """Distances `(n,)`, m; inf where nothing is hit."""
        origin, _, axes = self._spot.pose()
        start = origin.tolist()
        ends = (origin + self._length * (self._directions @ axes.T)).tolist()
        hits = self._cast([start] * len(ends), ends)
        shares = [hit[2] if hit[0] >= 0 else math.inf for hit in hits]
        if not self._sees_robot:
            self._pass_robot(hits, shares, start, ends)
        return self._length * np.array(shares)

    def _pass_robot(
        self, hits: Sequence[Any], shares: list[float], start: list[float], ends: list[list[float]]
    ) -> None:
        """For the rays that met the robot, take the nearest of what else they meet.

        PyBullet tells all that a ray meets one by one, in no order.
        """
        mine = self._body.id
        going = [i for i, hit in enumerate(hits) if hit[0] == mine]
        for i in going:
            shares[i] = math.inf
        number = 0
        while going:
            met = self._cast([start] * len(going), [ends[i] for i in going], reportHitNumber=number)
            for i, hit in zip(going, met, strict=True):
                if hit[0] >= 0 and hit[0] != mine:
                    shares[i] = min(shares[i], hit[2])
            going = [i for i, hit in zip(going, met, strict=True) if hit[0] >= 0]
            number += 1


def _bounded(distances: FloatArray, least: float) -> FloatArray:
    """With -inf for what is too close (REP 117)."""
    return np.where(distances < least, -math.inf, distances)


class LidarReader:
    """`lidar`: distances of one layer, float32 `(rays,)`, or points of several, float32 `(layers, rays, 3)`.

    Args:
        body: the robot.
        channel: what it is.
        spot: where it is.
    """

    sizes: ClassVar[Mapping[str, int]] = {"range": 1}

    def __init__(self, body: RobotBody, channel: Lidar, spot: Spot) -> None:
        angles = np.linspace(channel.min_angle, channel.max_angle, channel.rays)
        elevations = np.linspace(channel.min_elevation, channel.max_elevation, channel.layers)
        up, around = (grid.ravel() for grid in np.meshgrid(elevations, angles, indexing="ij"))
        flat = np.cos(up)
        self._directions = np.stack([flat * np.cos(around), flat * np.sin(around), np.sin(up)], axis=1)
        self._rays = Rays(body, spot, self._directions, channel.range_max, channel.sees_robot)
        self._least = channel.range_min
        self._shape = (channel.layers, channel.rays, 3) if channel.layers > 1 else None

    def __call__(self, errors: Errors, fresh: bool) -> Values:
        """See `Reader`."""
        true = self._rays()
        distances = _bounded(true + errors("range", true.shape), self._least)
        return (frozen(distances, np.float32) if self._shape is None else self._points(distances, self._shape),)

    def _points(self, distances: FloatArray, shape: tuple[int, int, int]) -> npt.NDArray[Any]:
        there = np.where(np.isfinite(distances), distances, math.nan)
        return frozen((there[:, None] * self._directions).reshape(shape), np.float32)


class RangeReader:
    """`range`: the distance of what is nearest in a cone about the x axis, float32 `(1,)`.

    Args:
        body: the robot.
        channel: what it is.
        spot: where it is.
    """

    sizes: ClassVar[Mapping[str, int]] = {"range": 1}

    def __init__(self, body: RobotBody, channel: Range, spot: Spot) -> None:
        directions = _cone(0.5 * channel.field_of_view, channel.rays)
        self._rays = Rays(body, spot, directions, channel.range_max, channel.sees_robot)
        self._least = channel.range_min

    def __call__(self, errors: Errors, fresh: bool) -> Values:
        """See `Reader`."""
        nearest = self._rays().min(keepdims=True)
        return (frozen(_bounded(nearest + errors("range", (1,)), self._least), np.float32),)


def _cone(half_angle: float, count: int) -> FloatArray:
    """Unit vectors `(count, 3)` about the x axis, spread evenly: the first one ahead, the last one at the edge."""
    number = np.arange(count)
    away = half_angle * np.sqrt(number / max(count - 1, 1))
    around = _GOLDEN * number
    return np.stack([np.cos(away), np.sin(away) * np.cos(around), np.sin(away) * np.sin(around)], axis=1)
