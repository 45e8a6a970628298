"""From sensor messages to points and pictures. What a sensor did not see (REP 117: NaN, infinities) is left out.

The messages are those of sensor_msgs; only their fields are looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.message_types.base import MessageRefused
from ros_gym_bridge.message_types.buffers import ENCODINGS, pixels, records

Points = npt.NDArray[np.float32]  # (n, 3), m, in the message's frame
Picture = npt.NDArray[np.uint8]  # (height, width, 3), red, green, blue

MOST_POINTS = 40_000
MOST_PIXELS = 640  # on the longer side
_COLOURS = {  # which numbers of a pixel are red, green, blue
    "rgb8": (0, 1, 2),
    "bgr8": (2, 1, 0),
    "rgba8": (0, 1, 2),
    "bgra8": (2, 1, 0),
    "8UC3": (2, 1, 0),
}
_GREY = (0, 0, 0)


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
        MessageRefused: no x, y, z; or less data than it claims to have.
    """
    there = [field.name for field in cloud.fields]
    found = records(cloud, ["x", "y", "z", *(name for name in ("rgb", "rgba") if name in there)])
    points = np.stack([found[name].astype(np.float32) for name in ("x", "y", "z")], axis=-1)
    seen = np.isfinite(points).all(axis=1)
    colour = next((name for name in ("rgb", "rgba") if name in there), None)
    step = -(-int(seen.sum()) // MOST_POINTS) or 1
    if colour is None or found[colour].dtype.itemsize != 4:
        return points[seen][::step], None
    packed = found[colour][seen][::step].copy().view(found[colour].dtype.byteorder + "u4")
    return points[seen][::step], np.stack([packed >> 16, packed >> 8, packed], axis=-1).astype(np.uint8)


def picture(image: Any) -> Picture:
    """An Image as red, green and blue, at most `MOST_PIXELS` wide and high.

    Depths and other numbers of one channel beyond 8 bits are spread over the range that the image has: near is bright;
    black is what was not seen (0 for integers, NaN and infinities for floats).

    Raises:
        MessageRefused: an encoding that is not shown, or less data than it claims to have.
    """
    if image.encoding not in ENCODINGS:
        shown = ", ".join(ENCODINGS)
        raise MessageRefused(f"the encoding '{image.encoding[:40]}' is not shown; those that are: {shown}")
    values = pixels(image)
    every = -(-max(image.width, image.height) // MOST_PIXELS)
    values = values[::every, ::every]
    if values.dtype.itemsize > 1:
        values = _spread(values.astype(np.float32))
    return np.ascontiguousarray(values[:, :, _COLOURS.get(image.encoding, _GREY)], dtype=np.uint8)


def _spread(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The nearest is 255, the farthest 55, what was not seen 0."""
    seen = np.isfinite(values) & (values > 0)
    if not seen.any():
        return np.zeros(values.shape, dtype=np.uint8)
    near, far = float(values[seen].min()), float(values[seen].max())
    share = (np.where(seen, values, far) - near) / max(far - near, 1e-9)
    return np.where(seen, 255 - 200 * share, 0).astype(np.uint8)
