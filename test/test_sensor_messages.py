"""Samples as messages: there and back changes nothing; what never changes in a message says what the channel is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import PointField, Range

from ros_gym_bridge.channel_readings import channel_readings
from ros_gym_bridge.channels import Channel
from ros_gym_bridge.robot import Sample
from ros_gym_bridge.ros.messages import to_ns
from ros_gym_bridge.ros.sensor_ports import Port, ports

PI = math.pi
KINDS = {
    "pose": ({"kind": "link_pose", "link": "l"}, np.float64, (7,)),
    "odometry": ({"kind": "odometry", "link": "l"}, np.float64, (13,)),
    "imu": ({"kind": "imu", "link": "l"}, np.float64, (10,)),
    "force_torque": ({"kind": "force_torque", "joint": "j"}, np.float64, (6,)),
    "contact": ({"kind": "contact", "link": "l"}, np.float64, (6,)),
    "scan": ({"kind": "lidar", "link": "l", "rays": 33}, np.float32, (33,)),
    "cloud": ({"kind": "lidar", "link": "l", "rays": 33, "layers": 5}, np.float32, (5, 33, 3)),
    "range": ({"kind": "range", "link": "l"}, np.float32, (1,)),
    "picture": ({"kind": "camera", "link": "l", "width": 7, "height": 5}, np.uint8, (5, 7, 3)),
}


def channel(**keys: Any) -> Any:
    return TypeAdapter(Channel).validate_python({"name": "a/b", **keys})


def port(frame: str = "", world: str = "", period_s: float = 0.0, number: int = 0, **keys: Any) -> Port:
    return ports(channel(**keys), frame, world, period_s)[number]


def read(message: Any, number: int = 0, **keys: Any) -> Any:
    """The value that an adapter takes from a message of the same channel."""
    return channel_readings(channel(**keys))[number].read(message)


def anything(dtype: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Values with everything that floats can be."""
    rng = np.random.default_rng(1)
    if dtype is np.uint8:
        return rng.integers(0, 256, shape, dtype=np.uint8)
    value = rng.standard_normal(shape).astype(dtype)
    value.ravel()[: 3 if value.size > 4 else 1] = [math.inf, -math.inf, math.nan][: 3 if value.size > 4 else 1]
    return value


@pytest.mark.parametrize("name", KINDS)
def test_there_and_back_changes_nothing(name: str) -> None:
    keys, dtype, shape = KINDS[name]
    one = port(**keys)
    sample = Sample(3_040_000_001, anything(dtype, shape))
    message = one.fill(one.message, sample)
    wire = deserialize_message(serialize_message(message), type(message))
    back = read(wire, **keys)
    assert to_ns(wire.header.stamp) == 3_040_000_001
    assert (back.dtype, back.shape) == (dtype, shape)
    assert back.tobytes() == sample.value.tobytes()
    assert not back.flags.writeable


def test_depth_there_and_back() -> None:
    keys = {"kind": "camera", "link": "l", "width": 7, "height": 5, "depth": True}
    one = port(number=2, **keys)
    sample = Sample(1, anything(np.float32, (5, 7)))
    message = one.fill(one.message, sample)
    assert (message.encoding, message.step, len(message.data)) == ("32FC1", 28, 140)
    assert read(message, 1, **keys).tobytes() == sample.value.tobytes()


def test_filled_again_an_old_sample_does_not_change() -> None:
    """A publisher keeps its message; a subscriber never shares it, but its arrays are taken without a copy."""
    one = port(**KINDS["scan"][0])
    first, second = (Sample(i, anything(np.float32, (33,)) + np.float32(i)) for i in range(2))
    wire = deserialize_message(serialize_message(one.fill(one.message, first)), type(one.message))
    taken = read(wire, **KINDS["scan"][0])
    one.fill(one.message, second)
    assert taken.tobytes() == first.value.tobytes()


def test_frames() -> None:
    for name, (keys, _, _) in KINDS.items():
        message = port("p/sensor", "p/world", **keys).message
        world = name in ("pose", "odometry")
        assert message.header.frame_id == ("p/world" if world else "p/sensor"), name
        assert getattr(message, "child_frame_id", "p/sensor") == "p/sensor"


