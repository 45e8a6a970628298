"""Sensor messages as points and pictures; the messages are the real ones, the values are worked out by hand."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import Image, LaserScan, PointCloud2, PointField

pytest.importorskip("viser", reason="viser is not installed; make test installs it")

from ros_gym_bridge.message_types import MessageRefused
from ros_gym_bridge.view import texts
from ros_gym_bridge.view.readings import MOST_PIXELS, MOST_POINTS, cloud_points, picture, scan_points

FLOAT, UINT, DOUBLE = PointField.FLOAT32, PointField.UINT32, PointField.FLOAT64


def test_a_scan_without_what_was_not_seen() -> None:
    """REP 117: -inf too close, inf nothing there, NaN bad; beyond the limits is no reading either."""
    scan = LaserScan(angle_min=0.0, angle_increment=math.pi / 2, range_min=0.1, range_max=5.0)
    scan.ranges = [1.0, 2.0, math.nan, math.inf, -math.inf, 0.05, 6.0, 3.0]
    expected = [[1, 0, 0], [0, 2, 0], [0, -3, 0]]
    np.testing.assert_allclose(scan_points(scan), expected, atol=1e-5)
    scan.ranges = [math.inf] * 3
    assert scan_points(scan).shape == (0, 3)


def cloud(rows: list[tuple[Any, ...]], fields: dict[str, int], pack: str, **changes: Any) -> PointCloud2:
    """A cloud of one row; `pack` is struct's format of one point, and the fields follow each other."""
    size = {FLOAT: 4, UINT: 4, DOUBLE: 8}
    message = PointCloud2(width=len(rows), height=1, point_step=struct.calcsize(pack))
    offset = 0
    for name, kind in fields.items():
        message.fields.append(PointField(name=name, offset=offset, datatype=kind, count=1))
        offset += size[kind]
    message.row_step = message.point_step * len(rows)
    message.data = b"".join(struct.pack(pack, *row) for row in rows)
    for name, value in changes.items():
        setattr(message, name, value)
    return message


XYZ = {"x": FLOAT, "y": FLOAT, "z": FLOAT}


def test_a_cloud_without_what_was_not_seen() -> None:
    rows = [(1.0, 2.0, 3.0), (math.nan, 0.0, 0.0), (0.0, math.inf, 0.0), (-1.0, -2.0, -3.0)]
    points, colours = cloud_points(cloud(rows, XYZ, "<3f"))
    assert (points.tolist(), colours) == ([[1, 2, 3], [-1, -2, -3]], None)


def test_a_cloud_with_colours_gaps_and_another_order() -> None:
    fields = {"z": FLOAT, "x": FLOAT, "y": FLOAT, "rgb": UINT}
    points, colours = cloud_points(cloud([(3.0, 1.0, 2.0, 0xFF8001)] * 2, fields, "<3fI12x"))
    assert points.tolist() == [[1, 2, 3]] * 2
    assert colours is not None
    assert colours.tolist() == [[255, 128, 1]] * 2


def test_a_cloud_of_doubles_from_a_big_endian_machine() -> None:
    fields = dict.fromkeys(("x", "y", "z"), DOUBLE)
    points, _ = cloud_points(cloud([(1.0, 2.0, 3.0)], fields, ">3d", is_bigendian=True))
    assert points.tolist() == [[1, 2, 3]]


def test_rows_that_are_longer_than_their_points() -> None:
    message = cloud([(1.0, 2.0, 3.0)] * 4, XYZ, "<3f", width=2, height=2, row_step=32)
    one = struct.pack("<3f", 1, 2, 3)
    message.data = (one * 2 + b"\xff" * 8) * 2
    assert cloud_points(message)[0].tolist() == [[1, 2, 3]] * 4


