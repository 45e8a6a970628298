"""What stands between an agent and a robot: safety_node.

    ros2 launch ros_gym_bridge safety.launch.py robot:=arm

The agent publishes on agent/joint_command then, and so on. Defaults come from config/safety.yaml.
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
    "robot": (str, "Robot file, the same as the agent's: a name or a path.", None),
    "agent_prefix": (str, "Put before each command topic for that on which the agent publishes.", None),
}


def generate_launch_description():
    """Declare the arguments and start the node."""
    defaults = yaml.safe_load((CONFIG / "safety.yaml").read_text(encoding="utf-8"))["/**"]["ros__parameters"]
    arguments = [
        DeclareLaunchArgument(name, default_value=str(defaults[name]), description=words, choices=choices)
        for name, (_, words, choices) in PARAMETERS.items()
    ]
    arguments += [
        DeclareLaunchArgument("namespace", default_value="", description="Of the robot's topics."),
    ]
    given = {
        name: ParameterValue(LaunchConfiguration(name), value_type=kind) for name, (kind, *_) in PARAMETERS.items()
    }
    safety = Node(
        **_program("safety_node"),
        namespace=LaunchConfiguration("namespace"),
        parameters=[str(CONFIG / "safety.yaml"), given],
        output="screen",
    )
    return LaunchDescription([*arguments, safety])


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
