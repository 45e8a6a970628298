"""Pictures and depths."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from ros_gym_bridge.errors import MissingDependencyError
from ros_gym_bridge.message_types.base import (
    DISTANCE,
    Array,
    Bounds,
    MessageRefused,
    Wanted,
    WantedError,
    exactly,
    frozen,
)
from ros_gym_bridge.message_types.buffers import ENCODINGS, pixels

_COLOURS = ("rgb8", "bgr8", "rgba8", "bgra8")
_BOUNDS: dict[str, Bounds] = {"u1": (0.0, 255.0), "u2": (0.0, 65535.0), "f4": DISTANCE}
_ALIKE = {"8UC1": "mono8", "16UC1": "mono16", "8UC3": "bgr8"}  # OpenCV's names for the same bytes
_FORMATS = ("jpeg", "jpg", "png")


def _same(encoding: str) -> str:
    return _ALIKE.get(encoding, encoding)


def _reordered(value: Array, found: str, expected: str) -> Array | None:
    """Colours in another order, or without their opacity; None where the picture does not have them."""
    if _same(found) == _same(expected):
        return value
    if found not in _COLOURS or expected not in _COLOURS or not set(expected[:-1]) <= set(found[:-1]):
        return None
    return value[:, :, [found.index(colour) for colour in expected[:-1]]]


def _metres(depths: Array) -> Array:
    """Of millimetres; 0 says that nothing was measured."""
    return np.where(depths == 0, np.float32(np.nan), depths.astype(np.float32) * np.float32(0.001))


class Image:
    """A picture or a depth, row by row."""

    name = "sensor_msgs/msg/Image"
    reads = "`shape: [height, width]` and `encoding`: uint8 `(height, width, 3)` of rgb8 (the default) or bgr8, "
    reads += "`(height, width, 4)` of rgba8 or bgra8; `(height, width)`: uint8 of mono8, uint16 of mono16 and 16UC1, "
    reads += "float32 of 32FC1. Colours in another order are reordered; where 32FC1 is wanted, 16UC1 is taken as "
    reads += "depths in mm, and 0 as NaN (REP 118)"
    keys: tuple[str, ...] = ("shape", "encoding")

    def __init__(self, wanted: Wanted) -> None:
        size = exactly(wanted, (2,), "rows and columns, such as [240, 320]")
        self._encoding = wanted.encoding or "rgb8"
        if self._encoding not in ENCODINGS:
            expected = f"one of {', '.join(ENCODINGS)}"
            raise WantedError("encoding", self._encoding, expected, "Correct the encoding")
        kind, channels = ENCODINGS[self._encoding]
        self.shape: tuple[int, ...] = (*size, channels) if channels > 1 else size
        self.dtype: np.dtype[Any] = np.dtype(kind)
        self.low: float | Array
        self.high: float | Array
        self.low, self.high = wanted.bounds or _BOUNDS[kind]

    def __call__(self, message: Any) -> Array:
        """See `MessageType`."""
        self._check_size(message.height, message.width)
        value = None
        if message.encoding in ENCODINGS:
            value = _reordered(pixels(message), _same(message.encoding), _same(self._encoding))
        if self._encoding == "32FC1" and _same(message.encoding) == "mono16":
            value = _metres(pixels(message))
        if value is None:
            raise MessageRefused(f"a picture of the encoding '{message.encoding[:40]}', expected {self._encoding}")
        return frozen(np.ascontiguousarray(value, dtype=self.dtype).reshape(self.shape))

    def _check_size(self, rows: int, columns: int) -> None:
        if (rows, columns) != self.shape[:2]:
            raise MessageRefused(f"a picture of {rows} x {columns} pixels, expected {self.shape[0]} x {self.shape[1]}")


class CompressedImage(Image):
    """The same as a JPEG or PNG, decoded by Pillow."""

    name = "sensor_msgs/msg/CompressedImage"
    reads = "as `sensor_msgs/msg/Image`, from a JPEG or PNG; rgb8, bgr8, mono8, or mono16 and 16UC1 from a PNG"

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        if _same(self._encoding) not in ("rgb8", "bgr8", "mono8", "mono16"):
            expected = "one of rgb8, bgr8, mono8, mono16, 16UC1"
            raise WantedError("encoding", self._encoding, expected, "Take one of these, or the topic of the raw image")

    def __call__(self, message: Any) -> Array:
        """See `MessageType`."""
        words = message.format.lower().replace(";", " ").split()
        if "compresseddepth" in words or not (set(words) & set(_FORMATS)):
            raise MessageRefused(f"a picture of the format '{message.format[:40]}', expected jpeg or png")
        return frozen(self._decoded(bytes(message.data)))

    def _decoded(self, data: bytes) -> Array:
        try:
            from PIL import Image as Pictures
        except ImportError as error:
            what = "compressed pictures need Pillow"
            raise MissingDependencyError(what, got=str(error), remedy="pip install pillow") from error
        try:
            with Pictures.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
                self._check_size(picture.height, picture.width)
                return self._array(picture)
        except MessageRefused:
            raise
        except Exception as error:  # Pillow has a dozen types for data that is broken
            raise MessageRefused(f"a picture that cannot be decoded: {' '.join(str(error).split())[:100]}") from error

    def _array(self, picture: Any) -> Array:
        deep = picture.mode.startswith("I")
        if deep != (self.dtype.itemsize == 2):
            raise MessageRefused(f"a picture of {16 if deep else 8} bits, expected {self._encoding}")
        if deep:
            return np.asarray(picture).astype(self.dtype)
        colours = np.array(picture.convert("L" if len(self.shape) == 2 else "RGB"), dtype=self.dtype)
        return np.ascontiguousarray(colours[:, :, ::-1]) if _same(self._encoding) == "bgr8" else colours
