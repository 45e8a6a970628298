"""`SimRobot`: the robot protocol on PyBullet, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.errors import ResetNeededError, RobotClosedError
from ros_gym_bridge.robot import Command, FloatArray, RobotSpec, RobotState, check_command, strict_option
from ros_gym_bridge.safety import CommandLimiter
from ros_gym_bridge.sim.actuators import Motors
from ros_gym_bridge.sim.sensors import Sensors
from ros_gym_bridge.sim.world import Pose, World


class SimRobot:
    """A simulated robot. Its time is a count of physics steps; only `rewind` turns it back.

    The first state stands at one control period and a reset advances time by one more, so no stamp names two states.

    Args:
        robot: the robot file.
        gui: show PyBullet's own window.

    Raises:
        ModelError: PyBullet refuses a model.
    """

    def __init__(self, robot: RobotFile, gui: bool = False) -> None:
        self.robot_file = robot
        self._spec = robot.spec
        self.world: World | None = World(robot, gui)
        self._steps = 0
        self._state: RobotState
        self._limiter = CommandLimiter(self._spec)
        self._rng = np.random.default_rng()
        joints = robot.config.joints
        self._noise = np.array([[j.home_noise for j in joints], [j.velocity_noise for j in joints]])
        self._started = False
        self._diverged = False
        self._bind(self.world)
        self._begin()

    @property
    def spec(self) -> RobotSpec:
        """What this robot is."""
        return self._spec

    @property
    def state(self) -> RobotState:
        """The newest state."""
        return self._state

    @property
    def steps(self) -> int:
        """Physics steps since the simulation began."""
        return self._steps

    @property
    def diverged(self) -> bool:
        """Whether the last step left a state that is no number; only a reset heals it."""
        return self._diverged

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> RobotState:
        """Start an episode: home position plus the robot file's noise, motors at home, time one period on.

        Args:
            seed: seeds the generator of this simulation; None goes on with it.
            options: `strict` (bool, default False): load everything anew instead of restoring the snapshot.

        Raises:
            OptionError: an option that is not offered; nothing was reset.
            RobotClosedError: after `close`.
        """
        world = self._open()
        strict = strict_option(options)
        if seed is not None and self._noise.any():
            self._rng = np.random.default_rng(seed)
        if strict or self._diverged:
            world.load()
        else:
            world.restore()
        self._started, self._diverged = True, False
        self._scatter(world)
        self._begin()
        return self._state

    def rewind(self) -> None:
        """Turn time back: the present state stands where the first one stood, at one control period."""
        self._open()
        self._steps = self._spec.steps_per_period
        self._state = self._read(fresh=True)._replace(effort=self._state.effort)

    def step(self, command: Command) -> RobotState:
        """Apply a command for one control period. See `Robot.step`."""
        if not self._started:
            self._open()
            raise ResetNeededError("step before the first reset", remedy="Call reset() first")
        check_command(self._spec, command, self._state.stamp_ns)
        return self.advance(command.vector, self._spec.steps_per_period)

    def advance(self, target: FloatArray, physics_steps: int) -> RobotState:
        """Move time on by whole physics steps under one command, limited once for each control period begun.

        Args:
            target: `(n_command,)`, finite; what is asked, before limits.
            physics_steps: how many, at least 1.

        Raises:
            ResetNeededError: the state is no number and physics cannot go on.
            RobotClosedError: after `close`.
        """
        self._open()
        self._check_sane()
        per_period = self._spec.steps_per_period
        remaining = physics_steps
        while remaining > 0:
            offset = self._steps % per_period
            if offset == 0:
                self._motors.set(self._limiter(target))
            count = min(remaining, per_period - offset)
            self._run(count)
            remaining -= count
        self._state = self._read()
        self._check_sane()
        return self._state

    def body_poses(self) -> dict[str, Pose]:
        """Pose of the robot's base and of every scene body in the world frame, by name; the robot's is ''."""
        world = self._open()
        return {"": world.body_pose(world.body)} | {name: world.body_pose(b) for name, b in world.scene.items()}

    def timing(self) -> dict[str, float]:
        """Nothing here depends on the wall clock."""
        return {}

    def close(self) -> None:
        """Disconnect from PyBullet. May be called again."""
        if self.world is not None:
            self.world.close()
            self.world = None

    def _open(self) -> World:
        if self.world is None:
            raise RobotClosedError("the robot is closed", remedy="Make a new one")
        return self.world

    def _check_sane(self) -> None:
        if self._diverged:
            raise ResetNeededError(
                "the simulated state is not a number: the physics has diverged",
                got=f"at {self._state.stamp_ns} ns",
                remedy="Call reset(); smaller efforts or a higher physics_hz keep it from happening again",
            )

    def _bind(self, world: World) -> None:
        self._motors = Motors(world)
        self._sensors = Sensors(world)
        self._step = world.step
        self._joint_states = world.joint_states

    def _begin(self) -> None:
        """The first state of an episode."""
        self._limiter.reset()
        self._motors.set(self._limiter.applied)
        per_period = self._spec.steps_per_period
        self._steps = (self._steps // per_period + 1) * per_period
        self._state = self._read(fresh=True)

    def _scatter(self, world: World) -> None:
        """Home position with the robot file's noise, drawn from this simulation's generator."""
        if self._noise.any():
            draw = self._noise * self._rng.uniform(-1.0, 1.0, self._noise.shape)
            positions = np.clip(self._spec.home + draw[0], self._spec.lower, self._spec.upper)
            world.set_joints(positions.tolist(), draw[1].tolist())

    def _run(self, count: int) -> None:
        step = self._step
        if self._motors.pushes:
            for _ in range(count):
                self._motors.push()
                step()
        else:
            for _ in range(count):
                step()
        self._steps += count

    def _read(self, fresh: bool = False) -> RobotState:
        position, velocity, _, effort = zip(*self._joint_states(), strict=True)
        if fresh:
            effort = (0.0,) * len(position)  # PyBullet still tells the last step's, but no step led to this state
        elif self._motors.pushes:
            effort = tuple(self._motors.correct_efforts(effort))
        total = sum(position) + sum(velocity)
        self._diverged = total - total != 0.0
        values = np.array([*position, *velocity, *effort])
        values.setflags(write=False)
        n = len(position)
        stamp_ns = self._spec.stamp_ns(self._steps)
        channels = self._sensors.read(stamp_ns, self._steps // self._spec.steps_per_period, fresh)
        applied = self._limiter.applied
        return RobotState(stamp_ns, values[:n], values[n : 2 * n], values[2 * n :], applied, channels)
