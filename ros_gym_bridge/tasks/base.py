"""What a task is: observation, reward and end of episode as one function of the robot's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from ros_gym_bridge.robot import RobotSpec, RobotState


class Field(NamedTuple):
    """One number of an observation: its meaning, unit and bounds."""

    name: str
    unit: str
    low: float
    high: float


class Evaluation(NamedTuple):
    """What a task makes of a state.

    Attributes:
        observation: one float for each `Field`, in order.
        reward: for the step that led to the state.
        terminated: the episode has ended in the sense of the task.
        info: at least `success` (bool).
    """

    observation: Sequence[float]
    reward: float
    terminated: bool
    info: dict[str, Any]


class Marker(NamedTuple):
    """A sphere to draw: centre in the robot's base frame (m), radius (m)."""

    position: tuple[float, float, float]
    radius: float


class Task(Protocol):
    """A task for one robot. Its constructor takes the `RobotFile` and the task's own keywords.

    Attributes:
        default_robot: the robot file that is used when none is named.
        time_limit_s: simulated seconds after which an episode is truncated.
        fields: the observation, number by number.
    """

    default_robot: ClassVar[str]
    time_limit_s: ClassVar[float]
    fields: tuple[Field, ...]

    def begin(self, state: RobotState, rng: np.random.Generator) -> None:
        """Start an episode from `state`; whatever is random is drawn from `rng`."""

    def evaluate(self, state: RobotState) -> Evaluation:
        """Observation, reward and end for a state; draws nothing and changes nothing."""

    def markers(self) -> Sequence[Marker]:
        """What to draw beside the robot."""


def joint_fields(spec: RobotSpec) -> tuple[Field, ...]:
    """Position and velocity of every joint, in the robot file's order.

    A simulated or real joint overshoots its limits a little: positions are bounded 10 % of the range (unlimited
    joints: at four turns), velocities at twice the limit (unlimited, or 0 because nobody knew: at 100).
    """
    margin = np.where(np.isfinite(spec.upper - spec.lower), 0.1 * (spec.upper - spec.lower), 0.0)
    low = np.where(np.isfinite(spec.lower), spec.lower - margin, -8.0 * np.pi)
    high = np.where(np.isfinite(spec.upper), spec.upper + margin, 8.0 * np.pi)
    positions = [
        Field(f"{name} position", "rad or m", float(a), float(b))
        for name, a, b in zip(spec.joints, low, high, strict=True)
    ]
    known = (spec.max_velocity > 0.0) & np.isfinite(spec.max_velocity)
    speeds = np.where(known, 2.0 * spec.max_velocity, 100.0)
    velocities = [
        Field(f"{name} velocity", "rad/s or m/s", -float(v), float(v))
        for name, v in zip(spec.joints, speeds, strict=True)
    ]
    return (*positions, *velocities)
