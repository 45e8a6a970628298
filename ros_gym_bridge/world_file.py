"""What stands in one simulation: robots, further bodies and gravity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.schema import SceneBody, Vector3


class PlacedRobot(NamedTuple):
    """A robot of a world.

    Attributes:
        robot: its file; `config.model` says where its base stands.
        namespace: of its topics, relative to the node; empty for a robot that is alone.
    """

    robot: RobotFile
    namespace: str

    @property
    def name(self) -> str:
        """Unique in the world."""
        return self.namespace or self.robot.config.name


class PlacedBody(NamedTuple):
    """A further body of a world: where it stands, and its model."""

    body: SceneBody
    model: RobotModel


@dataclass(frozen=True, eq=False)
class WorldFile:
    """A world, read, checked and found good. All of its robots have the same rates.

    Attributes:
        name: of the world.
        robots: at least one.
        bodies: what else stands in it.
        gravity: m/s^2, world frame.
    """

    name: str
    robots: tuple[PlacedRobot, ...]
    bodies: tuple[PlacedBody, ...]
    gravity: Vector3

    @property
    def physics_hz(self) -> int:
        """Physics steps per simulated second."""
        return self.robots[0].robot.spec.physics_hz

    @property
    def steps_per_period(self) -> int:
        """Physics steps in one control period."""
        return self.robots[0].robot.spec.steps_per_period


def world_of(robot: RobotFile) -> WorldFile:
    """The world that a robot file describes: the robot, its scene and its gravity."""
    bodies = tuple(PlacedBody(*pair) for pair in zip(robot.config.scene, robot.scene, strict=True))
    return WorldFile(robot.config.name, (PlacedRobot(robot, ""),), bodies, robot.config.gravity)
