"""The way to a robot's home position: a smooth motion of all joints that begin and end together. No ROS."""

from __future__ import annotations

import numpy as np

from ros_gym_bridge.robot import FloatArray, RobotSpec, read_only
from ros_gym_bridge.schema import Reset

_PEAK = 1.875  # of a quintic's speed, over its mean
_SHORTEST_S = 0.1
_UNKNOWN = 1.0  # rad/s or m/s: the velocity limit of a joint that states none


class Homing:
    """A quintic from rest to rest: speed and acceleration are 0 at both ends.

    Attributes:
        duration_s: of the motion; the joint that takes longest sets it.

    Args:
        start, goal: `(n,)`, rad or m.
        speed: `(n,)` the most for each, rad/s or m/s.
    """

    def __init__(self, start: FloatArray, goal: FloatArray, speed: FloatArray) -> None:
        self._start, self._way = read_only(start), read_only(goal - start)
        needed_s = float(np.max(np.abs(self._way) * _PEAK / speed, initial=0.0))
        self.duration_s = max(_SHORTEST_S, needed_s)

    def position(self, time_s: float) -> FloatArray:
        """`(n,)` after so many seconds; the goal from `duration_s` on."""
        t = min(1.0, max(0.0, time_s / self.duration_s))
        position: FloatArray = self._start + self._way * (t**3 * (10.0 - 15.0 * t + 6.0 * t * t))
        return position

    def velocity(self, time_s: float) -> FloatArray:
        """`(n,)` after so many seconds."""
        t = min(1.0, max(0.0, time_s / self.duration_s))
        velocity: FloatArray = self._way * (30.0 * t * t * (1.0 - t) ** 2 / self.duration_s)
        return velocity


class HomeCommands:
    """The commands that bring a robot home. Joints that are commanded by position or velocity are led; what else there
    is gets the command that keeps still.

    Attributes:
        duration_s: of the motion.

    Args:
        spec: of the robot.
        reset: of its robot file.
        position: `(n_joints,)` where the joints are.
    """

    def __init__(self, spec: RobotSpec, reset: Reset, position: FloatArray) -> None:
        self._spec, self._reset = spec, reset
        led = [(i, entry) for i, entry in enumerate(spec.commands) if entry.interface in ("position", "velocity")]
        self._entries = [i for i, _ in led]
        self._joints = [spec.joints.index(entry.joint) for _, entry in led]
        self._by_velocity = np.array([entry.interface == "velocity" for _, entry in led], dtype=bool)
        limits = spec.max_velocity[self._joints]
        known = np.isfinite(limits) & (limits > 0.0)
        self._speed = reset.velocity_fraction * np.where(known, limits, _UNKNOWN)
        self._home = spec.home[self._joints]
        self._way = Homing(position[self._joints], self._home, self._speed)
        self.duration_s = self._way.duration_s

    def at(self, time_s: float, position: FloatArray) -> FloatArray:
        """`(n_command,)` for an instant of the motion, seconds from its beginning, with the joints `(n_joints,)` where
        they are then."""
        command = np.array(self._spec.command_home)
        wanted = self._way.position(time_s)
        speed = self._way.velocity(time_s) + self._reset.velocity_gain * (wanted - position[self._joints])
        led = np.where(self._by_velocity, np.clip(speed, -self._speed, self._speed), wanted)
        command[self._entries] = led
        return command

    def speed_at(self, time_s: float) -> FloatArray:
        """`(n_command,)` how fast the positions of `at` change."""
        speed = np.zeros(len(self._spec.commands))
        speed[self._entries] = self._way.velocity(time_s)
        return speed

    def away(self, position: FloatArray) -> list[int]:
        """The led joints that are not at home, the farthest first, as places in `(n_joints,)`."""
        distance = np.abs(position[self._joints] - self._home)
        order = np.argsort(-distance)
        return [self._joints[i] for i in order if distance[i] > self._reset.tolerance]

    def unled(self) -> list[str]:
        """The names of the commands that bring nothing home: efforts and drives."""
        return [entry.name for i, entry in enumerate(self._spec.commands) if i not in self._entries]


def holding(spec: RobotSpec, position: FloatArray) -> FloatArray:
    """`(n_command,)` the command that stops a robot where it is, within its limits."""
    command = np.array(spec.command_home)
    for i, entry in enumerate(spec.commands):
        if entry.interface == "position":
            command[i] = min(max(position[spec.joints.index(entry.joint)], entry.low), entry.high)
    return command
