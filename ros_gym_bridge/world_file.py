"""What stands in one simulation: robots, further bodies, named poses and gravity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.schema import NamedPose, SceneBody
from ros_gym_bridge.schema_parts import Vector3


class PlacedRobot(NamedTuple):
    """A robot of a world.

    Attributes:
        robot: its file; `config.model` says where its base stands.
        namespace: of its topics, relative to the node; empty for a robot that is alone.
        source: the file as it was read, whose base may stand elsewhere: what a client compares with its own.
    """

    robot: RobotFile
    namespace: str
    source: RobotFile

    @property
    def name(self) -> str:
        """Unique in the world."""
        return self.namespace or self.robot.config.name


class PlacedBody(NamedTuple):
    """A further body of a world: where it stands, and its model."""

    body: SceneBody
    model: RobotModel


class SpawnedBody(NamedTuple):
    """A body that came into a world while it ran.

    Attributes:
        name: unique in the world.
        model: what it is.
        position, orientation: where its root link appeared and a reset puts it again, m and x y z w, world frame.
        fixed: whether it cannot move.
    """

    name: str
    model: RobotModel
    position: Vector3
    orientation: tuple[float, float, float, float]
    fixed: bool


@dataclass(frozen=True, eq=False)
class WorldFile:
    """A world, read, checked and found good. All of its robots have the same rates, no two entities the same name.

    Attributes:
        name: of the world.
        robots: at least one.
        bodies: what else stands in it.
        gravity: m/s^2, world frame.
        description, tags: for people and filters.
        poses: places to know by name.
        path: the file; None for a world that was given as text.
        text: of a world that was given as text.
        left_out: what was asked to be ignored, in words.
    """

    name: str
    robots: tuple[PlacedRobot, ...]
    bodies: tuple[PlacedBody, ...]
    gravity: Vector3
    description: str = ""
    tags: tuple[str, ...] = ()
    poses: tuple[NamedPose, ...] = ()
    path: Path | None = None
    text: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def physics_hz(self) -> int:
        """Physics steps per simulated second."""
        return self.robots[0].robot.spec.physics_hz

    @property
    def steps_per_period(self) -> int:
        """Physics steps in one control period."""
        return self.robots[0].robot.spec.steps_per_period


def world_of(robot: RobotFile) -> WorldFile:
    """The world that a robot file describes: the robot, its scene, its named poses and its gravity."""
    config = robot.config
    bodies = tuple(PlacedBody(*pair) for pair in zip(config.scene, robot.scene, strict=True))
    alone = (PlacedRobot(robot, "", robot),)
    return WorldFile(config.name, alone, bodies, config.gravity, poses=config.poses, path=robot.path)
