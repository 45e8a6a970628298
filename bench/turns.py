"""Measuring by turns: speeds that are compared are measured one after the other, so that a busy machine slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from ros_gym_bridge.robot import Command, Robot

Call = Callable[[], object]


class Effort(NamedTuple):
    """How long to measure.

    Attributes:
        rounds: turns of each speed that is compared with another.
        turn_s: seconds of a turn.
        seconds: of what is measured once.
    """

    rounds: int
    turn_s: float
    seconds: float


def rate(call: Call, seconds: float) -> float:
    """Calls per second."""
    begun, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - begun) < seconds or not count:
        for _ in range(10):
            call()
        count += 10
    return count / elapsed


def in_turns(calls: dict[str, Call], effort: Effort) -> dict[str, list[float]]:
    """Calls per second of each, one after the other, round by round."""
    rates: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(effort.rounds):
        for name, call in calls.items():
            rates[name].append(rate(call, effort.turn_s))
    return rates


def median_ratio(above: list[float], below: list[float]) -> float:
    """The median over the rounds."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def cost(dear: list[float], cheap: list[float]) -> float:
    """Seconds that a call takes more than another, from calls per second; in the best round of each."""
    return 1.0 / max(dear) - 1.0 / max(cheap)


def stepper(env: gymnasium.Env[Any, Any]) -> Call:
    """Steps an environment with a constant action, and resets it when an episode ends."""
    action = np.full(env.action_space.shape, 0.2, dtype=np.float32)  # type: ignore[arg-type]

    def step() -> None:
        *_, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()

    env.reset(seed=0)
    for _ in range(60):
        step()
    return step


def driver(robot: Robot, command: list[float], warm_up: int = 20) -> Call:
    """Steps a robot under a constant command; so many steps are done already."""
    vector = np.array(command)
    vector.setflags(write=False)
    state = robot.reset(seed=0)

    def step() -> None:
        nonlocal state
        state = robot.step(Command(vector, state.stamp_ns))

    for _ in range(warm_up):
        step()
    return step
