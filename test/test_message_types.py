"""Messages as arrays: every type, through the wire's bytes; everything that is refused; types of other packages."""

from __future__ import annotations

import contextlib
import io
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from hypothesis import given, settings
from hypothesis import strategies as st
from nav_msgs.msg import Odometry
from PIL import Image as Pictures
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import (
    CameraInfo,
    CompressedImage,
    Image,
    Imu,
    JointState,
    LaserScan,
    PointCloud2,
    PointField,
    Range,
)
from std_msgs.msg import Float64MultiArray

from ros_gym_bridge import load_robot
from ros_gym_bridge.errors import MissingDependencyError, RobotFileError
from ros_gym_bridge.message_types import TYPES, MessageRefused, Wanted, message_type
from ros_gym_bridge.message_types.buffers import ENCODINGS
from ros_gym_bridge.ros.listener import message_class, message_name

INF, NAN = math.inf, math.nan


def read(message: Any, **wanted: Any) -> Any:
    """What is read of a message that has gone over the wire."""
    kind = message_type(message_name(type(message)))
    assert kind is not None
    wire = deserialize_message(serialize_message(message), type(message))
    reader = kind(Wanted(**wanted))
    value = reader(wire)
    assert (value.shape, value.dtype) == (reader.shape, reader.dtype)
    assert not value.flags.writeable
    for end in (reader.low, reader.high):
        assert np.isfinite(end).all()
        assert np.ndim(end) == 0 or np.shape(end) == reader.shape[-1:]
    return value


def refused(message: Any, **wanted: Any) -> str:
    with pytest.raises(MessageRefused) as caught:
        read(message, **wanted)
    return str(caught.value)


def test_every_type_of_the_list_is_there() -> None:
    for name in TYPES:
        assert message_name(message_class(name)) == name
    assert len(TYPES) == 13


def test_rows_of_numbers_and_their_fields() -> None:
    imu = Imu()
    q, w, a = imu.orientation, imu.angular_velocity, imu.linear_acceleration
    q.x, q.y, q.z, q.w, w.x, w.y, w.z, a.x, a.y, a.z = map(float, range(10))
    assert read(imu).tolist() == list(range(10))
    assert read(imu, fields=("linear_acceleration", "angular_velocity.z")).tolist() == [7, 8, 9, 6]
    assert read(imu, fields=("orientation.w",)).tolist() == [3]
    odometry = Odometry()
    odometry.pose.pose.position.y, odometry.twist.twist.angular.z = 2.0, 3.0
    assert read(odometry).tolist() == [0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 3]
    assert read(odometry, fields=("twist.twist.angular.z", "pose.pose.position")).tolist() == [3, 0, 2, 0]
    pose, twist, wrench = PoseStamped(), TwistStamped(), WrenchStamped()
    pose.pose.position.z, twist.twist.linear.x, wrench.wrench.torque.z = 1.0, 4.0, 5.0
    assert read(pose).tolist() == [0, 0, 1, 0, 0, 0, 1]
    assert read(twist).tolist() == [4, 0, 0, 0, 0, 0]
    assert read(wrench).tolist() == [0, 0, 0, 0, 0, 5]
    assert read(Range(range=INF)).tolist() == [INF]


def test_joints_by_name_in_any_order() -> None:
    state = JointState(name=["c", "a", "b"], position=[3.0, 1.0, 2.0], effort=[NAN, 10.0, 20.0])
    assert read(state, fields=("position",), joints=("a", "b", "c")).tolist() == [1, 2, 3]
    assert read(state, fields=("effort", "position"), joints=("b", "a")).tolist() == [20, 10, 2, 1]
    assert np.isnan(read(state, joints=("a",))).tolist() == [False, True, False]
    assert refused(state, joints=("a", "hook", "lid")) == "joints hook, lid are not among c, a, b"
    assert refused(JointState(), joints=("a",)) == "joints a are not among none"