def test_scan_says_where_its_rays_are() -> None:
    keys = {"rays": 5, "min_angle": -1.0, "max_angle": 1.0, "range_min": 0.5, "range_max": 8.0}
    message = port(period_s=0.1, kind="lidar", link="l", **keys).message
    found = (message.angle_min, message.angle_max, message.angle_increment, message.range_min, message.range_max)
    assert found == pytest.approx((-1.0, 1.0, 0.5, 0.5, 8.0))
    assert message.scan_time == pytest.approx(0.1)
    one = port(kind="lidar", link="l", rays=1, min_angle=0.5).message
    assert (one.angle_min, one.angle_max) == (0.5, 0.5)


def test_cloud_says_what_a_point_is() -> None:
    one = port(**KINDS["cloud"][0])
    message = one.fill(one.message, Sample(1, anything(np.float32, (5, 33, 3))))
    fields = [(f.name, f.offset, f.datatype, f.count) for f in message.fields]
    xyz = [(name, 4 * i, PointField.FLOAT32, 1) for i, name in enumerate("xyz")]
    assert fields == [*xyz, ("ring", 12, PointField.UINT16, 1)]
    assert (message.height, message.width, message.point_step, message.row_step) == (5, 33, 16, 33 * 16)
    assert len(message.data) == 5 * 33 * 16
    assert not message.is_dense
    rings = np.frombuffer(message.data, np.uint8).reshape(5, 33, 16)[:, :, 12:14].copy().view(np.uint16)[:, :, 0]
    assert (rings == np.arange(5)[:, None]).all()


def test_range_says_what_it_is() -> None:
    keys = {"radiation": "ultrasound", "field_of_view": 0.4, "range_min": 0.1, "range_max": 3.0}
    message = port(kind="range", link="l", **keys).message
    assert message.radiation_type == Range.ULTRASOUND
    assert (message.field_of_view, message.min_range, message.max_range) == pytest.approx((0.4, 0.1, 3.0))
    assert port(kind="range", link="l").message.radiation_type == Range.INFRARED


def test_covariances_are_those_of_noise_and_bias() -> None:
    message = port(kind="imu", link="l", noise={"angular_velocity": 0.3}, bias={"angular_velocity": 0.4}).message
    assert message.angular_velocity_covariance.tolist() == pytest.approx([0.25, 0, 0, 0, 0.25, 0, 0, 0, 0.25])
    assert not message.orientation_covariance.any()
    assert port(kind="imu", link="l", orientation=False).message.orientation_covariance[0] == -1.0
    odometry = port(kind="odometry", link="l", noise={"position": 0.1, "angular": 0.2}).message
    assert np.diag(odometry.pose.covariance.reshape(6, 6)) == pytest.approx([0.01, 0.01, 0.01, 0, 0, 0])
    assert np.diag(odometry.twist.covariance.reshape(6, 6)) == pytest.approx([0, 0, 0, 0.04, 0.04, 0.04])


def test_camera_info_says_what_the_picture_is() -> None:
    keys = {"kind": "camera", "link": "l", "width": 64, "height": 48, "horizontal_fov": PI / 2, "depth": True}
    found = ports(channel(**{"name": "cam/image_raw", **keys}), "optical")
    topics = ["cam/image_raw", "cam/camera_info", "cam/depth/image_raw", "cam/depth/camera_info"]
    assert [each.topic for each in found] == topics
    assert [each.sample for each in found] == ["cam/image_raw"] * 2 + ["cam/depth/image_raw"] * 2
    for image, info in (found[:2], found[2:]):
        assert (info.message.width, info.message.height) == (image.message.width, image.message.height) == (64, 48)
        assert info.message.header.frame_id == image.message.header.frame_id == "optical"
        assert info.message.k.tolist() == pytest.approx([32, 0, 31.5, 0, 32, 23.5, 0, 0, 1])
        assert info.message.p.tolist() == pytest.approx([32, 0, 31.5, 0, 0, 32, 23.5, 0, 0, 0, 1, 0])
        assert info.message.r.tolist() == np.eye(3).ravel().tolist()
        assert (info.message.distortion_model, list(info.message.d)) == ("plumb_bob", [0.0] * 5)
        assert to_ns(info.fill(info.message, Sample(5, np.zeros(1))).header.stamp) == 5
