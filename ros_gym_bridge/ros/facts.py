"""What a simulation node tells about its robot as read-only parameters, and what a client compares with its own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from ros_gym_bridge.config import RobotFile


class Fact(NamedTuple):
    """One parameter: its name, value and description."""

    name: str
    value: str | int | list[str]
    description: str


def facts(robot: RobotFile) -> tuple[Fact, ...]:
    """What two programs must agree on to mean the same robot. The most telling difference comes first."""
    spec = robot.spec
    commands = [entry.name for entry in spec.commands]
    return (
        Fact("robot_name", spec.name, "Name of the robot, from the robot file."),
        Fact("physics_hz", spec.physics_hz, "Physics steps per simulated second, from the robot file."),
        Fact("control_hz", spec.control_hz, "Control periods per simulated second, from the robot file."),
        Fact("commands", commands, "The numbers of a command, from the robot file."),
        Fact("robot_digest", _digest(robot), "SHA-256 of the robot file's content, with models by their file names."),
    )


def _digest(robot: RobotFile) -> str:
    content = robot.config.model_dump(mode="json")
    for part in (content["model"], *content["scene"]):
        part["file"] = Path(part["file"]).name
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
