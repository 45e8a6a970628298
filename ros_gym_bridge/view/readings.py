"""From sensor messages to points and pictures. What a sensor did not see (REP 117: NaN, infinities) is left out.

The messages are those of sensor_msgs; only their fields are looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float32]  # (n, 3), m, in the message's frame
Picture = npt.NDArray[np.uint8]  # (height, width, 3), red, green, blue

MOST_POINTS = 40_000
MOST_PIXELS = 640  # on the longer side
_SIZES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}  # PointField's numbers
_LAYOUTS = {  # encoding: type, channels, which of them are red, green, blue
    "rgb8": ("u1", 3, (0, 1, 2)),
    "bgr8": ("u1", 3, (2, 1, 0)),
    "rgba8": ("u1", 4, (0, 1, 2)),
    "bgra8": ("u1", 4, (2, 1, 0)),
    "8UC3": ("u1", 3, (2, 1, 0)),
    "mono8": ("u1", 1, (0, 0, 0)),
    "8UC1": ("u1", 1, (0, 0, 0)),
    "mono16": ("u2", 1, (0, 0, 0)),
    "16UC1": ("u2", 1, (0, 0, 0)),
    "32FC1": ("f4", 1, (0, 0, 0)),
}


class ReadingError(ValueError):
    """A message that contradicts itself, or is of a kind that is not shown; the text says which."""


def scan_points(scan: Any) -> Points:
    """The hits of a LaserScan, in the plane z = 0 of its frame."""
    ranges = np.asarray(scan.ranges, dtype=np.float64)
    angles = scan.angle_min + scan.angle_increment * np.arange(ranges.size)
    hit = np.isfinite(ranges) & (ranges >= scan.range_min) & (ranges <= scan.range_max)
    points = np.zeros((int(hit.sum()), 3), dtype=np.float32)
    points[:, 0] = ranges[hit] * np.cos(angles[hit])
    points[:, 1] = ranges[hit] * np.sin(angles[hit])
    return points


def cloud_points(cloud: Any) -> tuple[Points, npt.NDArray[np.uint8] | None]:
    """The points of a PointCloud2, at most `MOST_POINTS` of them, evenly chosen.

    Returns:
        The points, and their colours, `(n, 3)`, when the cloud has a field `rgb` or `rgba`.

    Raises:
        ReadingError: no x, y, z; or less data than it claims to have.
    """
    fields = {field.name: field for field in cloud.fields}
    lacking = [name for name in ("x", "y", "z") if name not in fields or fields[name].datatype not in _SIZES]
    if lacking:
        raise ReadingError(f"a point cloud without the field {lacking[0]}")
    records = _records(cloud, {name: fields[name] for name in ("x", "y", "z", "rgb", "rgba") if name in fields})
    points = np.stack([records[name].astype(np.float32) for name in ("x", "y", "z")], axis=-1)
    seen = np.isfinite(points).all(axis=1)
    colour = next((name for name in ("rgb", "rgba") if name in fields), None)
    step = -(-int(seen.sum()) // MOST_POINTS) or 1
    if colour is None or records[colour].dtype.itemsize != 4:
        return points[seen][::step], None
    packed = records[colour][seen][::step].copy().view(records[colour].dtype.byteorder + "u4")
    return points[seen][::step], np.stack([packed >> 16, packed >> 8, packed], axis=-1).astype(np.uint8)


def _records(cloud: Any, fields: dict[str, Any]) -> Any:
    """The points as a structured array, `(n,)`."""
    order = ">" if cloud.is_bigendian else "<"
    formats = [order + _SIZES[field.datatype] for field in fields.values()]
    offsets = [field.offset for field in fields.values()]
    ends = [offset + np.dtype(kind).itemsize for offset, kind in zip(offsets, formats, strict=True)]
    row, data = cloud.point_step * cloud.width, np.frombuffer(cloud.data, dtype=np.uint8)
    if max(ends) > cloud.point_step or row > cloud.row_step or cloud.row_step * cloud.height > data.size:
        text = f"{cloud.width} x {cloud.height} points of {cloud.point_step} bytes"
        raise ReadingError(f"a point cloud with {data.size} bytes of data, which {text} do not fit")
    rows = data[: cloud.row_step * cloud.height].reshape(cloud.height, cloud.row_step)[:, :row]
    kind = np.dtype({"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": cloud.point_step})
    return np.ascontiguousarray(rows).reshape(-1).view(kind)


def picture(image: Any) -> Picture:
    """An Image as red, green and blue, at most `MOST_PIXELS` wide and high.

    Depths and other numbers of one channel beyond 8 bits are spread over the range that the image has: near is bright;
    black is what was not seen (0 for integers, NaN and infinities for floats).

    Raises:
        ReadingError: an encoding that is not shown, or less data than it claims to have.
    """
    if image.encoding not in _LAYOUTS:
        raise ReadingError(f"the encoding '{image.encoding[:40]}' is not shown; those that are: {', '.join(_LAYOUTS)}")
    kind, channels, order = _LAYOUTS[image.encoding]
    dtype = np.dtype((">" if image.is_bigendian else "<") + kind)
    data, width = np.frombuffer(image.data, dtype=np.uint8), image.width * channels * dtype.itemsize
    if not image.width or not image.height or width > image.step or image.step * image.height > data.size:
        text = f"{image.width} x {image.height} pixels of {image.encoding}, {image.step} bytes a row,"
        raise ReadingError(f"an image with {data.size} bytes of data, which {text} do not fit")
    rows = data[: image.step * image.height].reshape(image.height, image.step)[:, :width]
    pixels: npt.NDArray[Any] = np.ascontiguousarray(rows).view(dtype).reshape(image.height, image.width, channels)
    every = -(-max(image.width, image.height) // MOST_PIXELS)
    pixels = pixels[::every, ::every]
    if dtype.itemsize > 1:
        pixels = _spread(pixels.astype(np.float32))
    return np.ascontiguousarray(pixels[:, :, order], dtype=np.uint8)


def _spread(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The nearest is 255, the farthest 55, what was not seen 0."""
    seen = np.isfinite(values) & (values > 0)
    if not seen.any():
        return np.zeros(values.shape, dtype=np.uint8)
    near, far = float(values[seen].min()), float(values[seen].max())
    share = (np.where(seen, values, far) - near) / max(far - near, 1e-9)
    return np.where(seen, 255 - 200 * share, 0).astype(np.uint8)
