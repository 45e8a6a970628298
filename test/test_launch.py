"""The launch files. Where the launch packages of ROS 2 are there, `ros2 launch` runs them for real."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from ament_index_python.packages import get_packages_with_prefixes
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python

from adapter_tools import Process, running
from conftest import NodeProcess, wait_for
from plain_client import PlainClient
from ros_gym_bridge.config import load_robot
from ros_gym_bridge.model import description
from ros_gym_bridge.ros.agent_node import AGENT_PARAMETERS
from ros_gym_bridge.ros.parameters import SIM_PARAMETERS, Parameter
from ros_gym_bridge.ros.safety_node import SAFETY_PARAMETERS

ROOT = Path(__file__).resolve().parent.parent
FILES = {name: ROOT / "launch" / f"{name}.launch.py" for name in ("sim", "agent", "safety")}
DECLARED = {"sim": SIM_PARAMETERS, "agent": AGENT_PARAMETERS, "safety": SAFETY_PARAMETERS}
ARGUMENTS = {
    "sim": ["robot", "world", "mode", "real_time_factor", "seed", "gui", "rviz", "namespace"],
    "agent": [
        *("task", "robot", "stepping", "command_prefix", "policy", "episodes", "seed", "namespace"),
        *("joint_command", "joint_states"),
    ],
    "safety": ["robot", "agent_prefix", "namespace"],
}
ROS2 = "import sys; sys.argv[0] = 'ros2'; from ros2cli.cli import main; sys.exit(main())"


def there(package: str) -> bool:
    """Whether a Python package can be imported; a mere folder of that name, as ours with the launch files, cannot."""
    spec = find_spec(package)
    return spec is not None and spec.origin is not None


missing = [name for name in ("launch", "launch_ros", "ros2cli", "ros2launch") if not there(name)]
needs_launch = pytest.mark.skipif(
    bool(missing), reason=f"{', '.join(missing)}: not here; they come with a ROS 2 installation, not as wheels"
)

Start = Callable[..., Process]
Make = Callable[..., PlainClient]


@pytest.fixture
def ros2(domain_id: int) -> Iterator[Start]:
    """`ros2("launch", FILE, "robot:=arm")`; `environment` holds variables that differ."""
    with ExitStack() as stack:

        def start(*words: object, environment: dict[str, str] | None = None) -> Process:
            command = [sys.executable, "-c", ROS2, *map(str, words)]
            process = stack.enter_context(running(Process(command, ROS_DOMAIN_ID=domain_id, **(environment or {}))))
            stack.callback(interrupt, process)
            return process

        yield start


def parameters(client: PlainClient, *names: str, node: str = "sim_node") -> list[Any]:
    """Of a running node."""
    answer = client.call(GetParameters, f"{node}/get_parameters", GetParameters.Request(names=list(names)))
    return [parameter_value_to_python(value) for value in answer.values]


def interrupt(process: Process) -> None:
    """Ctrl-C, as a terminal does it: the signal goes to every process of the group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        process.wait(10.0)


def end_by_ctrl_c(process: Process) -> None:
    """End well: all of it, without a word too many."""
    interrupt(process)
    assert process.wait(10.0) == 0, process.text()
    assert "Traceback" not in process.text()
    assert "has died" not in process.text(), process.text()


# --- what needs no launch packages


@pytest.mark.parametrize("name", FILES)
def test_the_files_of_parameters_hold_the_declared_defaults(name: str) -> None:
    content = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert content == {"/**": {"ros__parameters": {p.name: p.default for p in DECLARED[name]}}}