def test_numbers_without_names() -> None:
    numbers = Float64MultiArray(data=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert read(numbers, shape=(2, 3)).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert refused(numbers, shape=(2, 2)) == "6 numbers, expected 2 x 2 = 4"
    assert refused(Float64MultiArray(), shape=(3,)) == "0 numbers, expected 3 = 3"


def test_camera_info() -> None:
    info = CameraInfo(height=48, width=64, k=[32.0, 0.0, 31.5, 0.0, 32.0, 23.5, 0.0, 0.0, 1.0])
    assert read(info).tolist() == info.k.tolist()
    assert read(info, fields=("width", "height")).tolist() == [64, 48]


def test_scans_keep_what_rep_117_says() -> None:
    scan = LaserScan(ranges=[1.0, INF, -INF, NAN], intensities=[1.0, 2.0, 3.0, 4.0])
    np.testing.assert_equal(read(scan, shape=(4,)), np.array([1, INF, -INF, NAN], np.float32))
    assert read(scan, shape=(4,), fields=("intensities",)).tolist() == [1, 2, 3, 4]
    assert refused(scan, shape=(360,)) == "4 ranges, expected 360"
    assert refused(LaserScan(), shape=(3,)) == "0 ranges, expected 3"


def test_scans_look_where_the_robot_file_says() -> None:
    scan = LaserScan(ranges=[1.0] * 4, angle_min=-0.3, angle_increment=0.2)
    assert read(scan, shape=(4,), angles=(-0.3, 0.3)).tolist() == [1] * 4
    assert read(scan, shape=(4,), angles=(-0.3, 0.5)).tolist() == [1] * 4, "whether the end counts, drivers disagree"
    assert refused(scan, shape=(4,), angles=(0.1, 0.7)) == "rays from -0.300 to 0.300 rad, expected 0.100 to 0.700"
    assert refused(scan, shape=(4,), angles=(-0.3, 0.9)) == "rays from -0.300 to 0.300 rad, expected -0.300 to 0.900"


def cloud(points: np.ndarray[Any, Any], rows: int = 1, big: bool = False, padding: int = 0) -> PointCloud2:
    """A cloud of a structured array, with so many bytes after each row."""
    kinds = {"f4": 7, "f8": 8, "u2": 4}
    points = points.astype(points.dtype.newbyteorder(">" if big else "<"))
    fields = [
        PointField(name=name, offset=offset, datatype=kinds[kind.str[1:]], count=1)
        for name, (kind, offset, *_) in (points.dtype.fields or {}).items()
    ]
    columns = points.size // rows
    message = PointCloud2(height=rows, width=columns, fields=fields, is_bigendian=big)
    message.point_step = points.dtype.itemsize
    message.row_step = message.point_step * columns + padding
    lines = points.reshape(rows, columns)
    message.data = b"".join(line.tobytes() + b"\xff" * padding for line in lines)
    return message


def some_points(count: int) -> np.ndarray[Any, Any]:
    kind = np.dtype({"names": ["ring", "z", "y", "x"], "formats": ["u2", "f8", "f4", "f4"], "offsets": [0, 2, 12, 16]})
    points = np.zeros(count, kind)
    for i, name in enumerate(("x", "y", "z", "ring")):
        points[name] = np.arange(count) + 100 * i
    return points


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 7])
def test_clouds(big: bool, padding: int) -> None:
    message = cloud(some_points(6), rows=2, big=big, padding=padding)
    rows = [[i, 100 + i, 200 + i] for i in range(6)]
    assert read(message, shape=(2, 3)).tolist() == [rows[:3], rows[3:]]
    assert read(message, shape=(8,), padding=-1.0).tolist() == [*rows, [-1] * 3, [-1] * 3]
    assert read(message, shape=(6,), fields=("ring", "x")).tolist() == [[300 + i, i] for i in range(6)]
    assert refused(message, shape=(5,)) == "6 points, expected at most 5"
    assert refused(message, shape=(3, 2)) == "2 x 3 points, expected 3 x 2"
    text = "a point cloud without the field rgb, with the fields ring, z, y, x"
    assert refused(message, shape=(6,), fields=("rgb",)) == text


def test_clouds_that_are_empty_or_lie() -> None:
    empty = cloud(some_points(0))
    assert read(empty, shape=(2,)).tolist() == [[0, 0, 0], [0, 0, 0]]
    short = cloud(some_points(4))
    short.data = short.data[:-1]
    text = "a point cloud with 79 bytes of data, which 4 x 1 points of 20 bytes do not fit"
    assert refused(short, shape=(4,)) == text


def image(value: np.ndarray[Any, Any], encoding: str, big: bool = False, padding: int = 0) -> Image:
    lines = value.astype(value.dtype.newbyteorder(">" if big else "<"))
    message = Image(height=value.shape[0], width=value.shape[1], encoding=encoding, is_bigendian=big)
    message.step = lines[0].nbytes + padding
    message.data = b"".join(line.tobytes() + b"\xff" * padding for line in lines)
    return message


