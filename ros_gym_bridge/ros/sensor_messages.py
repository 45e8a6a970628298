"""Between samples of sensors and ROS messages: pure conversions, there and back. Each `fill_` writes a sample into a
message whose constant parts are there already, see `sensor_ports`; the function after it is its inverse."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import PoseStamped, WrenchStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Image, Imu, LaserScan, PointCloud2, Range

from ros_gym_bridge.robot import Sample, read_only
from ros_gym_bridge.ros.messages import to_ns, to_time

POINT = np.dtype({"names": ["x", "y", "z", "ring"], "formats": ["<f4", "<f4", "<f4", "<u2"], "itemsize": 16})
_COLOUR, _DEPTH = np.dtype(np.uint8), np.dtype("<f4")


def fill_pose(message: PoseStamped, sample: Sample) -> PoseStamped:
    """`link_pose`: x y z (m) and quaternion x y z w."""
    message.header.stamp = to_time(sample.stamp_ns)
    _set_pose(message.pose, sample.value.tolist())
    return message


def pose_sample(message: PoseStamped) -> Sample:
    """Inverse of `fill_pose`."""
    return Sample(to_ns(message.header.stamp), read_only(_pose(message.pose)))


def fill_odometry(message: Odometry, sample: Sample) -> Odometry:
    """`odometry`: pose in `header.frame_id`, linear and angular velocity in `child_frame_id`."""
    message.header.stamp = to_time(sample.stamp_ns)
    numbers = sample.value.tolist()
    _set_pose(message.pose.pose, numbers[:7])
    _set(message.twist.twist.linear, numbers[7:10])
    _set(message.twist.twist.angular, numbers[10:])
    return message


def odometry_sample(message: Odometry) -> Sample:
    """Inverse of `fill_odometry`."""
    twist = message.twist.twist
    numbers = [*_pose(message.pose.pose), *_vector(twist.linear), *_vector(twist.angular)]
    return Sample(to_ns(message.header.stamp), read_only(numbers))


def fill_imu(message: Imu, sample: Sample) -> Imu:
    """`imu`: orientation, angular velocity, specific force."""
    message.header.stamp = to_time(sample.stamp_ns)
    numbers = sample.value.tolist()
    _set_rotation(message.orientation, numbers[:4])
    _set(message.angular_velocity, numbers[4:7])
    _set(message.linear_acceleration, numbers[7:])
    return message


def imu_sample(message: Imu) -> Sample:
    """Inverse of `fill_imu`."""
    q = message.orientation
    rest = [*_vector(message.angular_velocity), *_vector(message.linear_acceleration)]
    return Sample(to_ns(message.header.stamp), read_only([q.x, q.y, q.z, q.w, *rest]))


def fill_wrench(message: WrenchStamped, sample: Sample) -> WrenchStamped:
    """`force_torque` and `contact`: force and torque."""
    message.header.stamp = to_time(sample.stamp_ns)
    numbers = sample.value.tolist()
    _set(message.wrench.force, numbers[:3])
    _set(message.wrench.torque, numbers[3:])
    return message


def wrench_sample(message: WrenchStamped) -> Sample:
    """Inverse of `fill_wrench`."""
    wrench = message.wrench
    return Sample(to_ns(message.header.stamp), read_only([*_vector(wrench.force), *_vector(wrench.torque)]))


def fill_scan(message: LaserScan, sample: Sample) -> LaserScan:
    """`lidar` of one layer: ranges."""
    message.header.stamp = to_time(sample.stamp_ns)
    message.ranges = array("f", sample.value.tobytes())
    return message


def scan_sample(message: LaserScan) -> Sample:
    """Inverse of `fill_scan`."""
    return Sample(to_ns(message.header.stamp), _kept(message.ranges, np.dtype(np.float32)))


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


def cloud_sample(message: PointCloud2) -> Sample:
    """Inverse of `fill_cloud`."""
    points = np.frombuffer(message.data, POINT).reshape(message.height, message.width)
    value = np.stack([points[name] for name in "xyz"], axis=2).astype(np.float32)
    value.setflags(write=False)
    return Sample(to_ns(message.header.stamp), value)


def fill_range(message: Range, sample: Sample) -> Range:
    """`range`: one distance."""
    message.header.stamp = to_time(sample.stamp_ns)
    message.range = float(sample.value[0])
    return message


def range_sample(message: Range) -> Sample:
    """Inverse of `fill_range`."""
    return Sample(to_ns(message.header.stamp), _kept(array("f", [message.range]), np.dtype(np.float32)))


def fill_image(message: Image, sample: Sample) -> Image:
    """`camera`: colours or depths, row by row."""
    message.header.stamp = to_time(sample.stamp_ns)
    message.data = array("B", sample.value.tobytes())
    return message


def image_sample(message: Image) -> Sample:
    """Inverse of `fill_image`."""
    size = (message.height, message.width)
    if message.encoding == "32FC1":
        return Sample(to_ns(message.header.stamp), _kept(message.data, _DEPTH).reshape(size))
    return Sample(to_ns(message.header.stamp), _kept(message.data, _COLOUR).reshape(*size, 3))


def fill_stamp(message: Any, sample: Sample) -> Any:
    """Whatever says the same at all times, such as a camera info."""
    message.header.stamp = to_time(sample.stamp_ns)
    return message


def _kept(values: array[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """A message's array as a read-only one, without a copy."""
    value: npt.NDArray[Any] = np.frombuffer(values, dtype)
    value.setflags(write=False)
    return value


def _set(vector: Any, numbers: list[float]) -> None:
    vector.x, vector.y, vector.z = numbers


def _vector(vector: Any) -> tuple[float, float, float]:
    return vector.x, vector.y, vector.z


def _set_rotation(rotation: Any, numbers: list[float]) -> None:
    rotation.x, rotation.y, rotation.z, rotation.w = numbers


def _set_pose(pose: Any, numbers: list[float]) -> None:
    _set(pose.position, numbers[:3])
    _set_rotation(pose.orientation, numbers[3:])


def _pose(pose: Any) -> tuple[float, ...]:
    p, q = pose.position, pose.orientation
    return p.x, p.y, p.z, q.x, q.y, q.z, q.w
