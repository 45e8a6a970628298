"""A simulated robot: sim_node, with robot_state_publisher and RViz as far as they are installed.

    ros2 launch ros_gym_bridge sim.launch.py robot:=arm mode:=lockstep

Defaults come from config/sim.yaml. Nothing of the package is imported unless robot_state_publisher is there: the
Python that runs `ros2 launch` need not be the one that has the simulator's dependencies.
"""

import shutil
import sys
from pathlib import Path

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch.utilities.type_utils import get_typed_value
from launch_ros.actions import Node

PACKAGE = "ros_gym_bridge"
CONFIG = Path(__file__).resolve().parent.parent / "config"

PARAMETERS = {
    "robot": (str, "Robot file: the name of one that comes with the package, or a path.", None),
    "world": (str, "World file: the name of one that comes with the package, or a path; empty: the robot's.", None),
    "mode": (str, "What moves time: each stamped command, or the wall clock.", ["lockstep", "realtime"]),
    "real_time_factor": (float, "Simulated seconds for each second, in realtime mode; 0: as fast as possible.", None),
    "seed": (int, "Seed of the episodes that reset_simulation starts; -1: none.", None),
    "gui": (bool, "Show PyBullet's own window.", None),
}


def generate_launch_description():
    """Declare the arguments; what runs depends on them and on what is installed."""
    defaults = yaml.safe_load((CONFIG / "sim.yaml").read_text(encoding="utf-8"))["/**"]["ros__parameters"]
    arguments = [
        DeclareLaunchArgument(name, default_value=_text(defaults[name]), description=words, choices=choices)
        for name, (_, words, choices) in PARAMETERS.items()
    ]
    arguments += [
        DeclareLaunchArgument("rviz", default_value="false", description="Show the robot in RViz, where installed."),
        DeclareLaunchArgument("namespace", default_value="", description="Of the nodes, topics and services."),
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_programs)])


def _programs(context):
    values = {name: _value(context, name, kind) for name, (kind, *_) in PARAMETERS.items()}
    namespace = _value(context, "namespace", str)
    publisher, found = _robot_state_publisher(values["robot"], values["world"], namespace)
    sim_node = Node(
        **_program("sim_node"),
        namespace=namespace,
        parameters=[str(CONFIG / "sim.yaml"), {**values, "robot_state_publisher": found}],
        output="screen",
        on_exit=[Shutdown(reason="sim_node has ended")],
    )
    return [publisher, sim_node, *(_rviz(values["robot"], namespace) if _value(context, "rviz", bool) else [])]


def _robot_state_publisher(robot, world, namespace):
    """What publishes the links' transforms, and whether it is robot_state_publisher."""
    instead = "sim_node publishes all transforms itself"
    if world:
        return LogInfo(msg=f"A world may hold several robots: {instead}."), False
    if not _installed("robot_state_publisher"):
        return LogInfo(msg=f"robot_state_publisher is not installed: {instead}."), False
    try:
        from ros_gym_bridge.config import load_robot
        from ros_gym_bridge.model import description
    except ImportError as error:
        return LogInfo(msg=f"robot_state_publisher gets no description of the robot ({error}): {instead}."), False
    parameters = {
        "robot_description": description(load_robot(robot).model),
        "publish_frequency": 1000.0,  # its own limit: every joint state becomes a transform
        "use_sim_time": True,
    }
    node = Node(
        package="robot_state_publisher",
        executable="robot_state_publisher",
        namespace=namespace,
        parameters=[parameters],
        output="screen",
    )
    return node, True


def _rviz(robot, namespace):
    if not _installed("rviz2"):
        return [LogInfo(msg="RViz is not shown: the package rviz2 is not installed (ros-DISTRO-rviz2).")]
    own = CONFIG / "rviz" / f"{Path(robot).stem}.rviz"
    file = own if own.is_file() else CONFIG / "rviz" / "arm.rviz"
    return [
        Node(
            package="rviz2",
            executable="rviz2",
            namespace=namespace,
            arguments=["-d", str(file)],
            parameters=[{"use_sim_time": True}],
        )
    ]


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


def _value(context, name, kind):
    text = LaunchConfiguration(name).perform(context)
    try:
        return get_typed_value(text, kind)
    except ValueError as error:
        raise RuntimeError(f"Launch argument '{name}' is '{text}': {error}.") from error


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
