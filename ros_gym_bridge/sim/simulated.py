"""One robot of a simulation: its body, motors, sensors and limits."""

from __future__ import annotations

import numpy as np

from ros_gym_bridge.robot import FloatArray, RobotSpec, RobotState
from ros_gym_bridge.safety import CommandLimiter
from ros_gym_bridge.sim.actuators import Motors
from ros_gym_bridge.sim.robot_body import RobotBody
from ros_gym_bridge.sim.sensors import Sensors


class SimulatedRobot:
    """A robot that obeys commands and tells its state; the simulation moves time.

    Attributes:
        body: in the world.
        spec: of the robot.
        state: the newest.
        diverged: whether the last state is no number.

    Args:
        body: as above.
    """

    state: RobotState

    def __init__(self, body: RobotBody) -> None:
        self.body = body
        self.spec: RobotSpec = body.robot.spec
        self.diverged = False
        joints = body.robot.config.joints
        self._noise = np.array([[j.home_noise for j in joints], [j.velocity_noise for j in joints]])
        self._limiter = CommandLimiter(self.spec)
        self._sensors = Sensors(body)
        self._motors = Motors(body)
        self._joint_states = body.joint_states
        self.push = self._motors.push
        self.pushes = self._motors.pushes

    @property
    def random(self) -> bool:
        """Whether anything of an episode is drawn."""
        return bool(self._noise.any())

    def scatter(self, rng: np.random.Generator) -> None:
        """Home position with the robot file's noise."""
        if self._noise.any():
            draw = self._noise * rng.uniform(-1.0, 1.0, self._noise.shape)
            positions = np.clip(self.spec.home + draw[0], self.spec.lower, self.spec.upper)
            self.body.set_joints(positions.tolist(), draw[1].tolist())

    def begin(self, steps: int) -> None:
        """The first state of an episode, after so many physics steps: motors at home."""
        self._limiter.reset()
        self._motors.set(self._limiter.applied)
        self.state = self.read(steps, fresh=True)

    def command(self, target: FloatArray) -> None:
        """Take a target `(n_command,)` for the control period that begins, within limits."""
        self._motors.set(self._limiter(target))

    def observe(self, steps: int) -> None:
        """Renew `state` and `diverged`."""
        self.state = self.read(steps)

    def restamp(self, steps: int) -> None:
        """The present state under another count of physics steps; every sensor is read anew."""
        self.state = self.read(steps, fresh=True)._replace(effort=self.state.effort)

    def read(self, steps: int, fresh: bool = False) -> RobotState:
        """What the robot is doing; `fresh` for a state that no step has led to."""
        position, velocity, _, effort = zip(*self._joint_states(), strict=True)
        if fresh:
            effort = (0.0,) * len(position)  # PyBullet still tells the last step's
        elif self.pushes:
            effort = tuple(self._motors.correct_efforts(effort))
        total = sum(position) + sum(velocity)
        self.diverged = total - total != 0.0
        values = np.array([*position, *velocity, *effort])
        values.setflags(write=False)
        n = len(position)
        stamp_ns = self.spec.stamp_ns(steps)
        channels = self._sensors.read(stamp_ns, steps // self.spec.steps_per_period, fresh)
        applied = self._limiter.applied
        return RobotState(stamp_ns, values[:n], values[n : 2 * n], values[2 * n :], applied, channels)
