"""Where two episodes with the same actions part: in position, in velocity, and in time."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ros_gym_bridge.findings import Finding, Verdict, judged
from ros_gym_bridge.recording import Recording
from ros_gym_bridge.robot import FloatArray

_LAGS_S = 0.5  # a delay that is longer is not looked for
_MIDDLE = 250  # steps of 2 ms
_MOVES = 1e-4  # rad or m: with less movement nothing can be said about a delay
QUANTITIES = (("position", "positions"), ("velocity", "velocities"))


@dataclass(frozen=True, eq=False)
class Pair:
    """Two recordings on the same times.

    Attributes:
        first, second: what was recorded.
        names: what each is called.
        seconds: `(n + 1,)`, since the first state, of the first.
        position, velocity: `(n + 1, n_joints)` of the second, at these times.
        same_times: whether the second's own states stand at these times; otherwise they are interpolated.
    """

    first: Recording
    second: Recording
    names: tuple[str, str]
    seconds: FloatArray
    position: FloatArray
    velocity: FloatArray
    same_times: bool

    def difference(self, quantity: str) -> FloatArray:
        """`(n + 1, n_joints)`, second minus first, of `position` or `velocity`."""
        mine: FloatArray = getattr(self, quantity) - getattr(self.first, dict(QUANTITIES)[quantity])
        return mine


def pair(first: Recording, second: Recording, names: tuple[str, str]) -> Pair:
    """Bring two recordings onto the times of the first, as far as both reach."""
    same = np.array_equal(first.stamps_ns - first.stamps_ns[0], second.stamps_ns - second.stamps_ns[0])
    if same:
        return Pair(first, second, names, first.seconds, second.positions, second.velocities, True)
    count = int(np.searchsorted(first.seconds, second.seconds[-1] + 1e-9))
    first = _shortened(first, max(2, count))
    position, velocity = (_at(first.seconds, second, getattr(second, name)) for _, name in QUANTITIES)
    return Pair(first, second, names, first.seconds, position, velocity, False)


def compare(two: Pair, position_tolerance: float, velocity_tolerance: float) -> list[Finding]:
    """Rows for every joint's position and velocity, time, and latency.

    Args:
        two: the episodes.
        position_tolerance: rad or m that a position may differ by.
        velocity_tolerance: rad/s or m/s.
    """
    rows = [_row(two, "position", i, position_tolerance) for i in range(len(two.first.joints))]
    rows += [_row(two, "velocity", i, velocity_tolerance) for i in range(len(two.first.joints))]
    return [*rows, _time(two), _delay(two), *_round_trips(two)]


def _row(two: Pair, quantity: str, joint: int, tolerance: float) -> Finding:
    unit = "rad or m" if quantity == "position" else "rad/s or m/s"
    subject = f"{quantity} of '{two.first.joints[joint]}'"
    off = np.abs(two.difference(quantity)[:, joint])
    if np.isnan(off).all():
        return Finding(subject, Verdict.OPEN, "one of the two does not tell it")
    worst, root = int(np.nanargmax(off)), float(np.sqrt(np.nanmean(off**2)))
    found = "equal, to the last bit"
    if off[worst] > 0.0:
        found = f"{off[worst]:.3g} {unit} apart at most, at {two.seconds[worst]:.3f} s (step {worst}); RMS {root:.3g}"
    parted = np.flatnonzero(off > tolerance)
    if parted.size:
        found += f"; beyond {tolerance:g} from step {parted[0]} on"
    return judged(subject, not parted.size, found)


def _time(two: Pair) -> Finding:
    if two.same_times:
        return Finding("time", Verdict.GOOD, "states at the same times since the reset")
    ends = (two.first.seconds[-1], two.second.seconds[-1])
    return Finding("time", Verdict.OPEN, f"states at other times ({ends[0]:.3f} s, {ends[1]:.3f} s): interpolated")


def _delay(two: Pair) -> Finding:
    """The shift by which the second's positions fit the first's best."""
    subject = f"delay of {two.names[1]}"
    moved = np.nanmax(np.ptp(two.first.positions, axis=0), initial=0.0)
    if not moved >= _MOVES:
        return Finding(subject, Verdict.OPEN, "the robot hardly moved")
    lags = np.linspace(-_LAGS_S, _LAGS_S, 2 * _MIDDLE + 1)
    errors = np.array([_misfit(two, lag) for lag in lags])
    best = float(lags[int(errors.argmin())])
    if errors[_MIDDLE] <= errors.min() * 1.01 + 1e-12:
        return Finding(subject, Verdict.GOOD, "none can be seen in the positions")
    where = f"{1e3 * abs(best):.0f} ms {'after' if best > 0.0 else 'before'} {two.names[0]}"
    better = f"RMS {errors[_MIDDLE]:.3g} as it is, {errors.min():.3g} when shifted"
    return Finding(subject, Verdict.OPEN, f"{where}, by the positions: {better}")


def _misfit(two: Pair, lag: float) -> float:
    """RMS between the first's positions and the second's, `lag` seconds later, where both are known."""
    times = two.seconds + lag
    inside = (times >= two.second.seconds[0]) & (times <= two.second.seconds[-1])
    if inside.sum() < len(times) // 2:
        return np.inf
    late = _at(times[inside], two.second, two.second.positions)
    return float(np.sqrt(np.nanmean((late - two.first.positions[inside]) ** 2)))


def _round_trips(two: Pair) -> list[Finding]:
    rows = []
    for name, recording in zip(two.names, (two.first, two.second), strict=True):
        trips = 1e3 * recording.round_trips_s[~np.isnan(recording.round_trips_s)]
        if trips.size:
            median, late, most = np.median(trips), np.percentile(trips, 99), trips.max()
            found = f"median {median:.2f} ms, 99 % {late:.2f} ms, most {most:.2f} ms"
            rows.append(Finding(f"round trip of {name}", Verdict.OPEN, found))
    return rows


def _at(seconds: FloatArray, recording: Recording, values: FloatArray) -> FloatArray:
    columns = [np.interp(seconds, recording.seconds, values[:, i]) for i in range(values.shape[1])]
    return np.stack(columns, axis=1)


def _shortened(recording: Recording, count: int) -> Recording:
    """The first `count` states."""
    return dataclasses.replace(
        recording,
        actions=recording.actions[: count - 1],
        stamps_ns=recording.stamps_ns[:count],
        positions=recording.positions[:count],
        velocities=recording.velocities[:count],
        round_trips_s=recording.round_trips_s[: count - 1],
    )
