"""The whole set-up from nothing, as a newcomer and as somebody with a ROS 2 installation meet it. Downloads wheels."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from machine import PYTHON, ROOT, copy_checkout

pytestmark = pytest.mark.slow

PARTS = ("ros_gym_bridge", "config", "urdf")
LEFTOVERS = (
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE",
    "AMENT_PREFIX_PATH",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "ROS_DISTRO",
    "PYTEST_CURRENT_TEST",
)
# Of an environment made from wheels, what a ROS 2 installation has too.
SYSTEM = re.compile(
    r"rcl|rosidl|rmw|ros_|rpyutils|ament|numpy|_?yaml|PyYAML|em\.py|em(help|lib|doc)|lark|.*_(msgs|interfaces)$"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    copy = copy_checkout(tmp_path)
    for name in PARTS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in LEFTOVERS}


def call(checkout: Path, environ: dict[str, str]) -> tuple[Path, str]:
    """Run the set-up; return the environment's folder and what was said."""
    command = [PYTHON, str(checkout / "scripts" / "setup_env.py")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip()), done.stderr


def origin(env: Path, environ: dict[str, str], *names: str) -> list[Path]:
    """Where the environment's Python finds these modules."""
    code = f"import {', '.join(names)}; print(*(m.__file__ for m in ({', '.join(names)},)), sep='\\n')"
    command = [env / "bin" / "python", "-c", code]
    out = subprocess.run(command, env=environ, cwd=env, capture_output=True, text=True, timeout=60, check=True).stdout
    return [Path(line) for line in out.splitlines() if line.startswith("/")]


@pytest.mark.parametrize("distro", ["jazzy", "kilted"])
def test_from_nothing_without_ros(checkout: Path, distro: str) -> None:
    environ = {**clean(), "ROS_DISTRO": distro}
    env, said = call(checkout, environ)
    assert env == checkout / f".venv-{distro}"
    assert [line.split()[0] for line in said.splitlines()] == ["[1]", "[2]", "[3]", env.name]
    names = ("rclpy", "tf2_msgs", "simulation_interfaces", "pybullet")
    assert all(path.is_relative_to(env) for path in origin(env, environ, *names))
    assert origin(env, environ, "ros_gym_bridge") == [checkout / "ros_gym_bridge" / "__init__.py"]
    assert all((env / "bin" / name).is_file() for name in ("ros-gym-bridge", "sim_node", "agent_node"))
    assert call(checkout, environ) == (env, "")


def installation(prefix: Path) -> dict[str, str]:
    """The ROS part of this environment, linked together as an installation; returns what sourcing it would set."""
    here = Path(sysconfig.get_path("purelib"))
    site = prefix / "lib" / here.parent.name / here.name
    site.mkdir(parents=True)
    for path in here.iterdir():
        if SYSTEM.match(path.name) and not path.name.startswith("ros_wheels"):
            (site / path.name).symlink_to(path)
    (prefix / "share").symlink_to(Path(sys.prefix) / "share")
    for path in (Path(sys.prefix) / "lib").glob("*.so*"):
        (prefix / "lib" / path.name).symlink_to(path)
    libraries = [prefix / "lib", *site.glob("ros_*.libs")]
    return {
        "AMENT_PREFIX_PATH": str(prefix),
        "PYTHONPATH": str(site),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        "ROS_DISTRO": "jazzy",
    }


def test_with_a_sourced_installation_nothing_of_ros_is_installed(checkout: Path, tmp_path: Path) -> None:
    if not (Path(sys.prefix) / "pyvenv.cfg").is_file() or sys.prefix.endswith("-sourced"):
        pytest.skip("the installation is put together from an environment made from wheels")
    sourced = installation(tmp_path / "ros")
    environ = {**clean(), **sourced}
    env, said = call(checkout, environ)
    assert env == checkout / ".venv-jazzy-sourced"
    assert [line.split()[0] for line in said.splitlines()] == ["[1]", "[2]", env.name]
    ros = origin(env, environ, "rclpy", "sensor_msgs", "tf2_msgs", "simulation_interfaces", "numpy")
    assert all(path.is_relative_to(sourced["PYTHONPATH"]) for path in ros)
    assert all(path.is_relative_to(env) for path in origin(env, environ, "pybullet", "gymnasium", "pydantic"))
    own = {path.name for path in next((env / "lib").iterdir()).joinpath("site-packages").iterdir()}
    assert not [
        name for name in own if re.match(r"rclpy|ros_(?!gym_bridge)|tf2_msgs|simulation_interfaces|numpy", name)
    ]
    assert call(checkout, environ) == (env, "")
