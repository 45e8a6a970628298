"""How a sample enters an observation: finite, scaled, clipped, of one shape and type."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.channel_readings import Reading
from ros_gym_bridge.message_types import WantedError

Array = npt.NDArray[Any]


class ChannelView:
    """One sample as an entry of an observation, the same wherever the robot is.

    Attributes:
        shape, dtype: of the entry.
        low, high: its bounds, finite: a number, or an array `(n,)` for the numbers of the last axis.

    Args:
        reading: the sample.

    Raises:
        WantedError: a list of another length than the last axis, or whole numbers that cannot hold the bounds.
    """

    def __init__(self, reading: Reading) -> None:
        observe, read = reading.observe, reading.read
        self._observe, self.shape = observe, read.shape
        self._scale, self._offset = self._row("scale", observe.scale), self._row("offset", observe.offset)
        self._scaled = observe.scale != (1.0,) or observe.offset != (0.0,)
        whole = read.dtype.kind in "iu"
        self._floats = not whole
        self.dtype: np.dtype[Any] = np.dtype(observe.dtype or (read.dtype if whole and not self._scaled else "f4"))
        self.low, self.high = self._bounds(read.low, read.high)
        self._as_it_is = whole and self.dtype == read.dtype and observe.clip is None and not self._scaled
        self._check_fill(observe.fill)

    def __call__(self, value: Array) -> Array:
        """The entry for a sample's value, an array of its own."""
        if self._as_it_is:
            return value.copy()
        if self._floats:
            value = self._finite(value)
        if self._scaled:
            with np.errstate(over="ignore"):  # what is too large is clipped
                value = np.multiply(value, self._scale, dtype=np.float64) + self._offset
        return self._clipped(value)

    def fill(self) -> Array:
        """An entry of an optional channel that has never come."""
        return self._clipped(np.full(self.shape, self._observe.fill or 0.0))

    def _check_fill(self, fill: float | None) -> None:
        if fill is not None and not (np.all(self.low <= fill) and np.all(fill <= self.high)):
            expected = f"a number within the bounds {np.max(self.low):g} to {np.min(self.high):g}"
            raise WantedError("observe.fill", fill, expected, "Change it, or 'clip'")

    def _finite(self, value: Array) -> Array:
        """Without NaN; infinities are left to be clipped unless something else stands for them."""
        observe = self._observe
        value = np.where(np.isnan(value), value.dtype.type(observe.nan), value)
        for infinity, instead in ((-np.inf, observe.minus_inf), (np.inf, observe.plus_inf)):
            if instead is not None:
                value = np.where(value == infinity, value.dtype.type(instead), value)
        return value

    def _clipped(self, value: Array) -> Array:
        value = np.clip(value, self.low, self.high)
        if self.dtype.kind in "iu" and value.dtype.kind == "f":
            value = np.rint(value)
        return value.astype(self.dtype)

    def _bounds(self, low: float | Array, high: float | Array) -> tuple[float | Array, float | Array]:
        clip = self._observe.clip
        if clip is not None:
            least = self._row("clip", tuple(pair[0] for pair in clip))
            most = self._row("clip", tuple(pair[1] for pair in clip))
        else:
            ends = low * self._scale + self._offset, high * self._scale + self._offset
            least, most = np.minimum(*ends), np.maximum(*ends)
        if self.dtype.kind in "iu":
            info, got = np.iinfo(self.dtype), [float(np.min(least)), float(np.max(most))]
            least, most = np.ceil(least), np.floor(most)
            if np.min(least) < info.min or np.max(most) > info.max or np.any(least > most):
                remedy = "Give other bounds, or another dtype"
                raise WantedError("observe.clip", got, f"bounds that {self.dtype} can hold", remedy)
        return (float(least), float(most)) if np.ndim(least) == 0 else (np.asarray(least), np.asarray(most))

    def _row(self, key: str, numbers: tuple[float, ...]) -> float | Array:
        """One number for all, or one for each of the last axis."""
        if len(numbers) == 1:
            return numbers[0]
        if len(numbers) != self.shape[-1]:
            expected = f"one value, or one for each of the {self.shape[-1]} numbers of the last axis"
            raise WantedError(f"observe.{key}", f"{len(numbers)} values", expected, "Correct the list")
        return np.array(numbers, dtype=np.float64)
