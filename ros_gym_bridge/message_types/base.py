"""What every message type is: a class whose instances read what one channel wants of a message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Bounds = tuple[float, float]

ANYTHING: Bounds = (-1000.0, 1000.0)
DISTANCE: Bounds = (0.0, 1000.0)


@dataclass(frozen=True)
class Wanted:
    """What a channel wants of its messages; each key of a robot file that it leaves out is empty.

    Attributes:
        fields: which numbers of the message, in order.
        shape: of the array, as far as the message type leaves it open.
        joints: names, for messages about joints.
        encoding: of a picture.
        angles: of the first and the last ray of a scan, rad.
        padding: for what a message has less of than the shape.
        bounds: of every number, where the channel knows better than the message type.
    """

    fields: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    joints: tuple[str, ...] = ()
    encoding: str = ""
    angles: Bounds | None = None
    padding: float = 0.0
    bounds: Bounds | None = None


class WantedError(ValueError):
    """A channel wants what its message type does not have.

    Args:
        key: of the channel in the robot file.
        got, expected, remedy: as in `BridgeError`.
    """

    def __init__(self, key: str, got: object, expected: str, remedy: str) -> None:
        super().__init__(f"{key}: {got!r}, expected {expected}")
        self.key, self.got, self.expected, self.remedy = key, got, expected, remedy


class MessageRefused(ValueError):
    """A message that is not what the channel declares; the text says what came and what was expected."""


class MessageType(Protocol):
    """Reads one channel's messages. Made from `Wanted`; raises `WantedError` where that cannot be.

    Attributes:
        name: of the message, such as `sensor_msgs/msg/Imu`.
        reads: for the documents: what the array is.
        keys: those of `Wanted` that mean anything here.
        shape: of every array.
        dtype: of every array.
        low, high: natural bounds of its numbers: floats, or an array `(n,)` for the numbers of the last axis.
    """

    name: str
    reads: str
    keys: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    low: float | Array
    high: float | Array

    def __init__(self, wanted: Wanted) -> None:
        """See the class."""

    def __call__(self, message: Any) -> Array:
        """A read-only array of this shape and type.

        Raises:
            MessageRefused: the message has another shape, encoding or names.
        """


class Numbers:
    """Base of types with a fixed set of numbers. `numbers` names them by their paths in the message, with their bounds;
    a field of the robot file is such a path or the beginning of several."""

    name: str
    reads: str
    keys: tuple[str, ...] = ("fields",)
    numbers: ClassVar[Mapping[str, Bounds]]
    dtype: np.dtype[Any] = np.dtype(np.float64)

    def __init__(self, wanted: Wanted) -> None:
        paths = chosen(list(self.numbers), wanted.fields)
        bounds = [wanted.bounds or self.numbers[path] for path in paths]
        self.shape: tuple[int, ...] = (len(paths),)
        self.low: float | Array = np.array([low for low, _ in bounds])
        self.high: float | Array = np.array([high for _, high in bounds])
        self._get = _getter(paths)

    def __call__(self, message: Any) -> Array:
        """See `MessageType`."""
        return frozen(np.array(self._get(message), dtype=self.dtype))


def _getter(paths: Sequence[str]) -> Callable[[Any], list[float]]:
    """Gets the numbers at some paths; what neighbours are part of is looked up once."""
    found = groupby(paths, key=lambda path: path.rpartition(".")[0])
    groups = [(parent, [path.rpartition(".")[2] for path in below]) for parent, below in found]
    parts = [(_of(parent), [attrgetter(name) for name in names]) for parent, names in groups]
    return lambda message: [get(part) for of, getters in parts for part in (of(message),) for get in getters]


def _of(parent: str) -> Callable[[Any], Any]:
    return attrgetter(parent) if parent else lambda message: message


def chosen(paths: Sequence[str], fields: tuple[str, ...]) -> list[str]:
    """The paths that fields mean, in the order of the fields; without fields all.

    Raises:
        WantedError: a field that means none of them, or one path twice.
    """
    found: list[str] = []
    for field in fields:
        below = [path for path in paths if path == field or path.startswith(f"{field}.")]
        if not below:
            raise WantedError("fields", field, f"one of {', '.join(_prefixes(paths))}", "Correct the field")
        if set(below) & set(found):
            raise WantedError("fields", field, "every number once", "Take the second one away")
        found += below
    return found or list(paths)


def _prefixes(paths: Iterable[str]) -> list[str]:
    parts = [path.split(".") for path in paths]
    return list(dict.fromkeys(".".join(each[:end]) for each in parts for end in range(1, len(each) + 1)))


def frozen(array: Array) -> Array:
    """The same, read-only."""
    array.setflags(write=False)
    return array


def axes(path: str, names: str, bounds: Bounds) -> dict[str, Bounds]:
    """The paths of a vector's components, each with the same bounds: `axes("force", "xyz", ...)`."""
    return {f"{path}.{name}": bounds for name in names}


def exactly(wanted: Wanted, dimensions: tuple[int, ...], example: str) -> tuple[int, ...]:
    """The shape that a channel must declare.

    Args:
        wanted: of the channel.
        dimensions: how many numbers it may have.
        example: for the message.

    Raises:
        WantedError: none, or another number of dimensions.
    """
    if len(wanted.shape) not in dimensions:
        raise WantedError("shape", list(wanted.shape) or None, f"{example}", "Say how large the messages are")
    return wanted.shape
