"""Bytes of point clouds and pictures as arrays: byte order and padding as the message says, sizes checked first."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.message_types.base import MessageRefused

Array = npt.NDArray[Any]

_SIZES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}  # PointField's numbers

ENCODINGS = {  # type, channels
    "rgb8": ("u1", 3),
    "bgr8": ("u1", 3),
    "rgba8": ("u1", 4),
    "bgra8": ("u1", 4),
    "8UC3": ("u1", 3),
    "mono8": ("u1", 1),
    "8UC1": ("u1", 1),
    "mono16": ("u2", 1),
    "16UC1": ("u2", 1),
    "32FC1": ("f4", 1),
}


def records(cloud: Any, names: list[str]) -> Array:
    """The points of a PointCloud2 as a structured array `(height * width,)` with these fields.

    Raises:
        MessageRefused: a field that is not there, or less data than the message claims to have.
    """
    fields = {field.name: field for field in cloud.fields}
    lacking = [name for name in names if name not in fields or fields[name].datatype not in _SIZES]
    if lacking:
        there = ", ".join(str(name)[:40] for name in fields) or "none"
        raise MessageRefused(f"a point cloud without the field {lacking[0]}, with the fields {there}")
    order = ">" if cloud.is_bigendian else "<"
    formats = [order + _SIZES[fields[name].datatype] for name in names]
    offsets = [fields[name].offset for name in names]
    ends = [offset + np.dtype(kind).itemsize for offset, kind in zip(offsets, formats, strict=True)]
    row, data = cloud.point_step * cloud.width, np.frombuffer(cloud.data, dtype=np.uint8)
    if max(ends) > cloud.point_step or row > cloud.row_step or cloud.row_step * cloud.height > data.size:
        text = f"{cloud.width} x {cloud.height} points of {cloud.point_step} bytes"
        raise MessageRefused(f"a point cloud with {data.size} bytes of data, which {text} do not fit")
    rows = data[: cloud.row_step * cloud.height].reshape(cloud.height, cloud.row_step)[:, :row]
    kind = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": cloud.point_step})
    return np.ascontiguousarray(rows).reshape(-1).view(kind)


def pixels(image: Any) -> Array:
    """The pixels of an Image of a known encoding, `(height, width, channels)`, in the byte order of the message.

    Raises:
        MessageRefused: less data than the message claims to have.
    """
    kind, channels = ENCODINGS[image.encoding]
    dtype = np.dtype((">" if image.is_bigendian else "<") + kind)
    data, width = np.frombuffer(image.data, dtype=np.uint8), image.width * channels * dtype.itemsize
    if not image.width or not image.height or width > image.step or image.step * image.height > data.size:
        text = f"{image.width} x {image.height} pixels of {image.encoding}, {image.step} bytes a row,"
        raise MessageRefused(f"an image with {data.size} bytes of data, which {text} do not fit")
    rows = data[: image.step * image.height].reshape(image.height, image.step)[:, :width]
    return np.ascontiguousarray(rows).view(dtype).reshape(image.height, image.width, channels)