COLOURS = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)  # red, green, blue, opacity


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8", "8UC3"])
def test_colours_in_any_order(encoding: str, padding: int) -> None:
    order = ["rgba".index(letter) for letter in ("bgr" if encoding == "8UC3" else encoding[:-1])]
    message = image(COLOURS[:, :, order], encoding, padding=padding)
    assert read(message, shape=(2, 3)).tolist() == COLOURS[:, :, :3].tolist()
    assert read(message, shape=(2, 3), encoding="bgr8").tolist() == COLOURS[:, :, [2, 1, 0]].tolist()
    if "a" in encoding:
        assert read(message, shape=(2, 3), encoding="rgba8").tolist() == COLOURS.tolist()
    else:
        text = f"a picture of the encoding '{encoding}', expected bgra8"
        assert refused(message, shape=(2, 3), encoding="bgra8") == text


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    ("encoding", "dtype", "others"),
    [("mono8", "u1", ["8UC1"]), ("mono16", "u2", ["16UC1"]), ("16UC1", "u2", ["mono16"]), ("32FC1", "f4", [])],
)
def test_one_number_a_pixel(encoding: str, dtype: str, others: list[str], big: bool) -> None:
    value = (np.arange(6).reshape(2, 3) * 37).astype(dtype)
    for sent in (encoding, *others):
        message = image(value, sent, big, padding=3)
        assert read(message, shape=(2, 3), encoding=encoding).tolist() == value.tolist()
    assert refused(message, shape=(2, 3)) == f"a picture of the encoding '{sent}', expected rgb8"


def test_depths_in_millimetres_are_metres() -> None:
    depths = image(np.array([[0, 1500, 65535]], np.uint16), "16UC1", big=True)
    found = read(depths, shape=(1, 3), encoding="32FC1")
    np.testing.assert_allclose(found, np.array([[NAN, 1.5, 65.535]], np.float32), rtol=1e-6)


def test_pictures_of_another_size_or_that_lie() -> None:
    message = image(COLOURS[:, :, :3], "rgb8")
    assert refused(message, shape=(48, 64)) == "a picture of 2 x 3 pixels, expected 48 x 64"
    message.data = message.data[:-1]
    text = "an image with 17 bytes of data, which 3 x 2 pixels of rgb8, 9 bytes a row, do not fit"
    assert refused(message, shape=(2, 3)) == text
    message.encoding = "yuv422"
    assert refused(message, shape=(2, 3)) == "a picture of the encoding 'yuv422', expected rgb8"


