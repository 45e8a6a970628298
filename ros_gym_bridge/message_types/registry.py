"""The message types that channels can be read from: ours, and those of other packages by their entry points."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points

from ros_gym_bridge.errors import MissingDependencyError
from ros_gym_bridge.message_types.base import MessageType
from ros_gym_bridge.message_types.pictures import CompressedImage, Image
from ros_gym_bridge.message_types.scans import LaserScan, PointCloud2
from ros_gym_bridge.message_types.states import (
    CameraInfo,
    Float64MultiArray,
    Imu,
    JointState,
    Odometry,
    PoseStamped,
    Range,
    TwistStamped,
    WrenchStamped,
)

GROUP = "ros_gym_bridge.messages"  # of entry points: NAME = MODULE:CLASS, the name that of the message

TYPES: Mapping[str, type[MessageType]] = {
    each.name: each
    for each in (
        JointState,
        Imu,
        Odometry,
        LaserScan,
        PointCloud2,
        Image,
        CompressedImage,
        CameraInfo,
        WrenchStamped,
        PoseStamped,
        TwistStamped,
        Float64MultiArray,
        Range,
    )
}


def message_type(name: str) -> type[MessageType] | None:
    """The class that reads messages of this type; None where there is none.

    Raises:
        MissingDependencyError: the package that brings it cannot be imported.
    """
    if name in TYPES:
        return TYPES[name]
    for entry in entry_points(group=GROUP, name=name):
        try:
            found: type[MessageType] = entry.load()
        except (ImportError, AttributeError) as error:
            raise MissingDependencyError(
                f"the message type '{name}' cannot be loaded",
                got=f"{entry.value}: {error}",
                expected=f"a class with the protocol MessageType, named by an entry point of the group '{GROUP}'",
                remedy="Repair or remove the package that names it",
            ) from error
        return found
    return None


def known() -> list[str]:
    """Names of all message types that can be read."""
    return sorted({*TYPES, *(entry.name for entry in entry_points(group=GROUP))})