@pytest.mark.parametrize("name", FILES)
def test_arguments_agree_with_the_nodes_parameters(name: str) -> None:
    """By reading the file's table, not by running it."""
    (table,) = [
        node.value
        for node in ast.parse(FILES[name].read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "PARAMETERS"
    ]
    assert isinstance(table, ast.Dict)
    declared = {parameter.name: parameter for parameter in DECLARED[name]}
    for key, entry in zip(table.keys, table.values, strict=True):
        assert isinstance(key, ast.Constant)
        assert isinstance(entry, ast.Tuple)
        kind, words, choices = entry.elts
        parameter: Parameter = declared[str(key.value)]
        assert isinstance(kind, ast.Name)
        assert kind.id == type(parameter.default).__name__
        assert ast.literal_eval(words)
        assert ast.literal_eval(choices) == (list(parameter.choices) or None)


# --- what ros2 launch makes of them


@needs_launch
@pytest.mark.parametrize("name", FILES)
def test_show_args(ros2: Start, name: str) -> None:
    shown = ros2("launch", FILES[name], "--show-args")
    assert shown.wait(20.0) == 0, shown.text()
    assert re.findall(r"(?m)^ +'(\w+)':$", shown.text()) == ARGUMENTS[name]
    defaults = dict(re.findall(r"'(\w+)':\n +\S.*\n +\(default: '(.*)'\)", shown.text()))
    assert list(defaults) == ARGUMENTS[name]
    for parameter in DECLARED[name]:
        if parameter.name in defaults:
            assert yaml.safe_load(defaults[parameter.name] or "''") == parameter.default


@needs_launch
def test_the_simulator_with_arguments(ros2: Start, client: Make) -> None:
    """A whole number for a factor, a seed, a namespace; RViz that may not be there; and the way out."""
    words = ["robot:=arm", "mode:=realtime", "real_time_factor:=2", "seed:=7", "gui:=False", "namespace:=cell"]
    launched = ros2("launch", FILES["sim"], *words, "rviz:=true")
    launched.says("Simulating 'arm' in realtime mode")
    stranger = client(namespace="/cell")
    stranger.connect()
    names = ("robot", "mode", "real_time_factor", "seed", "gui", "strict_reset")
    assert parameters(stranger, *names) == ["arm", "realtime", 2.0, 7, False, False]
    assert [name for name, _ in stranger.node.get_topic_names_and_types() if name == "/cell/robot_description"]
    installed = get_packages_with_prefixes()
    assert ("RViz is not shown: the package rviz2 is not installed" in launched.text()) is ("rviz2" not in installed)
    alone = "robot_state_publisher is not installed: sim_node publishes all transforms itself."
    assert (alone in launched.text()) is ("robot_state_publisher" not in installed)
    end_by_ctrl_c(launched)
    assert stranger.until(lambda: not stranger.named("service", namespace="/cell"), "the node to be gone")


@needs_launch
@pytest.mark.parametrize(("robot", "file"), [("rover", "rover.rviz"), ("cartpole", "arm.rviz")])
def test_what_rviz_is_told(ros2: Start, tmp_path: Path, robot: str, file: str) -> None:
    """A program in the place of RViz says what it was started with."""
    index = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    program = tmp_path / "lib" / "rviz2" / "rviz2"
    for folder in (index, program.parent):
        folder.mkdir(parents=True)
    (index / "rviz2").touch()
    told = tmp_path / "told"
    program.write_text(f'#!/bin/sh\necho "$*" > {told}\n')
    program.chmod(0o755)
    prefixes = f"{tmp_path}{os.pathsep}{os.environ['AMENT_PREFIX_PATH']}"
    words = [f"robot:={robot}", "rviz:=true", "namespace:=cell"]
    launched = ros2("launch", FILES["sim"], *words, environment={"AMENT_PREFIX_PATH": prefixes})
    launched.says("Simulating '")
    wait_for(lambda: told.is_file() and told.read_text().endswith("\n"), 20.0, "the program")
    assert told.read_text().startswith(f"-d {ROOT / 'config' / 'rviz' / file} ")
    assert "__ns:=/cell" in told.read_text()
    end_by_ctrl_c(launched)


@needs_launch
def test_defaults_are_those_of_the_parameter_file(ros2: Start, client: Make) -> None:
    launched = ros2("launch", FILES["sim"])
    launched.says("Simulating 'panda' in realtime mode")
    own = [parameter for parameter in SIM_PARAMETERS if parameter.name != "robot_state_publisher"]
    assert parameters(client(), *(p.name for p in own)) == [p.default for p in own]
    os.kill(launched.pid, signal.SIGINT)  # to ros2 launch alone, as a supervisor does
    assert launched.wait(10.0) == 0, launched.text()
    assert "process has finished cleanly" in launched.text()


@needs_launch
@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("mode:=fast", 'Argument "mode" provided value "fast" is not valid. Valid options are:'),
        ("seed:=x", "Launch argument 'seed' is 'x': invalid literal for int()"),
        ("real_time_factor:=fast", "Launch argument 'real_time_factor' is 'fast': could not convert string to float"),
        ("gui:=maybe", "Launch argument 'gui' is 'maybe': Cannot convert value 'maybe'"),
    ],
)
def test_an_argument_that_cannot_be_read(ros2: Start, word: str, text: str) -> None:
    launched = ros2("launch", FILES["sim"], word)
    assert launched.wait(20.0) == 1, launched.text()
    assert text in launched.text()
    assert "process started" not in launched.text()


@needs_launch
def test_the_launch_ends_with_the_simulator(ros2: Start) -> None:
    launched = ros2("launch", FILES["sim"], "robot:=pandda")
    launched.wait(20.0)
    assert "Did you mean 'panda'?" in launched.text()
    assert "Traceback" not in launched.text()