def compressed(value: np.ndarray[Any, Any], kind: str, said: str) -> CompressedImage:
    data = io.BytesIO()
    Pictures.fromarray(value).save(data, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return CompressedImage(format=said, data=data.getvalue())


def test_compressed_pictures() -> None:
    colours = np.zeros((16, 24, 3), np.uint8)
    colours[:, :, 0], colours[:, 12:, 2] = 200, 90
    png = compressed(colours, "PNG", "rgb8; png compressed bgr8")
    assert (read(png, shape=(16, 24)) == colours).all()
    assert (read(png, shape=(16, 24), encoding="bgr8") == colours[:, :, ::-1]).all()
    jpeg = compressed(colours, "JPEG", "bgr8; jpeg compressed bgr8")
    assert np.abs(read(jpeg, shape=(16, 24)).astype(int) - colours).mean() < 8
    grey = compressed(colours[:, :, 0], "PNG", "png")
    assert (read(grey, shape=(16, 24), encoding="mono8") == colours[:, :, 0]).all()
    deep = np.arange(6, dtype=np.uint16).reshape(2, 3) * 9000
    depth = compressed(deep, "PNG", "16UC1; png compressed ")
    assert read(depth, shape=(2, 3), encoding="16UC1").tolist() == deep.tolist()
    assert refused(depth, shape=(2, 3)) == "a picture of 16 bits, expected rgb8"
    assert refused(png, shape=(16, 24), encoding="mono16") == "a picture of 8 bits, expected mono16"
    assert refused(png, shape=(24, 16)) == "a picture of 16 x 24 pixels, expected 24 x 16"


def test_compressed_pictures_that_are_none() -> None:
    message = CompressedImage(format="jpeg", data=b"\xff\xd8\xff\xe0 nothing of the kind")
    assert refused(message, shape=(2, 3)).startswith("a picture that cannot be decoded: ")
    message.format = "32FC1; compressedDepth png"
    text = "a picture of the format '32FC1; compressedDepth png', expected jpeg or png"
    assert refused(message, shape=(2, 3)) == text


# --- robot files


ROBOT = "extends: cartpole\nchannels:\n  - {name: a, kind: topic, "


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            "message: sensor_msgs/Imux",
            "channels[0].message; got 'sensor_msgs/msg/Imux'; expected one of geometry_msgs/msg/PoseStamped, "
            "geometry_msgs/msg/TwistStamped, geometry_msgs/msg/WrenchStamped, nav_msgs/msg/Odometry, "
            "sensor_msgs/msg/CameraInfo, sensor_msgs/msg/CompressedImage, sensor_msgs/msg/Image, sensor_msgs/msg/Imu, "
            "sensor_msgs/msg/JointState, sensor_msgs/msg/LaserScan, sensor_msgs/msg/PointCloud2, "
            "sensor_msgs/msg/Range, std_msgs/msg/Float64MultiArray; Did you mean 'sensor_msgs/msg/Imu'?",
        ),
        (
            "message: Imu",
            "channels[0].message; got 'Imu'; expected a message type such as sensor_msgs/msg/Imu; Change the value of "
            "'channels[0].message'.",
        ),
        (
            "message: sensor_msgs/Imu, fields: [angular_velocity.q]",
            "channels[0].fields; got 'angular_velocity.q'; expected one of orientation, orientation.x, orientation.y, "
            "orientation.z, orientation.w, angular_velocity, angular_velocity.x, angular_velocity.y, "
            "angular_velocity.z, linear_acceleration, linear_acceleration.x, linear_acceleration.y, "
            "linear_acceleration.z; Correct the field.",
        ),
        (
            "message: sensor_msgs/Imu, fields: [orientation, orientation.w]",
            "channels[0].fields; got 'orientation.w'; expected every number once; Take the second one away.",
        ),
        (
            "message: sensor_msgs/LaserScan",
            "channels[0].shape; got None; expected the number of rays, such as [360]; Say how large the messages are.",
        ),
        (
            "message: sensor_msgs/PointCloud2, shape: [1, 2, 3]",
            "channels[0].shape; got [1, 2, 3]; expected the most points of a cloud, such as [1000], or rows and "
            "columns: [16, 360]; Say how large the messages are.",
        ),
        (
            "message: sensor_msgs/Image, shape: [100000, 100000]",
            "channels[0].shape; got [100000, 100000]; expected at most 10000000 numbers; Change the value of "
            "'channels[0].shape'.",
        ),
        (
            "message: sensor_msgs/PointCloud2, shape: [9], fields: [x, y, x]",
            "channels[0].fields; got 'x'; expected every field once; Take the second one away.",
        ),
        (
            "message: sensor_msgs/Imu, shape: [10]",
            "channels[0].shape; got [10]; expected no such key for sensor_msgs/msg/Imu; Take it away.",
        ),
        (
            "message: sensor_msgs/JointState",
            "channels[0].joints; got None; expected names of joints; Say which joints the channel is about.",
        ),
        (
            "message: sensor_msgs/Image, shape: [2, 3], encoding: yuv",
            "channels[0].encoding; got 'yuv'; expected one of rgb8, bgr8, rgba8, bgra8, 8UC3, mono8, 8UC1, mono16, "
            "16UC1, 32FC1; Correct the encoding.",
        ),
        (
            "message: sensor_msgs/CompressedImage, shape: [2, 3], encoding: 32FC1",
            "channels[0].encoding; got '32FC1'; expected one of rgb8, bgr8, mono8, mono16, 16UC1; Take one of these, "
            "or the topic of the raw image.",
        ),
        (
            "message: sensor_msgs/Range, topic: joint_states",
            "channels[0].message; got 'sensor_msgs/msg/Range'; expected sensor_msgs/msg/JointState, which "
            "'joint_states' carries already; Take another topic, or the same message.",
        ),
        (
            "message: sensor_msgs/Range, topic: a b",
            "channels[0].topic; got 'a b'; expected a topic name such as scan or /robot/scan; Change the value of "
            "'channels[0].topic'.",
        ),
    ],
    ids=lambda text: text[:40],
)
def test_refused_channels(tmp_path: Path, keys: str, message: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"{ROBOT}{keys}}}\n")
    with pytest.raises(RobotFileError) as caught:
        load_robot(path)
    assert str(caught.value) == f"{path}: {message}"


