"""What a sensor adds to the truth: noise, drawn for every sample, and a bias, drawn once an episode."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel

from ros_gym_bridge.robot import FloatArray


class Errors:
    """Normally distributed errors of the quantities that one sensor measures.

    Attributes:
        random: whether there are any.

    Args:
        noise, bias: standard deviations by quantity.
        sizes: how many numbers the bias of each quantity has.
    """

    def __init__(self, noise: BaseModel, bias: BaseModel, sizes: Mapping[str, int]) -> None:
        self._noise = {name: spread for name, spread in noise if spread}
        self._spread = {name: spread for name, spread in bias if spread}
        self._sizes = sizes
        self._bias: dict[str, FloatArray] = {}
        self.random = bool(self._noise or self._spread)
        self.begin(np.random.default_rng())

    def begin(self, rng: np.random.Generator) -> None:
        """An episode: draw its biases, and every noise from now on from the same generator."""
        self._rng = rng
        self._bias = {name: spread * rng.standard_normal(self._sizes[name]) for name, spread in self._spread.items()}

    def __call__(self, quantity: str, shape: tuple[int, ...]) -> FloatArray | float:
        """What to add to a measurement of this shape."""
        error: FloatArray | float = self._bias.get(quantity, 0.0)
        spread = self._noise.get(quantity)
        return error if spread is None else error + spread * self._rng.standard_normal(shape)