@needs_launch
def test_an_agent_drives_the_launched_simulator(ros2: Start) -> None:
    """Two launches, one namespace, topics by other names on both sides."""
    simulator = ros2("launch", FILES["sim"], "robot:=arm", "mode:=lockstep", "namespace:=cell")
    simulator.says("Simulating 'arm'")
    words = ["robot:=arm", "episodes:=3", "seed:=1", "namespace:=cell", "joint_command:=/cell/joint_command"]
    agent = ros2("launch", FILES["agent"], *words)
    assert agent.wait(60.0) == 0, agent.text()
    assert "3 episodes, 3 of them a success (100.0%)." in agent.text()
    end_by_ctrl_c(simulator)


@needs_launch
def test_the_agents_topics_are_arguments(ros2: Start, sim_process: Callable[..., NodeProcess], client: Make) -> None:
    names = {"joint_command": "/arm_controller/commands", "joint_states": "/broadcaster/joint_states"}
    rules = [word for old, new in names.items() for word in ("-r", f"{old}:={new}")]
    sim_process(*rules, robot="arm", mode="lockstep")
    words = [f"{old}:={new}" for old, new in names.items()]
    agent = ros2("launch", FILES["agent"], "robot:=arm", "seed:=1", *words)
    agent.says("Episode 1: success")
    assert not client(commands=()).node.get_publishers_info_by_topic("/joint_command")
    end_by_ctrl_c(agent)


@needs_launch
def test_the_installed_package(ros2: Start, tmp_path: Path) -> None:
    """Built by colcon, found by its name, run from where it was installed."""
    if not there("colcon_core"):
        pytest.skip("colcon is not in this environment")
    colcon = [sys.executable, "-m", "colcon", "--log-base", "log", "build", "--base-paths", str(ROOT)]
    subprocess.run(colcon, cwd=tmp_path, capture_output=True, check=True, timeout=300)
    script = f". {tmp_path / 'install' / 'setup.sh'} && env -0"
    sourced = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    environment = dict(entry.split("=", 1) for entry in sourced.split("\0") if entry)
    environment.pop("ROS_DOMAIN_ID", None)
    simulator = ros2("launch", "ros_gym_bridge", "sim.launch.py", "mode:=lockstep", environment=environment)
    simulator.says("Simulating 'panda' in lockstep mode")
    (pid,) = re.findall(r"\[sim_node-\d\]: process started with pid \[(\d+)\]", simulator.text())
    running_ = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    assert str(tmp_path / "install" / "ros_gym_bridge" / "lib" / "ros_gym_bridge" / "sim_node") in running_
    agent = ros2("launch", "ros_gym_bridge", "agent.launch.py", "episodes:=2", "seed:=3", environment=environment)
    assert agent.wait(60.0) == 0, agent.text()
    assert "2 episodes, 2 of them a success (100.0%)." in agent.text()
    end_by_ctrl_c(simulator)


# --- beside robot_state_publisher

STAND_IN = """\
    #!{python}
    # Says which parameters it was started with, and stays until it is asked to go.
    import json, os, signal, sys
    import yaml

    signal.signal(signal.SIGINT, lambda *_: os._exit(0))

    files = [b for a, b in zip(sys.argv, sys.argv[1:]) if a == "--params-file"]
    given = [yaml.safe_load(open(file))["/**"]["ros__parameters"] for file in files]
    print("given: " + json.dumps(given[0]), flush=True)
    signal.pause()
"""


@needs_launch
def test_robot_state_publisher_is_started_where_it_is_installed(ros2: Start, client: Make, tmp_path: Path) -> None:
    """With a program in its place that tells what it was given: what the real one makes of it needs a full
    installation."""
    marker = tmp_path / "share/ament_index/resource_index/packages/robot_state_publisher"
    program = tmp_path / "lib/robot_state_publisher/robot_state_publisher"
    for path in (marker, program):
        path.parent.mkdir(parents=True)
    marker.touch()
    program.write_text(textwrap.dedent(STAND_IN).format(python=sys.executable))
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ.get('AMENT_PREFIX_PATH', '')}"
    launched = ros2("launch", FILES["sim"], "robot:=arm", environment={"AMENT_PREFIX_PATH": path})
    launched.says("Simulating 'arm'")
    given = json.loads(launched.says("given: "))
    assert given.pop("robot_description") == description(load_robot("arm").model)
    assert given == {"use_sim_time": True, "publish_frequency": 1000.0}
    assert parameters(client(), "robot_state_publisher", "publish_tf") == [True, True]
    assert "not installed" not in launched.text()
    end_by_ctrl_c(launched)