# --- types of other packages


OTHER = '''
import numpy as np
from ros_gym_bridge.message_types.base import Numbers

class Temperature(Numbers):
    """A temperature."""

    name = "sensor_msgs/msg/Temperature"
    reads = "float64 `(1,)`: the temperature"
    numbers = {"temperature": (-50.0, 150.0), "variance": (0.0, 10.0)}
'''


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that brings a message type."""
    folder = tmp_path / "site"
    meta = folder / "thermal_bridge-1.0.dist-info"
    meta.mkdir(parents=True)
    (folder / "thermal_bridge.py").write_text(OTHER)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: thermal_bridge\nVersion: 1.0\n")
    entries = ["sensor_msgs/msg/Temperature = thermal_bridge:Temperature", "sensor_msgs/msg/MagneticField = nowhere:A"]
    (meta / "entry_points.txt").write_text("\n".join(["[ros_gym_bridge.messages]", *entries]))
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    sys.modules.pop("thermal_bridge", None)


def test_a_type_of_another_package(other_package: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"{ROBOT}message: sensor_msgs/Temperature, fields: [temperature]}}\n")
    robot = load_robot(path)
    channel = robot.config.channels[0]
    assert channel.message == "sensor_msgs/msg/Temperature"
    temperature = message_class(channel.message)(temperature=21.5, variance=0.1)
    assert read(temperature).tolist() == [21.5, 0.1]


def test_a_type_of_a_broken_package(other_package: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"{ROBOT}message: sensor_msgs/MagneticField}}\n")
    with pytest.raises(MissingDependencyError) as caught:
        load_robot(path)
    assert str(caught.value) == (
        "the message type 'sensor_msgs/msg/MagneticField' cannot be loaded; got nowhere:A: No module named 'nowhere'; "
        "expected a class with the protocol MessageType, named by an entry point of the group "
        "'ros_gym_bridge.messages'; Repair or remove the package that names it."
    )


def test_a_message_that_is_not_installed() -> None:
    with pytest.raises(MissingDependencyError) as caught:
        message_class("nobody_msgs/msg/Thing")
    assert str(caught.value) == (
        "the message type 'nobody_msgs/msg/Thing' is not there; got No module named 'nobody_msgs'; expected the "
        "package 'nobody_msgs' in the sourced ROS 2 installation; Install it, or correct the robot file."
    )


# --- whatever comes


SMALL = st.integers(0, 40)
FIELDS = st.builds(
    PointField,
    name=st.sampled_from(["x", "y", "z", "", "ring"]),
    offset=st.integers(0, 40),
    datatype=st.integers(0, 9),
    count=st.integers(0, 3),
)
CLOUDS = st.builds(
    PointCloud2,
    height=SMALL,
    width=SMALL | st.just(2**32 - 1),
    fields=st.lists(FIELDS, max_size=4),
    is_bigendian=st.booleans(),
    point_step=SMALL,
    row_step=st.integers(0, 400),
    data=st.binary(max_size=400),
)
IMAGES = st.builds(
    Image,
    height=SMALL,
    width=SMALL,
    encoding=st.sampled_from([*ENCODINGS, "", "yuv422"]),
    is_bigendian=st.integers(0, 1),
    step=st.integers(0, 200),
    data=st.binary(max_size=400),
)
PICTURES = st.builds(
    CompressedImage,
    format=st.sampled_from(["jpeg", "png", "", "png; png"]),
    data=st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b""]).flatmap(
        lambda begin: st.binary(max_size=60).map(lambda rest: begin + rest)
    ),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.tuples(CLOUDS, st.sampled_from([{"shape": (9,)}, {"shape": (2, 3)}]))
    | st.tuples(IMAGES, st.sampled_from([{"shape": (2, 3), "encoding": name} for name in ENCODINGS]))
    | st.tuples(PICTURES, st.just({"shape": (2, 3)}))
)
def test_whatever_comes_is_an_array_or_refused(case: tuple[Any, dict[str, Any]]) -> None:
    message, wanted = case
    with contextlib.suppress(MessageRefused):
        read(message, **wanted)
