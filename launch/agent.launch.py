"""An agent that drives a task over topics, on a simulator or a robot alike.

    ros2 launch ros_gym_bridge agent.launch.py task:=Reach robot:=panda episodes:=10

Where the other side has other names, its topics are arguments, as in `joint_command:=/robot_joint_commands`; every
other name is remapped with `SetRemap` in a launch file that includes this one. Defaults come from config/agent.yaml.
"""

import shutil
import sys
from pathlib import Path

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

PACKAGE = "ros_gym_bridge"
CONFIG = Path(__file__).resolve().parent.parent / "config"

PARAMETERS = {
    "task": (str, "What to do.", ["Reach", "Balance"]),
    "robot": (str, "Robot file, the same as on the other side: a name or a path; empty: the task's own.", None),
    "stepping": (
        str,
        "What moves time: each command, a service call after each command, or the wall clock.",
        ["lockstep", "step_service", "realtime"],
    ),
    "command_prefix": (str, "Put before the command topics: agent, where safety_node stands before the robot.", None),
    "policy": (str, "Who acts: a controller that solves Reach, or chance.", ["scripted", "random"]),
    "episodes": (int, "How many; 0: until Ctrl-C.", None),
    "seed": (int, "Seed of the first episode, from which the others follow; -1: none.", None),
}
TOPICS = {"joint_command": "What the robot obeys.", "joint_states": "What the robot reports."}


def generate_launch_description():
    """Declare the arguments and start the agent."""
    defaults = yaml.safe_load((CONFIG / "agent.yaml").read_text(encoding="utf-8"))["/**"]["ros__parameters"]
    arguments = [
        DeclareLaunchArgument(name, default_value=str(defaults[name]), description=words, choices=choices)
        for name, (_, words, choices) in PARAMETERS.items()
    ]
    arguments += [
        DeclareLaunchArgument("namespace", default_value="", description="Of the robot's topics and services."),
        *(DeclareLaunchArgument(name, default_value=name, description=words) for name, words in TOPICS.items()),
    ]
    given = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind) for name, (kind, *_) in PARAMETERS.items()
    }
    agent = Node(
        **_program("agent_node"),
        namespace=LaunchConfiguration("namespace"),
        parameters=[str(CONFIG / "agent.yaml"), given],
        remappings=[(name, LaunchConfiguration(name)) for name in TOPICS],
        output="screen",
    )
    return LaunchDescription([*arguments, agent])


def _program(name):
    """One of our executables: as installed, or that of the environment in which this runs or which is active."""
    if _installed(PACKAGE):
        return {"package": PACKAGE, "executable": name}
    found = shutil.which(name, path=Path(sys.executable).parent) or shutil.which(name)
    if found is None:
        raise RuntimeError(f"No {name} to run; build {PACKAGE} with colcon and source its install/setup.bash.")
    return {"executable": found}


def _installed(package):
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True
