"""A real `colcon build` of the checkout, and the node started from where it was installed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
COLCON = Path(sys.executable).with_name("colcon")
NAME = "ros_gym_bridge"
DOMAIN = 1 + os.getpid() % 100
EXECUTABLES = ("agent_node", "ros-gym-bridge", "safety_node", "sim_node")

pytest.importorskip("colcon_core", reason="colcon is not in this environment")
rclpy = pytest.importorskip("rclpy", reason="rclpy is not there: neither wheels nor a sourced installation")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace outside the checkout in which the package has been built."""
    folder = tmp_path_factory.mktemp("workspace")
    command = [COLCON, "--log-base", "log", "build", "--base-paths", ROOT, "--event-handlers", "console_direct-"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Finished <<< ros_gym_bridge" in done.stdout, done.stdout
    return folder


@pytest.fixture(scope="module")
def prefix(workspace: Path) -> Path:
    return workspace / "install" / NAME


@pytest.fixture(scope="module")
def sourced(workspace: Path) -> dict[str, str]:
    """The environment of a shell that has sourced the workspace."""
    script = f". {workspace / 'install' / 'setup.sh'} && env -0"
    text = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, check=True).stdout
    ours = {"ROS_DOMAIN_ID": str(DOMAIN), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    return {**dict(entry.split("=", 1) for entry in text.split("\0") if entry), **ours}


def python(sourced: dict[str, str], cwd: Path, code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=sourced, cwd=cwd, capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()


@pytest.mark.parametrize("top", ["config", "launch", "urdf"])
def test_shared_files_are_where_ros2_launch_looks(prefix: Path, top: str) -> None:
    written = {path.relative_to(ROOT) for path in (ROOT / top).rglob("*") if path.is_file() and path.suffix != ".pyc"}
    share = prefix / "share" / NAME
    installed = {path.relative_to(share) for path in (share / top).rglob("*") if path.is_file()}
    assert installed == written
    assert written, f"{top}/ is empty"


def test_the_package_is_in_the_index(prefix: Path) -> None:
    assert (prefix / "share" / "ament_index" / "resource_index" / "packages" / NAME).is_file()
    assert (prefix / "share" / NAME / "package.xml").read_bytes() == (ROOT / "package.xml").read_bytes()


def test_executables_are_where_ros2_run_looks(prefix: Path) -> None:
    folder = prefix / "lib" / NAME
    assert sorted(path.name for path in folder.iterdir()) == list(EXECUTABLES)
    assert all(os.access(path, os.X_OK) for path in folder.iterdir())


def test_no_interface_package_of_ours_is_built(workspace: Path) -> None:
    assert [path.name for path in (workspace / "install").iterdir() if path.is_dir()] == [NAME]


def test_the_installed_code_reads_the_installed_files(sourced: dict[str, str], workspace: Path, prefix: Path) -> None:
    code = "from ros_gym_bridge import paths; print(paths.__file__); print(paths.share_directory())"
    module, share = python(sourced, workspace, code).splitlines()
    assert Path(module).is_relative_to(prefix / "lib")
    assert Path(share) == prefix / "share" / NAME


def test_ament_index_finds_the_share_directory(sourced: dict[str, str], workspace: Path, prefix: Path) -> None:
    code = f"import ament_index_python as a; print(a.get_package_share_directory('{NAME}'))"
    assert Path(python(sourced, workspace, code)) == prefix / "share" / NAME


@pytest.fixture
def heard() -> Iterator[Any]:
    """Calls a function for every message on `joint_states` of this domain, from a plain rclpy node."""
    from sensor_msgs.msg import JointState

    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    node = rclpy.create_node("listener", context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    messages: list[Any] = []
    node.create_subscription(JointState, "joint_states", messages.append, 10)

    def first(deadline_s: float) -> Any:
        deadline = time.monotonic() + deadline_s
        while not messages and time.monotonic() < deadline:
            executor.spin_once(timeout_sec=0.1)
        return messages[0] if messages else None

    yield first
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_the_node_runs_from_the_installation(
    sourced: dict[str, str], workspace: Path, prefix: Path, heard: Any
) -> None:
    command = [prefix / "lib" / NAME / "sim_node", "--ros-args", "-p", "robot:=arm"]
    with subprocess.Popen(command, env=sourced, cwd=workspace, stderr=subprocess.PIPE, text=True) as node:
        try:
            state = heard(20.0)
            node.send_signal(signal.SIGINT)
            _, said = node.communicate(timeout=10)
        finally:
            node.kill()
    assert state is not None, said
    assert len(state.name) == len(state.position) == 6
    assert node.returncode == 0, said
    assert "Traceback" not in said
