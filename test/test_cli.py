"""The command `ros-gym-bridge` as a user types it: the simulator it starts, its help, and every refusal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import wait_for
from ros_gym_bridge import __version__, robot_names
from ros_gym_bridge.paths import share_directory

COMMAND = Path(sys.executable).parent / "ros-gym-bridge"
EXAMPLES = Path(__file__).parent.parent / "examples"
PLAIN = {"COLUMNS": "100", "TERM": "dumb"}


def run(*arguments: str, **changed: str | None) -> subprocess.CompletedProcess[str]:
    """The command to its end, with some variables of the environment changed; None takes one away."""
    environment = {**os.environ, **PLAIN, **changed}
    return subprocess.run(
        [COMMAND, *arguments],
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=60,
    )


class Running:
    """The command while it runs; its output goes to a file."""

    def __init__(self, folder: Path, domain_id: int, *arguments: str) -> None:
        self._output = folder / "output"
        environment = {**os.environ, **PLAIN, "ROS_DOMAIN_ID": str(domain_id)}
        with self._output.open("wb") as file:
            self.process = subprocess.Popen(
                [COMMAND, *arguments], cwd=folder, env=environment, stdout=file, stderr=file, start_new_session=True
            )

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._output.read_text(errors="replace")

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(10.0)


@pytest.fixture
def start(tmp_path: Path, domain_id: int) -> Iterator[Callable[..., Running]]:
    """Starts the command in a folder and a domain of its own, and ends it after the test."""
    started: list[Running] = []

    def begin(*arguments: str) -> Running:
        started.append(Running(tmp_path, domain_id, *arguments))
        return started[-1]

    yield begin
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


# --- help and lists


def test_version() -> None:
    ran = run("--version")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"ros-gym-bridge {__version__}\n", "")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((), ["ros-gym-bridge demo", "Exit codes: 0 done", "demo", "sim", "view", "robots"]),
        (("demo",), ["--robot", "--episodes", "--seed", "Example: ros-gym-bridge demo --robot arm --episodes 5"]),
        (
            ("sim",),
            [
                "--robot",
                "--mode",
                "lockstep|realtime",
                "--real-time-factor",
                "--seed",
                "--namespace",
                "--gui",
                "sim.yaml",
            ],
        ),
        (("view",), ["--namespace", "--port", "--host", "--fixed-frame", "ros-gym-bridge view --namespace /cell_1"]),
        (("robots",), ["Example: ros-gym-bridge robots"]),
    ],
    ids=str,
)
def test_help(command: tuple[str, ...], words: list[str]) -> None:
    ran = run(*command, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert [word for word in words if word not in ran.stdout] == []


def test_robots_lists_them_all_with_their_tasks() -> None:
    ran = run("robots")
    assert (ran.returncode, ran.stderr) == (0, "")
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in ran.stdout.splitlines() if line[:1] == "│"]
    assert [row[0] for row in rows] == robot_names()
    assert ["cartpole", "2", "1 x effort", "50 Hz", "500 Hz", "Balance"] in rows
    assert ["arm", "6", "6 x position", "25 Hz", "500 Hz", "Reach"] in rows
    assert ran.stdout.endswith(f"Their files: {share_directory()}/config/robots\n")


def test_it_starts_without_loading_what_it_may_not_need() -> None:
    code = "import sys, ros_gym_bridge.cli; print([m for m in ('pybullet', 'rclpy', 'PIL') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# --- refusals

NAMES = ", ".join(robot_names())
NO_END_EFFECTOR = (
    f"error: {share_directory()}/config/robots/cartpole.yaml: end_effector; got None; expected the link that Reach "
    "brings to the goal; Add 'end_effector: LINK', one of base_link, cart, pole.\n"
)
BAD_NAMESPACE = (
    "error: --namespace; got '{}'; expected names of letters, digits and underscores, none starting with a digit, "
    "with '/' between them; For example: --namespace /cell_1.\n"
)


def no_robot(name: str, hint: str = "") -> str:
    """What is said of a robot that is not there."""
    return (
        f"error: no robot file '{name}'; expected one of {NAMES}, or the path of a .yaml file; {hint}Check the "
        "spelling, or write such a file (see CONTRIBUTING.md).\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("demo", "--robot", "pandda"), 2, no_robot("pandda", "Did you mean 'panda'? ")),
        (("demo", "--robot", "cartpole"), 2, NO_END_EFFECTOR),
        (("sim", "--robot", "xyz"), 2, no_robot("xyz")),
        (("sim", "--robot", "nowhere/arm.yaml"), 2, no_robot("nowhere/arm.yaml")),
        (("sim", "--namespace", "1a"), 2, BAD_NAMESPACE.format("1a")),
        (("sim", "--namespace", "/a//b"), 2, BAD_NAMESPACE.format("/a//b")),
        (("sim", "--namespace", "a b"), 2, BAD_NAMESPACE.format("a b")),
        (
            ("sim", "--gui"),
            1,
            "error: the window needs an X display; got DISPLAY is not set; Run on a desktop or under Xvfb, or leave "
            "out --gui.\n",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_refused_with_a_full_message(arguments: tuple[str, ...], code: int, message: str) -> None:
    ran = run(*arguments, DISPLAY=None)
    assert (ran.returncode, ran.stdout, ran.stderr) == (code, "", message)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sim", "--mode", "fast"), ("--mode", "'fast' is not one of 'lockstep', 'realtime'")),
        (("sim", "--real-time-factor", "-1"), ("--real-time-factor",)),
        (("sim", "--real-time-factor", "1001"), ("--real-time-factor", "1000")),
        (("sim", "--real-time-factor", "quick"), ("--real-time-factor", "number")),
        (("sim", "--seed", "-2"), ("--seed", "-1")),
        (("sim", "--seed", "1.5"), ("--seed", "integer")),
        (("demo", "--episodes", "0"), ("--episodes", "1")),
        (("demo", "--seed", "-1"), ("--seed", "0")),
        (("demo", "--robots", "arm"), ("No such option", "--robots")),
        (("simulate",), ("No such command 'simulate'",)),
        (("sim", "panda"), ("unexpected extra argument", "panda")),
    ],
    ids=" ".join,
)
def test_misused(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    said = " ".join(ran.stderr.replace("│", " ").split())
    assert said.startswith("Usage: ros-gym-bridge")
    assert [word for word in words if word not in said] == []


def test_a_robot_file_that_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: arm\nname: mine\nrates: {physics_hz: 500, control_hz: 30}\n")
    ran = run("sim", "--robot", str(file))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        f"error: {file}: rates; got physics_hz: 500, control_hz: 30; expected physics_hz to be a multiple of "
        "control_hz: a control period is a whole number of physics steps; Use a control_hz that divides 500, for "
        "example 25.\n"
    )


@pytest.mark.parametrize("command", ["sim", "demo"])
def test_without_ros(command: str) -> None:
    code = (
        "import sys; sys.modules['rclpy'] = None\n"
        f"from ros_gym_bridge.cli import main; sys.exit(main(['{command}', '--robot', 'arm']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **PLAIN})
    assert (ran.returncode, ran.stdout) == (1, "")
    assert re.fullmatch(
        r"error: rclpy cannot be imported, and nothing can be done over ROS 2 topics; got .*rclpy.*; expected a "
        r"sourced ROS 2 installation .*; Source /opt/ros/DISTRO/setup.bash, or "
        r"use backend='sim', which needs no ROS\.\n",
        ran.stderr,
    ), ran.stderr


# --- sim


def test_sim_in_lockstep_is_driven_by_a_plain_client(start: Callable[..., Running], client: Callable[..., Any]) -> None:
    sim = start("sim", "--robot", "arm", "--mode", "lockstep", "--namespace", "cell_1", "--seed", "7")
    with client(namespace="/cell_1") as plain:
        names = list(plain.connect().name)
        begun = plain.stamp
        for _ in range(20):
            plain.step(names, position=[angle + 0.02 for angle in plain.states[-1].position])
        assert plain.stamp == begun + 20 * 40_000_000
        told = plain.parameters("robot_name", "mode", "seed", "real_time_factor", "gui")
        assert told == {"robot_name": "arm", "mode": "lockstep", "seed": 7, "real_time_factor": 1.0, "gui": False}
        assert plain.node.count_publishers("/joint_states") == 0
    assert sim.end() == 0
    assert "Traceback" not in sim.output


def test_sim_in_real_time_with_a_file_of_the_user(
    start: Callable[..., Running], client: Callable[..., Any], tmp_path: Path
) -> None:
    """A path with blanks, quotes and a colon, relative to where the user stands."""
    file = tmp_path / "my 'own': arm.yaml"
    file.write_text(yaml.safe_dump({"extends": "arm", "name": "mine"}))
    sim = start("sim", "--robot", file.name, "--mode", "realtime", "--real-time-factor", "4")
    plain = client()
    plain.connect()
    told = plain.parameters("robot", "robot_name", "mode", "real_time_factor")
    assert told == {"robot": str(file), "robot_name": "mine", "mode": "realtime", "real_time_factor": 4.0}
    begun, since = plain.stamp, time.monotonic()
    plain.listen(1.5)
    factor = (plain.stamp - begun) / 1e9 / (time.monotonic() - since)
    assert 2.5 < factor < 5.0
    assert sim.end(signal.SIGTERM) == 0
    assert "Traceback" not in sim.output


def test_sim_without_options_is_what_the_node_is_by_itself(
    start: Callable[..., Running], client: Callable[..., Any]
) -> None:
    """The command adds nothing but the package's parameter file."""
    sim = start("sim")
    plain = client()
    plain.connect()
    file = share_directory() / "config" / "sim.yaml"
    if file.is_file():
        (settings,) = yaml.safe_load(file.read_text()).values()
        wanted = settings["ros__parameters"]
        assert plain.parameters(*wanted) == wanted
    else:
        assert plain.parameters("robot", "mode") == {"robot": "panda", "mode": "realtime"}
    assert sim.end() == 0


