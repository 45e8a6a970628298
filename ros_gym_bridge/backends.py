"""Where a robot lives: one word chooses, and only what was chosen is imported."""

from __future__ import annotations

import dataclasses
from typing import Any

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.robot import Robot

BACKENDS = ("sim", "topics")


def robot_options(backend: str) -> list[str]:
    """The keywords that a backend takes."""
    return [field.name for field in dataclasses.fields(Connection)] if backend == "topics" else []


def make_robot(robot: RobotFile, backend: str, options: dict[str, Any]) -> Robot:
    """The robot of a robot file on a backend.

    Raises:
        OptionError: an option out of its range.
        MissingDependencyError: the backend needs a package that is not there.
    """
    if backend == "topics":
        from ros_gym_bridge.ros.topic_robot import TopicRobot

        return TopicRobot(robot, Connection(**options))
    from ros_gym_bridge.sim.sim_robot import SimRobot

    return SimRobot(robot)