def test_a_large_cloud_is_thinned() -> None:
    count = 3 * MOST_POINTS
    message = cloud([], XYZ, "<3f", width=count, row_step=12 * count)
    message.data = np.arange(3 * count, dtype="<f4").tobytes()
    points, _ = cloud_points(message)
    assert len(points) == MOST_POINTS
    assert points[1].tolist() == [9, 10, 11]
    assert cloud_points(cloud([], XYZ, "<3f"))[0].shape == (0, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fields": []}, "a point cloud without the field x, with the fields none"),
        ({"width": 3}, "a point cloud with 12 bytes of data, which 3 x 1 points of 12 bytes do not fit"),
        ({"height": 2}, "a point cloud with 12 bytes of data, which 1 x 2 points of 12 bytes do not fit"),
        ({"point_step": 8}, "a point cloud with 12 bytes of data, which 1 x 1 points of 8 bytes do not fit"),
        ({"data": b""}, "a point cloud with 0 bytes of data, which 1 x 1 points of 12 bytes do not fit"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_cloud_that_contradicts_itself(changes: dict[str, Any], message: str) -> None:
    contradictory = cloud([(1.0, 2.0, 3.0)], XYZ, "<3f")
    for name, value in changes.items():
        setattr(contradictory, name, value)
    with pytest.raises(MessageRefused) as raised:
        cloud_points(contradictory)
    assert str(raised.value) == message


def image(encoding: str, data: bytes, width: int = 1, height: int = 1, big: int = 0) -> Image:
    step = len(data) // height
    return Image(encoding=encoding, width=width, height=height, step=step, data=data, is_bigendian=big)


@pytest.mark.parametrize(
    ("encoding", "data", "pixel"),
    [
        ("rgb8", b"\x01\x02\x03", [1, 2, 3]),
        ("bgr8", b"\x01\x02\x03", [3, 2, 1]),
        ("rgba8", b"\x01\x02\x03\x04", [1, 2, 3]),
        ("bgra8", b"\x01\x02\x03\x04", [3, 2, 1]),
        ("mono8", b"\x07", [7, 7, 7]),
    ],
)
def test_pixels(encoding: str, data: bytes, pixel: list[int]) -> None:
    assert picture(image(encoding, data)).tolist() == [[pixel]]


def test_rows_are_padded() -> None:
    message = image("rgb8", b"\x01\x02\x03\x00" * 2, height=2)
    assert picture(message).tolist() == [[[1, 2, 3]], [[1, 2, 3]]]


def test_depths() -> None:
    """Near is bright, far is dark, what was not seen is black."""
    metres = struct.pack("<6f", 1.0, 2.0, 3.0, math.nan, math.inf, -math.inf)
    assert picture(image("32FC1", metres, width=6))[0, :, 0].tolist() == [255, 155, 55, 0, 0, 0]
    millimetres = struct.pack(">3H", 0, 1000, 3000)
    assert picture(image("16UC1", millimetres, width=3, big=1))[0, :, 0].tolist() == [0, 255, 55]
    assert picture(image("32FC1", struct.pack("<f", math.nan))).tolist() == [[[0, 0, 0]]]


def test_a_large_picture_is_made_smaller() -> None:
    width, height = 3 * MOST_PIXELS, 2 * MOST_PIXELS
    small = picture(image("mono8", bytes(width * height), width, height))
    assert small.shape == (-(-height // 3), MOST_PIXELS, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"encoding": "yuv422"},
            "the encoding 'yuv422' is not shown; those that are: rgb8, bgr8, rgba8, bgra8, 8UC3, mono8, 8UC1, mono16, "
            "16UC1, 32FC1",
        ),
        ({"width": 2}, "an image with 3 bytes of data, which 2 x 1 pixels of rgb8, 3 bytes a row, do not fit"),
        ({"height": 2}, "an image with 3 bytes of data, which 1 x 2 pixels of rgb8, 3 bytes a row, do not fit"),
        ({"height": 0}, "an image with 3 bytes of data, which 1 x 0 pixels of rgb8, 3 bytes a row, do not fit"),
    ],
    ids=["encoding", "width", "height", "nothing"],
)
def test_a_picture_that_contradicts_itself(changes: dict[str, Any], message: str) -> None:
    contradictory = image("rgb8", b"\x01\x02\x03")
    for name, value in changes.items():
        setattr(contradictory, name, value)
    with pytest.raises(MessageRefused) as raised:
        picture(contradictory)
    assert str(raised.value) == message


# --- words


def test_words_from_messages_are_no_html() -> None:
    evil = '<script>alert("1")</script>'
    status = texts.Status(1, evil, ((evil, evil),))
    for page in (
        texts.diagnostics({evil: status}),
        texts.notes([evil]),
        texts.facts({evil: evil}),
        texts.answer(evil, True),
    ):
        assert "<script" not in page
        assert "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;" in page


def test_the_worst_comes_first() -> None:
    levels = {"fine": 0, "stale": 3, "bad": 2, "so-so": 1, "odd": 9}
    page = texts.diagnostics({name: texts.Status(level, "", ()) for name, level in levels.items()})
    order = sorted(levels, key=page.index)
    assert order.index("bad") < order.index("so-so") < order.index("fine")
    assert "level 9" in page
    assert "STALE" in page


def test_words_without_end_have_one() -> None:
    assert len(texts.notes(["x" * 10_000] * 1000)) < 60_000
    assert "and 960 more" in texts.notes(["x"] * 1000)
