"""One robot of a simulation: its body, motors, sensors and limits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ros_gym_bridge.robot import FloatArray, RobotSpec, RobotState
from ros_gym_bridge.safety import limiter
from ros_gym_bridge.sim.actuators import Motors
from ros_gym_bridge.sim.late_commands import LateCommands
from ros_gym_bridge.sim.odometry import WheelOdometry
from ros_gym_bridge.sim.robot_body import RobotBody
from ros_gym_bridge.sim.sensors.errors import Errors
from ros_gym_bridge.sim.sensors.suite import Sensors
from ros_gym_bridge.sim.world import World


class SimulatedRobot:
    """A robot that obeys commands and tells its state; the simulation moves time.

    Attributes:
        body: in the world.
        spec: of the robot.
        state: the newest.
        diverged: whether the last state is no number.
        late: whether commands take time to reach the motors; then `deliver` is to be called before each physics step.
        sensors: its channels.

    Args:
        world: that it stands in.
        body: as above.
    """

    state: RobotState

    def __init__(self, world: World, body: RobotBody) -> None:
        self.body = body
        self.spec: RobotSpec = body.robot.spec
        self.diverged = False
        joints = body.robot.config.joints
        self._noise = np.array([[j.home_noise for j in joints], [j.velocity_noise for j in joints]])
        self._limiter = limiter(body.robot)
        told = body.robot.config.joint_states
        self._joint_errors = Errors(told.noise, told.bias, {"position": len(joints), "velocity": len(joints)})
        self._fresh = True
        self.sensors = Sensors(world, body)
        self._motors = Motors(body)
        self._late = LateCommands(body.robot)
        self.late = not self._late.punctual
        self._odometry = [WheelOdometry(body.robot, drive) for drive in body.robot.config.drives]
        self._joint_states = body.joint_states
        self.push = self._motors.push
        self.pushes = self._motors.pushes

    @property
    def random(self) -> bool:
        """Whether anything of an episode is drawn."""
        return bool(self._noise.any()) or self._joint_errors.random or self.sensors.random or self._late.random

    def scatter(self, rng: np.random.Generator) -> None:
        """Home position with the robot file's noise."""
        if self._noise.any():
            draw = self._noise * rng.uniform(-1.0, 1.0, self._noise.shape)
            positions = np.clip(self.spec.home + draw[0], self.spec.lower, self.spec.upper)
            self.body.set_joints(positions.tolist(), draw[1].tolist())

    def begin(self, steps: int, rng: np.random.Generator) -> None:
        """The first state of an episode, after so many physics steps: motors at home."""
        self._limiter.reset()
        self._motors.set(self._limiter.applied)
        if self._joint_errors.random:
            self._joint_errors.begin(np.random.default_rng(int(rng.integers(2**63))))
        self.sensors.begin(rng)
        drawn = np.random.default_rng(int(rng.integers(2**63))) if self._late.random else None
        self._late.begin(self._limiter.applied, drawn)
        for odometry in self._odometry:
            odometry.begin()
        self._fresh = True
        self.state = self.read(steps, first=True)

    def command(self, target: FloatArray) -> None:
        """Take a target `(n_command,)` for the control period that begins, within limits. These look at the state as it
        was told last."""
        applied = self._limiter(target, self.state)
        if self.late:
            self._late.put(applied)
        else:
            self._motors.set(applied)

    def deliver(self) -> None:
        """A physics step is about to be made: hand what arrives now to the motors."""
        arrived = self._late.step()
        if arrived is not None:
            self._motors.set(arrived)

    def note(self, steps: int) -> None:
        """One physics step is left until so many are done and the state may be read."""
        self.sensors.note(steps // self.spec.steps_per_period)

    def put(self, positions: Mapping[int, float], velocities: Mapping[int, float]) -> dict[int, float]:
        """Joints, by index, where they are told to be: rad or m, rad/s or m/s. The others stay. What holds a position
        holds the new one, so that nothing snaps back.

        Returns:
            the numbers of the command that hold another position from now on, by index.
        """
        states = self._joint_states()
        position = [positions.get(i, state[0]) for i, state in enumerate(states)]
        velocity = [velocities.get(i, 0.0 if i in positions else state[1]) for i, state in enumerate(states)]
        self.body.set_joints(position, velocity)
        for odometry in self._odometry:
            odometry.lift()
        held = {
            column: positions[joint]
            for column, entry in enumerate(self.spec.commands)
            if entry.interface == "position" and (joint := self.spec.joints.index(entry.joint)) in positions
        }
        applied = np.array(self._limiter.applied)
        applied[list(held)] = list(held.values())
        self._limiter.reset(applied)
        self._late.begin(applied, None)
        self._motors.set(self._limiter.applied)
        return held

    def observe(self, steps: int) -> None:
        """Renew `state` and `diverged`."""
        self._fresh = False
        self.state = self.read(steps)

    def restamp(self, steps: int) -> None:
        """The present state under another count of physics steps; every sensor is read anew."""
        self.state = self.read(steps, first=True)

    def read(self, steps: int, first: bool = False) -> RobotState:
        """What the robot is doing; `first` when time begins anew."""
        position, velocity, _, effort = zip(*self._joint_states(), strict=True)
        if self._fresh:
            effort = (0.0,) * len(position)  # PyBullet still tells the last step's
        elif self._motors.corrects:
            effort = tuple(self._motors.correct_efforts(effort))
        total = sum(position) + sum(velocity)
        self.diverged = total - total != 0.0
        n = len(position)
        values = np.array([*position, *velocity, *effort])
        if self._joint_errors.random:
            values[:n] += self._joint_errors("position", (n,))
            values[n : 2 * n] += self._joint_errors("velocity", (n,))
        values.setflags(write=False)
        stamp_ns = self.spec.stamp_ns(steps)
        channels = self.sensors.read(stamp_ns, steps // self.spec.steps_per_period, first, self._fresh)
        if self._odometry:
            turned = values[:n].tolist()  # what is told, errors and all
            told = {each.name: each.read(steps, stamp_ns, turned) for each in self._odometry}
            channels = MappingProxyType({**channels, **told})
        applied = self._limiter.applied
        return RobotState(stamp_ns, values[:n], values[n : 2 * n], values[2 * n :], applied, channels)

    def catch_up(self) -> None:
        """Show in the present state what somebody has come to see since it was read."""
        steps = self.spec.steps(self.state.stamp_ns)
        channels = self.sensors.catch_up(self.state.stamp_ns, steps // self.spec.steps_per_period)
        if channels is not None:
            self.state = self.state._replace(channels=MappingProxyType({**self.state.channels, **channels}))
