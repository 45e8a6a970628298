"""Between samples of sensors and ROS messages: pure conversions, there and back. Each `fill_` writes a sample into a
message whose constant parts are there already, see `sensor_ports`; the function after it is its inverse."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped, WrenchStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Image, Imu, LaserScan, PointCloud2, Range

from ros_gym_bridge.robot import Sample
from ros_gym_bridge.ros.messages import to_time

POINT = np.dtype({"names": ["x", "y", "z", "ring"], "formats": ["<f4", "<f4", "<f4", "<u2"], "itemsize": 16})
_COLOUR, _DEPTH = np.dtype(np.uint8), np.dtype("<f4")


def fill_pose(message: PoseStamped, sample: Sample) -> PoseStamped:
    """`link_pose`: x y z (m) and quaternion x y z w."""
    message.header.stamp = to_time(sample.stamp_ns)
    _set_pose(message.pose, sample.value.tolist())
    return message


def fill_odometry(message: Odometry, sample: Sample) -> Odometry:
    """`odometry`: pose in `header.frame_id`, linear and angular velocity in `child_frame_id`."""
    message.header.stamp = to_time(sample.stamp_ns)
    numbers = sample.value.tolist()
    _set_pose(message.pose.pose, numbers[:7])
    _set(message.twist.twist.linear, numbers[7:10])
    _set(message.twist.twist.angular, numbers[10:])
    return message


def fill_imu(message: Imu, sample: Sample) -> Imu:
    """`imu`: orientation, angular velocity, specific force."""
    message.header.stamp = to_time(sample.stamp_ns)
    numbers = sample.value.tolist()
    _set_rotation(message.orientation, numbers[:4])
    _set(message.angular_velocity, numbers[4:7])
    _set(message.linear_acceleration, numbers[7:])
    return message


def fill_wrench(message: WrenchStamped, sample: Sample) -> WrenchStamped:
    """`force_torque` and `contact`: force and torque."""
    message.header.stamp = to_time(sample.stamp_ns)
    numbers = sample.value.tolist()
    _set(message.wrench.force, numbers[:3])
    _set(message.wrench.torque, numbers[3:])
    return message


def fill_scan(message: LaserScan, sample: Sample) -> LaserScan:
    """`lidar` of one layer: ranges."""
    message.header.stamp = to_time(sample.stamp_ns)
    message.ranges = array("f", sample.value.tobytes())
    return message


def fill_cloud(message: PointCloud2, sample: Sample) -> PointCloud2:
    """`lidar` of several layers: points, row by row."""
    message.header.stamp = to_time(sample.stamp_ns)
    layers, rays, _ = sample.value.shape
    points = np.zeros((layers, rays), POINT)
    for i, name in enumerate("xyz"):
        points[name] = sample.value[:, :, i]
    points["ring"] = np.arange(layers)[:, None]
    message.data = array("B", points.tobytes())
    return message


def fill_range(message: Range, sample: Sample) -> Range:
    """`range`: one distance."""
    message.header.stamp = to_time(sample.stamp_ns)
    message.range = float(sample.value[0])
    return message


def fill_image(message: Image, sample: Sample) -> Image:
    """`camera`: colours or depths, row by row, into the array that the message has: megabytes are copied once."""
    message.header.stamp = to_time(sample.stamp_ns)
    memoryview(message.data)[:] = sample.value.data.cast("B")
    return message


def fill_stamp(message: Any, sample: Sample) -> Any:
    """Whatever says the same at all times, such as a camera info."""
    message.header.stamp = to_time(sample.stamp_ns)
    return message


def _set(vector: Any, numbers: list[float]) -> None:
    vector.x, vector.y, vector.z = numbers


def _set_rotation(rotation: Any, numbers: list[float]) -> None:
    rotation.x, rotation.y, rotation.z, rotation.w = numbers


def _set_pose(pose: Any, numbers: list[float]) -> None:
    _set(pose.position, numbers[:3])
    _set_rotation(pose.orientation, numbers[3:])
