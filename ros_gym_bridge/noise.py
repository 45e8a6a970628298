"""How far sensors err, as standard deviations: `noise` is drawn for every sample, `bias` once an episode."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ros_gym_bridge.schema_parts import Frozen


def _deviation(unit: str) -> Any:
    return Field(default=0.0, ge=0.0, description=unit)


class JointNoise(Frozen):
    """Standard deviations of joint states, drawn for each joint by itself."""

    position: float = _deviation("rad or m")
    velocity: float = _deviation("rad/s or m/s")


class PoseNoise(Frozen):
    """Standard deviations of a pose, for each axis by itself."""

    position: float = _deviation("m")
    rotation: float = _deviation("rad, about the axes of the frame itself")


class OdometryNoise(PoseNoise):
    """Standard deviations of a pose and its velocities, for each axis by itself."""

    linear: float = _deviation("m/s")
    angular: float = _deviation("rad/s")


class ImuNoise(Frozen):
    """Standard deviations of an IMU, for each axis by itself."""

    rotation: float = _deviation("rad, about the axes of the sensor's frame")
    angular_velocity: float = _deviation("rad/s")
    linear_acceleration: float = _deviation("m/s²")


class WrenchNoise(Frozen):
    """Standard deviations of a force and a torque, for each axis by itself."""

    force: float = _deviation("N")
    torque: float = _deviation("N m")


class RangeNoise(Frozen):
    """Standard deviation of a distance; noise for each ray by itself, bias for all rays together."""

    range: float = _deviation("m")


class ImageNoise(Frozen):
    """Standard deviations of pixels; noise for each value by itself, bias for the picture as a whole."""

    colour: float = _deviation("of 255")
    depth: float = _deviation("m")
