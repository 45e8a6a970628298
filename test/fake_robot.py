"""A robot without physics: every joint goes where it is told. For tests of what stands above the robot protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.errors import ResetNeededError, RobotClosedError
from ros_gym_bridge.robot import Command, FloatArray, RobotSpec, RobotState, check_command, read_only, strict_option
from ros_gym_bridge.safety import limiter


class FakeRobot:
    """Position commands are reached at once, velocities are integrated, efforts accelerate a unit inertia."""

    def __init__(self, robot: RobotFile) -> None:
        self._spec = robot.spec
        self._limiter = limiter(robot)
        self._columns = [robot.spec.joints.index(entry.joint) for entry in robot.spec.commands]
        self._stamp_ns = 0
        self._state: RobotState | None = None
        self._closed = False

    @property
    def spec(self) -> RobotSpec:
        return self._spec

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> RobotState:
        strict_option(options)
        if self._closed:
            raise RobotClosedError("the robot is closed", remedy="Make a new one")
        self._limiter.reset()
        zeros = np.zeros(len(self._spec.joints))
        return self._remember(self._spec.home, zeros, zeros)

    def step(self, command: Command) -> RobotState:
        if self._closed:
            raise RobotClosedError("the robot is closed", remedy="Make a new one")
        if self._state is None:
            raise ResetNeededError("step before the first reset", remedy="Call reset() first")
        check_command(self._spec, command, self._stamp_ns)
        return self._remember(*self._move(self._limiter(command.vector, self._state)))

    def timing(self) -> dict[str, float]:
        return {}

    def close(self) -> None:
        self._closed = True

    def _move(self, applied: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        assert self._state is not None
        period_s = 1.0 / self._spec.control_hz
        position, velocity = np.array(self._state.position), np.array(self._state.velocity)
        effort = np.zeros_like(position)
        for entry, joint, value in zip(self._spec.commands, self._columns, applied, strict=True):
            if entry.interface == "position":
                velocity[joint] = (value - position[joint]) / period_s
            elif entry.interface == "velocity":
                velocity[joint] = value
            else:
                velocity[joint] += value * period_s
                effort[joint] = value
            position[joint] += velocity[joint] * period_s
        return position, velocity, effort

    def _remember(self, position: FloatArray, velocity: FloatArray, effort: FloatArray) -> RobotState:
        self._stamp_ns = self._spec.next_stamp(self._stamp_ns)
        arrays = (read_only(position), read_only(velocity), read_only(effort))
        self._state = RobotState(self._stamp_ns, *arrays, self._limiter.applied, {})
        return self._state
