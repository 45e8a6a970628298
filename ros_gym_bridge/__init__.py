"""Drive a simulated robot today and the real one tomorrow, through the same Gymnasium environment."""

from __future__ import annotations

import gymnasium

from ros_gym_bridge.config import RobotFile, load_robot, robot_names
from ros_gym_bridge.env import RobotEnv
from ros_gym_bridge.errors import BridgeError
from ros_gym_bridge.robot import Command, Robot, RobotSpec, RobotState, Sample
from ros_gym_bridge.tasks import TASKS

__version__ = "0.1.0"

__all__ = [
    "BridgeError",
    "Command",
    "Robot",
    "RobotEnv",
    "RobotFile",
    "RobotSpec",
    "RobotState",
    "Sample",
    "load_robot",
    "robot_names",
]

for _task in TASKS:
    _id = f"ros_gym_bridge/{_task}-v0"
    if _id not in gymnasium.registry:
        gymnasium.register(_id, entry_point="ros_gym_bridge.env:RobotEnv", kwargs={"task": _task})
