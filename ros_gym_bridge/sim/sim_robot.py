"""`SimRobot`: the robot protocol on PyBullet, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.errors import ResetNeededError, RobotClosedError
from ros_gym_bridge.robot import Command, RobotSpec, RobotState, check_command, strict_option
from ros_gym_bridge.sim.frames import Pose
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.world_file import world_of


class SimRobot:
    """A simulated robot, alone in its world.

    Args:
        robot: the robot file.
        gui: show PyBullet's own window.

    Raises:
        ModelError: PyBullet refuses a model.
    """

    def __init__(self, robot: RobotFile, gui: bool = False) -> None:
        self.robot_file = robot
        self._spec = robot.spec
        self._simulation: Simulation | None = Simulation(world_of(robot), gui)
        self._robot = self._simulation.robots[0]
        self._started = False

    @property
    def spec(self) -> RobotSpec:
        """What this robot is."""
        return self._spec

    @property
    def state(self) -> RobotState:
        """The newest state."""
        return self._robot.state

    @property
    def simulation(self) -> Simulation:
        """What simulates it.

        Raises:
            RobotClosedError: after `close`.
        """
        if self._simulation is None:
            raise RobotClosedError("the robot is closed", remedy="Make a new one")
        return self._simulation

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> RobotState:
        """Start an episode: home position plus the robot file's noise, motors at home, time one period on.

        Args:
            seed: seeds the generator of this simulation; None goes on with it.
            options: `strict` (bool, default False): load everything anew instead of restoring the snapshot.

        Raises:
            OptionError: an option that is not offered; nothing was reset.
            RobotClosedError: after `close`.
        """
        simulation = self.simulation
        simulation.reset(seed, strict_option(options))
        self._started = True
        return self._robot.state

    def step(self, command: Command) -> RobotState:
        """Apply a command for one control period. See `Robot.step`.

        Raises:
            ResetNeededError: also when the physics has diverged.
        """
        simulation = self.simulation
        if not self._started:
            raise ResetNeededError("step before the first reset", remedy="Call reset() first")
        check_command(self._spec, command, self._robot.state.stamp_ns)
        simulation.advance((command.vector,), simulation.steps_per_period)
        return self._robot.state

    def body_poses(self) -> dict[str, Pose]:
        """Pose of the robot's base and of every scene body in the world frame, by name; the robot's is ''."""
        world = self.simulation.world
        return {"": self._robot.body.base_pose()} | {name: world.body_pose(b) for name, b in world.scene.items()}

    def timing(self) -> dict[str, float]:
        """Nothing here depends on the wall clock."""
        return {}

    def close(self) -> None:
        """Disconnect from PyBullet. May be called again."""
        if self._simulation is not None:
            self._simulation.close()
            self._simulation = None
