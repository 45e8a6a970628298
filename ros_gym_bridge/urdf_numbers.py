"""The numbers in a URDF: where they stand, how many, and which values make sense."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Numbers:
    """How many finite numbers an attribute holds, the least they may be, and whether it must be there."""

    count: int
    least: float = -math.inf
    required: bool = False

    def __str__(self) -> str:
        kind = "a finite number" if self.count == 1 else f"{self.count} finite numbers separated by spaces"
        return kind if self.least == -math.inf else f"{kind}, {self.least:g} or more"


_MOMENT = Numbers(1, required=True)
_LENGTH = Numbers(1, 0, True)
_CONTACT = Numbers(1, 0, True)
ATTRIBUTES = {
    "origin": {"xyz": Numbers(3), "rpy": Numbers(3)},
    "mass": {"value": Numbers(1, 0, True)},
    "inertia": dict.fromkeys(("ixx", "ixy", "ixz", "iyy", "iyz", "izz"), _MOMENT),
    "box": {"size": Numbers(3, 0, True)},
    "sphere": {"radius": _LENGTH},
    "cylinder": {"radius": _LENGTH, "length": _LENGTH},
    "capsule": {"radius": _LENGTH, "length": _LENGTH},
    "plane": {"normal": Numbers(3, required=True)},
    "mesh": {"scale": Numbers(3)},
    "color": {"rgba": Numbers(4, 0, True)},
    "axis": {"xyz": Numbers(3, required=True)},
    "limit": {
        "lower": Numbers(1),
        "upper": Numbers(1),
        "velocity": Numbers(1, 0, True),
        "effort": Numbers(1, 0, True),
    },
    "dynamics": {"damping": Numbers(1, 0), "friction": Numbers(1, 0)},
    "mimic": {"multiplier": Numbers(1), "offset": Numbers(1)},
    "lateral_friction": {"value": _CONTACT},
    "rolling_friction": {"value": _CONTACT},
    "spinning_friction": {"value": _CONTACT},
    "restitution": {"value": _CONTACT},
    "stiffness": {"value": _CONTACT},
    "damping": {"value": _CONTACT},
}


def numbers(text: str) -> tuple[float, ...]:
    """Numbers separated by spaces. What C's `strtod` and Python's `float` read differently is none.

    Raises:
        ValueError: a word that is not a finite decimal number.
    """
    words = text.split()
    values = tuple(float(word) for word in words if _NUMBER.fullmatch(word))
    if len(values) != len(words) or not all(map(math.isfinite, values)):
        raise ValueError(text)
    return values
