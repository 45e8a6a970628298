"""What a simulation node tells about its robot as read-only parameters, and what a client compares with its own."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple
from xml.etree import ElementTree

from ros_gym_bridge.channel_parts import Received
from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.model import RobotModel

_OF_CLIENTS = {*Received.model_fields, "observe_depth"} - {"name"}


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
        Fact("robot_digest", _digest(robot), "SHA-256 of the robot file, with models by what their URDFs say."),
    )


def unstamped(robot: RobotFile) -> str:
    """The first group whose commands have no stamp, in words; empty where all have one."""
    for group in robot.config.actuators:
        if not group.stamped:
            return f"group '{group.name}' of robot '{robot.config.name}', commanded by {group.message}, which has none"
    return ""


def _digest(robot: RobotFile) -> str:
    """Without what is only observed, and what a client makes of the rest."""
    content = robot.config.model_dump(mode="json")
    content["channels"] = [sensor.model_dump(mode="json", exclude=_OF_CLIENTS) for sensor in robot.config.sensors]
    for part, model in zip((content["model"], *content["scene"]), (robot.model, *robot.scene), strict=True):
        del part["arguments"], part["model_name"]
        part["file"] = _told(model)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _told(model: RobotModel) -> str:
    """What a URDF says, however it is written and wherever its meshes lie."""
    root = ElementTree.fromstring(model.text)
    for element in root.iter():
        if "filename" in element.attrib:
            element.set("filename", element.attrib["filename"].rpartition("/")[2])
    return ElementTree.canonicalize(ElementTree.tostring(root), strip_text=True)
