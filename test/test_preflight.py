"""What the set-up refuses, each with one line that says what to install, before anything is begun."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from machine import NAME, PYTHON, ROOT, an_old_python, assert_refused, call, copy_checkout, install

APT = "sudo apt install"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_checkout(tmp_path)


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a test import the modules of the set-up."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))


NO_HEADERS = """
    import sysconfig
    get_path = sysconfig.get_path
    sysconfig.get_path = lambda name, *rest: "/nowhere" if name == "include" else get_path(name, *rest)
"""
COMPILER = f"Install one: {APT} build-essential (Fedora: sudo dnf install gcc gcc-c++)"
PYTHONS = (
    "Python 3.10 or 3.11 is needed, because PyBullet has no binary wheels beyond 3.11 (3.12 and newer work with a "
    "ROS 2 installation sourced). Install Python 3.11 with its venv and headers and say: "
    "make PYTHON=/path/to/python3.11 demo"
)
MACHINES = {
    "python too old": (an_old_python("3.9.18"), f"Python 3.9.18 at {PYTHON} is not supported: {PYTHONS}"),
    "python too new": (an_old_python("3.12.1"), f"Python 3.12.1 at {PYTHON} is not supported: {PYTHONS}"),
    "processor": (
        "import platform; platform.machine = lambda: 'aarch64'",
        "The ROS 2 wheels exist for 64-bit Linux on x86-64 only, this is linux on aarch64. "
        "Install ROS 2 for this machine and source it first.",
    ),
    "old glibc": (
        "import platform; platform.libc_ver = lambda: ('glibc', '2.27')",
        "The ROS 2 wheels need glibc 2.28 or newer, found glibc 2.27. Use a newer Linux distribution, "
        "for example Ubuntu 22.04 or Debian 12.",
    ),
    "no glibc": (
        "import platform; platform.libc_ver = lambda: ('', '')",
        "The ROS 2 wheels need glibc 2.28 or newer, found none. Use a newer Linux distribution, "
        "for example Ubuntu 22.04 or Debian 12.",
    ),
    "no ensurepip": (
        "import sys; sys.modules['ensurepip'] = None",
        f"{PYTHON} has no module 'ensurepip', which makes virtual environments. Install it: {APT} {NAME}-venv",
    ),
    "no headers": (
        NO_HEADERS,
        f"The headers of {PYTHON} are missing (/nowhere/Python.h). Install them: {APT} {NAME}-dev "
        f"(Fedora: sudo dnf install {NAME}-devel)",
    ),
}


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_that_lacks_something_is_told_what_to_install(name: str, checkout: Path) -> None:
    machine, line = MACHINES[name]
    assert_refused(call(checkout, machine), checkout, line)


def test_too_little_disk_space(checkout: Path) -> None:
    machine = "import shutil; shutil.disk_usage = lambda path: type('Usage', (), {'free': 150_000_000})"
    line = f"Too little disk space: 150 MB are free at {checkout}, 2000 MB are needed. Free some and call this again."
    assert_refused(call(checkout, machine), checkout, line)


def test_no_compiler_on_the_path(checkout: Path, tmp_path: Path) -> None:
    line = f"No working C compiler (tried cc, gcc, clang). {COMPILER}"
    assert_refused(call(checkout, PATH=str(tmp_path)), checkout, line)


def test_a_compiler_that_exists_but_does_not_run(checkout: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, code in (("cc", 0), ("c++", 1)):
        (programs / name).write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    line = f"No working C++ compiler (tried c++, g++, clang++). {COMPILER}"
    assert_refused(call(checkout, PATH=str(programs)), checkout, line)


def test_a_compiler_named_by_the_environment_is_the_one_that_counts(checkout: Path) -> None:
    line = f"No working C++ compiler (tried CXX=g++-99 -O2). {COMPILER}"
    assert_refused(call(checkout, CXX="g++-99 -O2"), checkout, line)


def test_an_unknown_distribution(checkout: Path) -> None:
    line = "Unknown ROS_DISTRO 'noetic': expected jazzy or kilted. Say for example: make ROS_DISTRO=jazzy demo"
    assert_refused(call(checkout, ROS_DISTRO="noetic"), checkout, line)


@pytest.mark.parametrize("name", ["setup_env.py", "preflight.py"])
def test_python_3_6_can_read_what_tells_it_that_it_is_too_old(name: str) -> None:
    ast.parse((ROOT / "scripts" / name).read_text(encoding="utf-8"), feature_version=(3, 6))


# With a ROS 2 installation


PRESENT = (
    "rclpy",
    "builtin_interfaces",
    "diagnostic_msgs",
    "geometry_msgs",
    "rcl_interfaces",
    "rosgraph_msgs",
    "sensor_msgs",
    "std_msgs",
    "nav_msgs",
    "trajectory_msgs",
)


def test_a_sourced_installation_without_our_messages(checkout: Path, tmp_path: Path) -> None:
    line = (
        f"The sourced ROS 2 jazzy lacks simulation_interfaces, tf2_msgs. Install: {APT} "
        "ros-jazzy-simulation-interfaces ros-jazzy-tf2-msgs (or: rosdep install --from-paths . --ignore-src)"
    )
    assert_refused(call(checkout, **install(tmp_path / "ros", *PRESENT)), checkout, line)


def test_a_sourced_installation_that_is_too_old(checkout: Path, tmp_path: Path) -> None:
    sourced = {**install(tmp_path / "ros", *PRESENT), "ROS_DISTRO": "humble"}
    line = "ROS 2 humble is too old; ros_gym_bridge needs jazzy or newer."
    assert_refused(call(checkout, **sourced), checkout, line)


def test_a_sourced_installation_that_no_python_imports(checkout: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "ros"
    line = (
        f"ROS 2 is sourced ({prefix}), but no Python imports its rclpy: {PYTHON} says 'ModuleNotFoundError: No module "
        "named 'rclpy'', nor does one of python3, /usr/bin/python3, python3.10, python3.11, python3.12, python3.13, "
        "python3.14, python3.15. "
        "Name the right one: make PYTHON=/path/to/python3 demo"
    )
    assert_refused(call(checkout, **install(prefix, "std_msgs")), checkout, line)


def test_an_environment_made_from_wheels_is_not_an_installation(scripts: None, tmp_path: Path) -> None:
    import installation

    sourced = install(tmp_path / "env", "rclpy")
    assert installation.prefixes(sourced) == [tmp_path / "env"]
    (tmp_path / "env" / "pyvenv.cfg").touch()
    assert installation.prefixes(sourced) == []


def test_ros_distro_must_agree_with_the_sourced_installation(scripts: None) -> None:
    import installation
    from preflight import Refusal

    line = (
        "ROS_DISTRO is 'kilted', but ROS 2 jazzy is sourced. Source the other one in a new terminal, "
        "or leave ROS_DISTRO alone."
    )
    with pytest.raises(Refusal, match=f"^{re.escape(line)}$"):
        installation.check_name("kilted", [Path("/opt/ros/jazzy")])
    installation.check_name("jazzy", [Path("/opt/ros/jazzy"), Path("/home/me/ws/install")])
