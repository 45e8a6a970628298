"""Which message carries which sample: for every kind of channel its topics, messages with what never changes in them,
and conversions. Publishers and subscribers both read it here."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from typing import Any, NamedTuple

from geometry_msgs.msg import PoseStamped, WrenchStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import CameraInfo, Image, Imu, LaserScan, PointCloud2, PointField, Range
from std_msgs.msg import Header

from ros_gym_bridge import channels
from ros_gym_bridge.channels import SensorChannel, info_topic
from ros_gym_bridge.robot import Sample
from ros_gym_bridge.ros import sensor_messages as convert
from ros_gym_bridge.ros.sensor_messages import POINT


class Port(NamedTuple):
    """One topic of a channel.

    Attributes:
        sample: name of the sample that it carries.
        topic: relative to the robot.
        message: what is sent, but for the sample.
        fill: writes a sample into the message and returns it.
    """

    sample: str
    topic: str
    message: Any
    fill: Callable[[Any, Sample], Any]


def ports(channel: SensorChannel, frame: str = "", world_frame: str = "", period_s: float = 0.0) -> tuple[Port, ...]:
    """The topics of a channel, but for the one that tells when its samples were taken.

    Args:
        channel: of the robot file.
        frame: full name of the sensor's frame.
        world_frame: full name of the frame `world`.
        period_s: seconds from one sample to the next.
    """
    if isinstance(channel, channels.Camera):
        return tuple(port for number in range(len(channel.samples)) for port in _camera(channel, number, frame))
    header = Header(frame_id=frame)
    if isinstance(channel, channels.LinkPose):
        pose = PoseStamped(header=Header(frame_id=world_frame))
        return (Port(channel.name, channel.topic, pose, convert.fill_pose),)
    if isinstance(channel, channels.Odometry):
        odometry = _odometry(channel, frame, world_frame)
        return (Port(channel.name, channel.topic, odometry, convert.fill_odometry),)
    if isinstance(channel, channels.Imu):
        return (Port(channel.name, channel.topic, _imu(channel, frame), convert.fill_imu),)
    if isinstance(channel, channels.Range):
        return (Port(channel.name, channel.topic, _range(channel, frame), convert.fill_range),)
    if not isinstance(channel, channels.Lidar):
        wrench = WrenchStamped(header=header)
        return (Port(channel.name, channel.topic, wrench, convert.fill_wrench),)
    if channel.layers == 1:
        scan = _scan(channel, frame, period_s)
        return (Port(channel.name, channel.topic, scan, convert.fill_scan),)
    return (Port(channel.name, channel.topic, _cloud(channel, frame), convert.fill_cloud),)


def _diagonal(deviations: list[float]) -> array[float]:
    """A covariance matrix, row by row, of errors that do not depend on each other; all 0 says nothing (REP 145)."""
    n = len(deviations)
    numbers = [0.0] * (n * n)
    numbers[:: n + 1] = [deviation**2 for deviation in deviations]
    return array("d", numbers)


def _total(channel: SensorChannel, quantity: str) -> list[float]:
    """The standard deviation of noise and bias together, for three axes."""
    return [math.hypot(getattr(channel.noise, quantity), getattr(channel.bias, quantity))] * 3


def _odometry(channel: channels.Odometry, frame: str, world_frame: str) -> Odometry:
    message = Odometry(header=Header(frame_id=world_frame), child_frame_id=frame)
    message.pose.covariance = _diagonal(_total(channel, "position") + _total(channel, "rotation"))
    message.twist.covariance = _diagonal(_total(channel, "linear") + _total(channel, "angular"))
    return message


def _imu(channel: channels.Imu, frame: str) -> Imu:
    message = Imu(header=Header(frame_id=frame))
    message.orientation_covariance = _diagonal(_total(channel, "rotation"))
    message.angular_velocity_covariance = _diagonal(_total(channel, "angular_velocity"))
    message.linear_acceleration_covariance = _diagonal(_total(channel, "linear_acceleration"))
    if not channel.orientation:
        message.orientation_covariance[0] = -1.0
    return message


def _scan(channel: channels.Lidar, frame: str, period_s: float) -> LaserScan:
    return LaserScan(
        header=Header(frame_id=frame),
        angle_min=channel.min_angle,
        angle_max=channel.max_angle if channel.rays > 1 else channel.min_angle,
        angle_increment=(channel.max_angle - channel.min_angle) / max(channel.rays - 1, 1),
        scan_time=period_s,
        range_min=channel.range_min,
        range_max=channel.range_max,
    )


def _cloud(channel: channels.Lidar, frame: str) -> PointCloud2:
    kinds = {"<f4": PointField.FLOAT32, "<u2": PointField.UINT16}
    fields = [
        PointField(name=name, offset=offset, datatype=kinds[kind.str], count=1)
        for name, (kind, offset, *_) in (POINT.fields or {}).items()
    ]
    message = PointCloud2(header=Header(frame_id=frame), height=channel.layers, width=channel.rays, fields=fields)
    message.point_step, message.row_step = POINT.itemsize, POINT.itemsize * channel.rays
    return message


def _range(channel: channels.Range, frame: str) -> Range:
    return Range(
        header=Header(frame_id=frame),
        radiation_type=Range.ULTRASOUND if channel.radiation == "ultrasound" else Range.INFRARED,
        field_of_view=channel.field_of_view,
        min_range=channel.range_min,
        max_range=channel.range_max,
    )


def _camera(channel: channels.Camera, number: int, frame: str) -> tuple[Port, Port]:
    """A picture or a depth, and what says how to read it."""
    sample, topic = channel.samples[number], channel.image_topics[number]
    encoding, size = (("rgb8", 3), ("32FC1", 4))[number]
    image = Image(header=Header(frame_id=frame), height=channel.height, width=channel.width, encoding=encoding)
    image.step = size * channel.width
    image.data = array("B", bytes(image.step * image.height))
    focal = channel.focal_length
    u, v = channel.principal_point
    info = CameraInfo(header=Header(frame_id=frame), height=channel.height, width=channel.width)
    info.distortion_model, info.d = "plumb_bob", [0.0] * 5
    info.k = [focal, 0.0, u, 0.0, focal, v, 0.0, 0.0, 1.0]
    info.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    info.p = [focal, 0.0, u, 0.0, 0.0, focal, v, 0.0, 0.0, 0.0, 1.0, 0.0]
    return (
        Port(sample, topic, image, convert.fill_image),
        Port(sample, info_topic(topic), info, convert.fill_stamp),
    )
