"""What happened in an episode, whether two are the same, and whether every step was one step."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ros_gym_bridge.env import Observation
from ros_gym_bridge.robot import RobotSpec


@dataclass
class Episode:
    """What happened in one episode.

    Attributes:
        observations: the first, and one for each step.
        rewards: one for each step.
        stamps_ns: of the states, one for each observation.
        round_trips_s: wall-clock time from a command to its state, one for each step; empty in process.
        stepping_s: wall-clock time in `env.step`, all together.
        resent: commands that were sent again because no answer came.
        success: whether the goal was reached.
    """

    observations: list[Observation] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    stamps_ns: list[int] = field(default_factory=list)
    round_trips_s: list[float] = field(default_factory=list)
    stepping_s: float = 0.0
    resent: int = 0
    success: bool = False

    def digest(self) -> str:
        """SHA-256 over observations (float32), rewards (float64) and stamps (int64), little-endian, in this order."""
        digest = hashlib.sha256(np.array(self.observations, dtype="<f4").tobytes())
        digest.update(np.array(self.rewards, dtype="<f8").tobytes())
        digest.update(np.array(self.stamps_ns, dtype="<i8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Count:
    """How the steps that a client counted compare with the time of the simulator, which moves for nothing else.

    Attributes:
        steps: that the client made.
        lost: control periods that time should have moved, and did not.
        doubled: control periods that time moved more often than it should have.
        simulated: control periods on the simulator's clock since it was started, without those of resets.
    """

    steps: int
    lost: int
    doubled: int
    simulated: int


def count_steps(episodes: Sequence[Episode], spec: RobotSpec) -> Count:
    """Hold the stamps of all states of a fresh simulator against the steps that were made.

    Its first state stands at one control period; each step and each reset moves its clock by one more.
    """
    periods = [spec.steps(stamp) // spec.steps_per_period for episode in episodes for stamp in episode.stamps_ns]
    moves = np.diff(periods)
    steps = sum(len(episode.rewards) for episode in episodes)
    lost, doubled = np.maximum(1 - moves, 0).sum(), np.maximum(moves - 1, 0).sum()
    return Count(steps, int(lost), int(doubled), periods[-1] - 1 - len(episodes))


def difference(topics: Episode, process: Episode, names: Sequence[str]) -> str:
    """Where an episode over topics first differs from the one in process; empty when not one bit does.

    Args:
        topics, process: the episodes.
        names: of the numbers of an observation.
    """
    for step, (a, b) in enumerate(zip(topics.observations, process.observations, strict=False)):
        for name, x, y in zip(names, a, b, strict=True):
            if x.tobytes() != y.tobytes():
                return f"observation '{name}' after step {step}: {x!s} over topics, {y!s} in process"
    for number, (left, right) in enumerate(zip(topics.rewards, process.rewards, strict=False), 1):
        if np.float64(left).tobytes() != np.float64(right).tobytes():
            return f"reward of step {number}: {left} over topics, {right} in process"
    for step, (at, then) in enumerate(zip(topics.stamps_ns, process.stamps_ns, strict=False)):
        if at != then:
            return f"stamp after step {step}: {at} ns over topics, {then} ns in process"
    if len(topics.rewards) != len(process.rewards):
        return f"{len(topics.rewards)} steps over topics, {len(process.rewards)} in process"
    return ""
