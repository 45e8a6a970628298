"""What may reach the motors: a pure function of the command, the robot's state, what was applied before, and time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.limits import CommandLimiter, Limiter, Moving, Span, fastest, reach, shrunk, through, times
from ros_gym_bridge.robot import FloatArray, read_only
from ros_gym_bridge.schema_safety import of_joint
from ros_gym_bridge.wall import Wall

__all__ = ["CommandLimiter", "Limiter", "Moving", "SafetyFilter", "limiter"]


def limiter(robot: RobotFile) -> Limiter:
    """The limiter for control periods of equal length; the quickest that does what the robot file asks."""
    safety = robot.config.safety
    smooth = any(
        entry.interface == "position" and math.isfinite(of_joint(safety.max_acceleration, entry.joint))
        for entry in robot.spec.commands
    )
    looks = smooth or safety.stay_within or safety.max_effort is not None or safety.workspace is not None
    return SafetyFilter(robot) if looks else CommandLimiter(robot.spec)


class SafetyFilter:
    """Everything that the robot file asks of safety, also for commands that come at any time.

    Limits that contradict each other: those of acceleration give way to the others, and the workspace goes before all.

    Args:
        robot: the robot file.
    """

    def __init__(self, robot: RobotFile) -> None:
        self._spec, self._safety = robot.spec, robot.config.safety
        spec, safety = self._spec, self._safety
        self._bounds = (spec.command_low, spec.command_high)
        self._rate = spec.max_change * spec.control_hz
        self._change, self._period = spec.max_change, np.full(len(spec.commands), 1.0 / spec.control_hz)
        self._held, self._turned, self._pushed = (
            np.array([i for i, entry in enumerate(spec.commands) if entry.interface in kind], dtype=int)
            for kind in (("position",), ("velocity", "linear", "angular"), ("effort",))
        )
        self._columns = [i for i, entry in enumerate(spec.commands) if entry.joint in spec.joints]
        self._joints = [spec.joints.index(spec.commands[i].joint) for i in self._columns]
        self._acceleration = self._of_joints(safety.max_acceleration, math.inf)
        self._smooth = np.array([i for i in self._held if math.isfinite(self._acceleration[i])], dtype=int)
        self._damping = self._of_joints(safety.damping, 0.0)
        self._max_effort = self._of_joints(safety.max_effort, math.inf)
        self._wall = Wall(robot) if safety.workspace is not None else None
        self.reset()

    def _of_joints(self, numbers: float | dict[str, float] | None, otherwise: float) -> FloatArray:
        return read_only([of_joint(numbers, entry.joint, otherwise) for entry in self._spec.commands])

    @property
    def applied(self) -> FloatArray:
        """See `Limiter`."""
        return self._previous

    def reset(self, applied: FloatArray | None = None) -> None:
        """See `Limiter`."""
        self._previous = self._spec.command_home if applied is None else read_only(applied)
        self._speed: FloatArray = np.zeros(len(self._previous))

    def seed(self, columns: Sequence[int], values: FloatArray) -> None:
        """Some numbers `(n_command,)` of the command count as applied, at rest."""
        previous = np.array(self._previous)
        previous[list(columns)] = values[list(columns)]
        self._previous = read_only(previous)
        self._speed[list(columns)] = 0.0

    def at_rest(self, state: Moving) -> FloatArray:
        """`(n_command,)`, the command that keeps a robot where it is; NaN for a position that is not known."""
        still = np.zeros(len(self._previous))
        measured = self._measured(state.position)
        still[self._held] = np.where(np.isfinite(measured), measured, math.nan)[self._held]
        return still

    def __call__(self, vector: FloatArray, state: Moving, seconds: FloatArray | None = None) -> FloatArray:
        """See `Limiter`.

        Args:
            vector, state: as there.
            seconds: `(n_command,)` since each number was commanded last; default: one control period.
        """
        elapsed, change = self._elapsed(seconds)
        spans = self._spans(state, elapsed, change)
        target = self._inside(vector)
        applied = self._eased(target, through(spans, target), spans, elapsed)
        if self._wall is not None:
            brake = through(spans, self._braked(elapsed, change))
            moves = partial(self._moves, elapsed=elapsed)
            applied = self._wall(applied, brake, self._previous, moves, state.position)
        return self._take(applied, elapsed)

    def halt(self, columns: Sequence[int], state: Moving, seconds: FloatArray, first: bool) -> FloatArray:
        """Stop some numbers of the command as the robot file says; the others stay as they are.

        Args:
            columns: which numbers.
            state: the robot's.
            seconds: as above.
            first: the stop begins now; `hold` takes the positions at this moment.

        Returns:
            What may be applied, `(n_command,)`, read-only.
        """
        elapsed, change = self._elapsed(seconds)
        stopped = np.array(self._previous)
        measured, velocity = self._measured(state.position), self._measured(state.velocity)
        if self._safety.stop == "damp":
            stopped = self._braked(elapsed, change)
            opposed = -self._damping * np.where(np.isfinite(velocity), velocity, 0.0)
            stopped[self._pushed] = opposed[self._pushed]
            stopped = through([self._bounds], stopped)
        else:
            stopped[[*self._turned, *self._pushed]] = 0.0
        if self._safety.stop == "hold" and first:
            known = self._held[np.isfinite(measured[self._held])]
            stopped[known] = measured[known]
        applied = np.array(self._previous)
        applied[list(columns)] = stopped[list(columns)]
        self._take(applied, elapsed)
        if self._safety.stop != "damp":
            self.seed(columns, applied)
        return self._previous

    def _elapsed(self, seconds: FloatArray | None) -> tuple[FloatArray, FloatArray]:
        """Seconds, and the most that each number may change in them."""
        return (self._period, self._change) if seconds is None else (seconds, times(self._rate, seconds))

    def _measured(self, of_joints: FloatArray) -> FloatArray:
        """`(n_command,)` of an array `(n_joints,)`; NaN for what commands no single joint."""
        values = np.full(len(self._previous), math.nan)
        values[self._columns] = of_joints[self._joints]
        return values

    def _spans(self, state: Moving, elapsed: FloatArray, change: FloatArray) -> list[Span]:
        """What the next command may be; each goes before the ones before it."""
        previous = self._previous
        spans = [(previous - change, previous + change)]
        if self._smooth.size:
            gained = times(self._acceleration, elapsed)
            ahead = fastest(self._bounds[1] - previous, self._acceleration, elapsed)
            back = fastest(previous - self._bounds[0], self._acceleration, elapsed)
            spans.insert(0, self._moved(self._speed - gained, self._speed + gained, elapsed))
            spans.append(self._moved(-back, ahead, elapsed))
        if self._safety.stay_within:
            spans.append(self._within_limits(state))
        if self._safety.max_effort is not None:
            spans.append(self._yielding(state))
        return spans

    def _moved(self, slowest: FloatArray, fastest: FloatArray, elapsed: FloatArray) -> Span:
        """Positions that move at these speeds; everything for other numbers."""
        low, high, smooth = *self._everything(), self._smooth
        low[smooth] = self._previous[smooth] + slowest[smooth] * elapsed[smooth]
        high[smooth] = self._previous[smooth] + fastest[smooth] * elapsed[smooth]
        return low, high

    def _everything(self) -> Span:
        size = len(self._previous)
        return np.full(size, -math.inf), np.full(size, math.inf)

    def _within_limits(self, state: Moving) -> Span:
        """Velocities from which a joint stops before its limit, and efforts that do not push past it."""
        low, high = self._everything()
        spec, period = self._spec, float(self._period[0])
        for column, joint in zip(self._columns, self._joints, strict=True):
            lower, upper, most = float(spec.lower[joint]), float(spec.upper[joint]), float(spec.max_velocity[joint])
            place, speed, most = float(state.position[joint]), float(state.velocity[joint]), most or math.inf
            if column in self._turned:
                acceleration = self._acceleration[column]
                high[column] = reach(upper - place, acceleration, period)
                low[column] = -reach(place - lower, acceleration, period)
            elif column in self._pushed:
                next_place = place + speed * period
                high[column] = math.inf if max(place, next_place) < upper and speed < most else 0.0
                low[column] = -math.inf if min(place, next_place) > lower and speed > -most else 0.0
        return low, high

    def _yielding(self, state: Moving) -> Span:
        """No further in the direction in which a joint pushes too hard."""
        low, high = self._everything()
        effort, still = self._measured(state.effort), np.array(self._previous)
        still[self._turned] = 0.0
        known = [*self._held, *self._turned]
        forward, backward = effort[known] > self._max_effort[known], effort[known] < -self._max_effort[known]
        high[known] = np.where(forward, still[known], math.inf)
        low[known] = np.where(backward, still[known], -math.inf)
        return low, high

    def _inside(self, vector: FloatArray) -> FloatArray:
        """Within bounds; from outside, any way back is good."""
        (low, high), previous = self._bounds, self._previous
        returns = ((vector > high) & (vector <= previous)) | ((vector < low) & (vector >= previous))
        return np.where(returns, vector, through([self._bounds], vector))

    def _eased(self, target: FloatArray, applied: FloatArray, spans: Sequence[Span], elapsed: FloatArray) -> FloatArray:
        """A position that is not reached at once is come to no faster than one can stop there."""
        late = applied[self._smooth] != target[self._smooth]
        if not late.any():
            return applied
        columns = self._smooth[late]
        previous, gone = self._previous[columns], elapsed[columns]
        way = target[columns] - previous
        eased = np.array(target)
        eased[columns] = previous + np.sign(way) * fastest(np.abs(way), self._acceleration[columns], gone) * gone
        return through(spans, eased)

    def _braked(self, elapsed: FloatArray, change: FloatArray) -> FloatArray:
        """To rest as quickly as acceleration allows; efforts stay."""
        braked = np.array(self._previous)
        slower = shrunk(self._speed, times(self._acceleration, elapsed))
        braked[self._held] += (slower * elapsed)[self._held]
        braked[self._turned] = shrunk(self._previous, change)[self._turned]
        return braked

    def _moves(self, command: FloatArray, elapsed: FloatArray) -> FloatArray:
        """The speed at which the numbers change; where no time has gone, as before."""
        return np.divide(command - self._previous, elapsed, out=np.array(self._speed), where=elapsed > 0.0)

    def _take(self, applied: FloatArray, elapsed: FloatArray) -> FloatArray:
        self._speed = self._moves(applied, elapsed)
        applied.setflags(write=False)
        self._previous = applied
        return applied