@pytest.mark.parametrize("after_s", [0.01, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_sim_ends_quietly_while_it_starts(start: Callable[..., Running], number: int, after_s: float) -> None:
    """A signal at any moment of the start, once the interpreter, which knows nothing of us, has come to our code."""
    sim = start("sim", "--robot", "arm")
    maps = Path(f"/proc/{sim.process.pid}/maps")
    wait_for(lambda: "_rclpy_pybind11" in maps.read_text(), 60.0, "the import of rclpy")
    with pytest.raises(subprocess.TimeoutExpired):
        sim.process.wait(after_s)
    code, said = sim.end(number), sim.output
    assert "Traceback" not in said
    assert code in ((0, -signal.SIGTERM) if number == signal.SIGTERM else (0, 130))


# --- examples


def test_ten_lines() -> None:
    ran = subprocess.run([sys.executable, EXAMPLES / "ten_lines.py"], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")
    found = re.fullmatch(
        r"200 steps, the last one with reward (-\d\.\d{3}) at (\d+\.\d\d) s simulated time\n", ran.stdout
    )
    assert found, ran.stdout
    assert float(found[2]) >= 200 * 0.04


def test_attach(start: Callable[..., Running], domain_id: int) -> None:
    sim = start("sim", "--robot", "arm", "--mode", "lockstep", "--namespace", "/cell_1")
    wait_for(lambda: "Simulating 'arm'" in sim.output, 20.0, "the simulator")
    ran = _attach(domain_id, "--robot", "arm", "--namespace", "/cell_1", "--episodes", "2")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert re.fullmatch(r"episode 0: reached, 0\.0[0-3]\d m from the goal\nepisode 1: reached, .*\n", ran.stdout)
    assert sim.end() == 0


def test_attach_to_nobody(domain_id: int) -> None:
    ran = _attach(domain_id)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith(f"error: no robot 'panda' answered within 5.0 s in ROS domain {domain_id}; ")
    assert f"ROS_DOMAIN_ID={domain_id} ros-gym-bridge sim --robot panda --mode lockstep" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def _attach(domain_id: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, EXAMPLES / "attach.py", *arguments],
        env={**os.environ, "ROS_DOMAIN_ID": str(domain_id)},
        capture_output=True,
        text=True,
        timeout=60,
    )
