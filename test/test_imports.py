"""Imports point one way: PyBullet in one file, rclpy under ros/ only, and the core runs without rclpy."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "ros_gym_bridge"
ROS = {"rclpy", "rcl_interfaces", "sensor_msgs", "std_msgs", "geometry_msgs", "simulation_interfaces", "tf2_msgs"}
ROS |= {"rosgraph_msgs", "builtin_interfaces", "diagnostic_msgs", "launch", "launch_ros", "ament_index_python"}
ROS |= {"nav_msgs", "std_srvs"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def files_that_import(*packages: str) -> set[str]:
    return {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any(name.split(".")[0] in packages for name in imports(path))
    }


def test_pybullet_is_imported_in_one_file() -> None:
    assert files_that_import("pybullet", "pybullet_utils", "pybullet_data") == {"sim/client.py"}


def test_ros_is_imported_under_ros_only() -> None:
    files = files_that_import(*ROS)
    assert files
    assert all(name.startswith("ros/") for name in files), files


def test_the_seam_imports_numpy_and_the_errors_only() -> None:
    names = {name.split(".")[0] for name in imports(PACKAGE / "robot.py")} - set(sys.stdlib_module_names)
    assert names == {"numpy", "ros_gym_bridge"}
    ours = {name for name in imports(PACKAGE / "robot.py") if name.startswith("ros_gym_bridge")}
    assert ours == {"ros_gym_bridge.errors"}


@pytest.mark.parametrize("layer", ["errors", "robot", "config", "safety", "tasks", "sim"])
def test_no_layer_knows_those_above_it(layer: str) -> None:
    above = {
        "errors": {"robot", "config", "safety", "tasks", "sim", "env", "backends", "ros", "cli"},
        "robot": {"config", "safety", "tasks", "sim", "env", "backends", "ros", "cli"},
        "config": {"safety", "tasks", "sim", "env", "backends", "ros", "cli"},
        "safety": {"tasks", "sim", "env", "backends", "ros", "cli"},
        "tasks": {"sim", "env", "backends", "ros", "cli"},
        "sim": {"env", "backends", "ros", "cli"},
    }[layer]
    paths = [PACKAGE / f"{layer}.py"] if (PACKAGE / f"{layer}.py").exists() else list((PACKAGE / layer).glob("*.py"))
    assert paths
    for path in paths:
        known = {name.split(".")[1] for name in imports(path) if name.startswith("ros_gym_bridge.")}
        assert not known & above, path


WITHOUT_RCLPY = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ros!r}:
            raise ImportError(f"{{name}} is not here")

sys.meta_path.insert(0, Refuse())
import gymnasium as gym
import ros_gym_bridge

for task in ("Reach", "Balance"):
    env = gym.make(f"ros_gym_bridge/{{task}}-v0", render_mode="rgb_array")
    env.reset(seed=1)
    env.step(env.action_space.sample())
    assert env.render().shape[2] == 3
    env.close()
try:
    gym.make("ros_gym_bridge/Reach-v0", backend="topics")
except ros_gym_bridge.errors.MissingDependencyError as error:
    print(error)
"""


def test_the_core_runs_without_rclpy() -> None:
    code = WITHOUT_RCLPY.format(ros=sorted(ROS))
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == (
        "rclpy cannot be imported, and nothing can be done over ROS 2 topics; got rclpy is not here; expected a "
        "sourced ROS 2 installation (jazzy or newer) with ros-DISTRO-simulation-interfaces, or the environment that "
        "'make demo' sets up; Source /opt/ros/DISTRO/setup.bash, or use backend='sim', which needs no ROS."
    )


def test_importing_the_package_prints_nothing_and_loads_nothing_heavy() -> None:
    code = "import ros_gym_bridge, sys; print(sorted({'pybullet', 'rclpy', 'PIL', 'rich'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_simulating_prints_nothing() -> None:
    code = (
        "import gymnasium, ros_gym_bridge\n"
        "env = gymnasium.make('ros_gym_bridge/Reach-v0', robot='panda_clutter', render_mode='rgb_array')\n"
        "env.reset(seed=1, options={'strict': True}); env.step(env.action_space.sample()); env.render(); env.close()"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "")
