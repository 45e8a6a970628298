"""What every kind of sensor is: a function that reads the world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.sim.sensors.errors import Errors

Values = tuple[npt.NDArray[Any], ...]


class Reader(Protocol):
    """Reads one sensor.

    Attributes:
        sizes: by quantity that it measures with errors, how many numbers its bias has.
    """

    sizes: ClassVar[Mapping[str, int]]

    def __call__(self, errors: Errors, fresh: bool) -> Values:
        """One read-only array for each of the channel's samples.

        Args:
            errors: tells what to add to the truth.
            fresh: no physics step has led to the present state: it is the first of an episode.
        """


def frozen(value: npt.NDArray[Any], dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """As a read-only array of its own, of this type."""
    array = np.array(value, dtype=dtype)
    array.setflags(write=False)
    return array
