"""From recorded joint states to latencies and noise. No ROS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ros_gym_bridge.measurement import MeasuredStates, Statistics
from ros_gym_bridge.noise import JointNoise
from ros_gym_bridge.robot import NANOSECONDS, FloatArray

_SIGMAS = 6.0
_SHARE = 0.03


class Heard(NamedTuple):
    """One message of joint states: its stamp on the robot's clock, its arrival on the steady one, and `(n_joints,)`
    positions and velocities."""

    stamp_ns: int
    arrived_ns: int
    position: FloatArray
    velocity: FloatArray


class Onset:
    """When a joint begins to move: the first state that is further from rest than noise is, and than 3 percent of the
    move.

    Attributes:
        far: how far that is, rad or m.

    Args:
        rest: states before the command.
        joint: which one, as place in `(n_joints,)`.
        noise: standard deviation of its position, rad or m.
        move: how far it is going to move at least, rad or m.
    """

    def __init__(self, rest: Sequence[Heard], joint: int, noise: float, move: float) -> None:
        self._joint = joint
        self.far = max(_SIGMAS * noise, _SHARE * abs(move))
        self._rest = float(np.mean([heard.position[joint] for heard in rest]))

    def find(self, after: Sequence[Heard]) -> Heard | None:
        """The first of these states that shows the move."""
        return next((heard for heard in after if abs(heard.position[self._joint] - self._rest) > self.far), None)


def statistics(seconds: Sequence[float] | FloatArray) -> Statistics:
    """Of one or more durations."""
    values = np.asarray(seconds, dtype=np.float64)
    p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
    mean, spread = float(values.mean()), float(values.std())
    return Statistics(count=len(values), mean=mean, std=spread, p50=p50, p95=p95, p99=p99)


def spread(rest: Sequence[Heard]) -> tuple[FloatArray, FloatArray]:
    """Standard deviations of positions and velocities at rest, `(n_joints,)` each; a slow creep does not count."""
    times = np.array([heard.arrived_ns for heard in rest], dtype=np.float64)
    times = (times - times[0]) / NANOSECONDS
    return _spread(times, [heard.position for heard in rest]), _spread(times, [heard.velocity for heard in rest])


def of_states(rest: Sequence[Heard]) -> MeasuredStates:
    """Rate and noise of states at rest; noise is the root mean square over the joints."""
    periods = np.diff([heard.stamp_ns for heard in rest]) / NANOSECONDS
    position, velocity = (float(np.sqrt(np.mean(each**2))) for each in spread(rest))
    return MeasuredStates(
        rate_hz=1.0 / float(periods.mean()),
        period_s=statistics(periods),
        noise=JointNoise(position=position, velocity=velocity),
    )


def _spread(times: FloatArray, values: Sequence[FloatArray]) -> FloatArray:
    table = np.array(values)
    design = np.stack([np.ones_like(times), times], axis=1)
    left = table - design @ np.linalg.lstsq(design, table, rcond=None)[0]
    deviation: FloatArray = left.std(axis=0)
    return deviation
