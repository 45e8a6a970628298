"""Everything that imports rclpy. Importing it says what is missing where there is no ROS 2."""

from __future__ import annotations

import importlib

from ros_gym_bridge.errors import MissingDependencyError

try:
    for _package in ("rclpy.experimental", "tf2_msgs.msg", "simulation_interfaces.srv"):
        importlib.import_module(_package)
except ImportError as error:
    raise MissingDependencyError(
        f"{_package.split('.')[0]} cannot be imported, and nothing can be done over ROS 2 topics",
        got=str(error),
        expected="a sourced ROS 2 installation (jazzy or newer) with ros-DISTRO-simulation-interfaces, "
        "or the environment that 'make demo' sets up",
        remedy="Source /opt/ros/DISTRO/setup.bash, or use backend='sim', which needs no ROS",
    ) from error
