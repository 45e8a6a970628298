"""What is read of which message: for every sample of a robot file its topic, message type and array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ros_gym_bridge import channels
from ros_gym_bridge.channel_parts import Observe
from ros_gym_bridge.channels import Channel, SensorChannel
from ros_gym_bridge.groups import DiffDrive
from ros_gym_bridge.message_types import MessageType, Wanted, WantedError, message_type
from ros_gym_bridge.message_types.base import Bounds, Numbers, axes
from ros_gym_bridge.message_types.registry import known
from ros_gym_bridge.schema import RobotConfig
from ros_gym_bridge.topic_channels import TopicChannel, TransformChannel
from ros_gym_bridge.yaml_file import suggest


class Reading(NamedTuple):
    """One sample of a robot.

    Attributes:
        sample: its name in `RobotState.channels`.
        topic: where its message comes; empty for a transform.
        message: type of the message; empty for a transform.
        read: makes the array; knows its shape, type and natural bounds.
        observe: how it enters an observation.
        channel: that it is a sample of; None for the odometry of a drive.
    """

    sample: str
    topic: str
    message: str
    read: MessageType
    observe: Observe
    channel: Channel | None


class TransformNumbers(Numbers):
    """A transform as a row of numbers, which is how a PoseStamped is read too."""

    name = ""
    reads = "float64 `(7,)`"
    numbers = axes("translation", "xyz", (-1000.0, 1000.0)) | axes("rotation", "xyzw", (-1.0, 1.0))


def readings(config: RobotConfig) -> tuple[Reading, ...]:
    """All samples of a robot file, drives' odometry among them.

    Raises:
        WantedError: a channel wants what its message does not have.
        MissingDependencyError: a message type whose package is broken.
    """
    found = [reading for channel in config.channels for reading in channel_readings(channel)]
    return (*found, *(_drive(drive) for drive in config.drives))


def channel_readings(channel: Channel) -> tuple[Reading, ...]:
    """The samples of one channel. Raises as `readings`."""
    if isinstance(channel, TransformChannel):
        return (Reading(channel.name, "", "", TransformNumbers(Wanted()), channel.observe, channel),)
    if isinstance(channel, TopicChannel):
        kind = _known(channel.message)
        read = kind(_wanted(kind, channel))
        return (Reading(channel.name, channel.topic, kind.name, read, channel.observe, channel),)
    return tuple(_sensor(channel))


def _known(name: str) -> type[MessageType]:
    found = message_type(name)
    if found is None:
        names = known()
        raise WantedError("message", name, f"one of {', '.join(names)}", suggest(name, names))
    return found


def _wanted(kind: type[MessageType], channel: TopicChannel) -> Wanted:
    """The keys of a channel, without those that mean nothing for its message."""
    keys = {key: getattr(channel, key) for key in ("fields", "shape", "joints", "encoding", "angles", "padding")}
    for key, value in keys.items():
        if value and key not in kind.keys:
            got = list(value) if isinstance(value, tuple) else value
            raise WantedError(key, got, f"no such key for {kind.name}", "Take it away")
    return Wanted(**keys)


def _drive(drive: DiffDrive) -> Reading:
    return _reading(None, drive.odometry, drive.odom_topic, "nav_msgs/msg/Odometry", Wanted(), Observe())


def _sensor(channel: SensorChannel) -> Iterator[Reading]:
    """How the messages of a simulated kind are read, also from a robot that has the real thing."""

    def reading(message: str, shape: tuple[int, ...] = (), bounds: Bounds | None = None) -> Reading:
        wanted = Wanted(shape=shape, bounds=bounds)
        return _reading(channel, channel.name, channel.topic, message, wanted, channel.observe)

    if isinstance(channel, channels.LinkPose):
        yield reading("geometry_msgs/msg/PoseStamped")
    elif isinstance(channel, channels.Odometry):
        yield reading("nav_msgs/msg/Odometry")
    elif isinstance(channel, channels.Imu):
        yield reading("sensor_msgs/msg/Imu")
    elif isinstance(channel, channels.ForceTorque | channels.Contact):
        yield reading("geometry_msgs/msg/WrenchStamped")
    elif isinstance(channel, channels.Range):
        yield reading("sensor_msgs/msg/Range", bounds=(0.0, channel.range_max))
    elif isinstance(channel, channels.Camera):
        yield from _camera(channel)
    elif channel.layers == 1:
        angles = channel.min_angle, channel.max_angle if channel.rays > 1 else channel.min_angle
        wanted = Wanted(shape=(channel.rays,), bounds=(0.0, channel.range_max), angles=angles)
        yield _reading(channel, channel.name, channel.topic, "sensor_msgs/msg/LaserScan", wanted, channel.observe)
    else:
        far = channel.range_max
        yield reading("sensor_msgs/msg/PointCloud2", (channel.layers, channel.rays), (-far, far))


def _camera(channel: channels.Camera) -> Iterator[Reading]:
    kinds = (("rgb8", None, channel.observe), ("32FC1", (0.0, channel.far), channel.observe_depth))
    for sample, topic, (encoding, bounds, observe) in zip(channel.samples, channel.image_topics, kinds, strict=False):
        wanted = Wanted(shape=(channel.height, channel.width), encoding=encoding, bounds=bounds)
        yield _reading(channel, sample, topic, "sensor_msgs/msg/Image", wanted, observe)


def _reading(
    channel: Channel | None, sample: str, topic: str, message: str, wanted: Wanted, observe: Observe
) -> Reading:
    return Reading(sample, topic, message, _known(message)(wanted), observe, channel)
