"""How the simulation node ends, and what it refuses to start with."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from simulation_interfaces.srv import StepSimulation

from conftest import NodeProcess, slowness, wait_for
from plain_client import PlainClient, nanoseconds
from ros_gym_bridge import robot_names

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]


def assert_quiet_end(node: NodeProcess, number: int) -> None:
    start, within_s = time.monotonic(), 1.0 * slowness()
    node.signal(number)
    assert node.wait(10.0) == 0, node.err
    assert time.monotonic() - start < within_s
    assert "Traceback" not in node.err
    assert "rror" not in node.err.replace("Errors", ""), node.err
    assert node.out == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "parameters",
    [
        {"mode": "lockstep"},
        {"mode": "realtime"},
        {"mode": "realtime", "real_time_factor": 0.0},
        {"mode": "realtime", "real_time_factor": 0.001},
        {"mode": "realtime", "start_paused": True},
    ],
    ids=lambda parameters: "-".join(map(str, parameters.values())),
)
def test_a_signal_ends_it(sim_process: Start, number: int, parameters: dict[str, Any]) -> None:
    assert_quiet_end(sim_process(robot="cartpole", **parameters), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_the_middle_of_a_long_step(sim_process: Start, client: Make, number: int) -> None:
    node = sim_process(robot="panda", mode="lockstep", start_paused=True)
    stranger = client()
    before = nanoseconds(stranger.connect().header.stamp)
    answer = stranger.request(StepSimulation, "step_simulation", StepSimulation.Request(steps=10**9))
    stranger.until(lambda: stranger.stamp > before + 10**9, "steps")
    assert_quiet_end(node, number)
    stranger.listen(0.2)
    if answer.done():  # the answer may be lost with the node, but is never a success
        assert answer.result().result.result == 4
        assert "the simulator is ending; " in answer.result().result.error_message


def handles(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt"))
    return bool(caught >> (number - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.2, 0.3, 0.5])
def test_a_signal_ends_it_during_start_up(sim_process: Start, number: int, delay_s: float) -> None:
    node = sim_process(robot="panda", mode="lockstep", ready=False)
    wait_for(lambda: handles(node.pid, signal.SIGTERM), 10.0, "the handler")
    moment = time.monotonic() + delay_s
    wait_for(lambda: time.monotonic() >= moment, 5.0, "the moment")
    assert_quiet_end(node, number)


def test_it_ends_when_many_signals_come(sim_process: Start) -> None:
    node = sim_process(robot="cartpole")
    for _ in range(20):
        node.signal(signal.SIGINT)
    assert_quiet_end(node, signal.SIGTERM)


# --- mistakes of a user


ROBOTS = f"expected one of {', '.join(robot_names())}, or the path of a .yaml file"
SPELLING = "Check the spelling, or write such a file (see CONTRIBUTING.md)."
FACTOR = "expected a number from 0.0 to 1000.0."
SEED = "expected an integer from -1 to 2147483647."
MISTAKES = [
    ("robot:=pando", f"no robot file 'pando'; {ROBOTS}; Did you mean 'panda'? {SPELLING}"),
    ("robot:=/nowhere/r.yaml", f"no robot file '/nowhere/r.yaml'; {ROBOTS}; {SPELLING}"),
    ("robot:=7", "parameter 'robot'; got 7; expected a text."),
    ("mode:=fast", "parameter 'mode'; got 'fast'; expected one of lockstep, realtime."),
    ("real_time_factor:=slow", f"parameter 'real_time_factor'; got 'slow'; {FACTOR}"),
    ("real_time_factor:=-1.0", f"parameter 'real_time_factor'; got -1.0; {FACTOR}"),
    ("real_time_factor:=1001", f"parameter 'real_time_factor'; got 1001.0; {FACTOR}"),
    ("real_time_factor:=.nan", f"parameter 'real_time_factor'; got nan; {FACTOR}"),
    ("seed:=-2", f"parameter 'seed'; got -2; {SEED}"),
    ("seed:=1.5", f"parameter 'seed'; got 1.5; {SEED}"),
    ("gui:=perhaps", "parameter 'gui'; got 'perhaps'; expected true or false."),
    ("strict_reset:=1", "parameter 'strict_reset'; got 1; expected true or false."),
]


def refusal(node: NodeProcess, code: int = 2) -> str:
    """The one line in which a node that could not start said why."""
    assert node.wait(20.0) == code, node.err
    assert node.out == ""
    assert node.err.count("\n") == 1, node.err
    assert node.err.startswith("sim_node: ")
    return node.err.removeprefix("sim_node: ").strip()


@pytest.mark.parametrize(("setting", "line"), MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(sim_process: Start, setting: str, line: str) -> None:
    assert refusal(sim_process("-p", setting, ready=False)) == line


def test_what_this_machine_lacks_is_one_line_and_exit_code_1(sim_process: Start) -> None:
    node = sim_process(robot="arm", gui=True, ready=False, environment={"DISPLAY": None})
    assert refusal(node, 1) == (
        "PyBullet's window needs an X display; got DISPLAY is not set; Run on a desktop or under Xvfb, or leave the "
        "window off (render_mode='rgb_array')."
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-p", "nothing"], "'-p nothing'"),
        (["-r", "__ns:=/no-good"], "'-r __ns:=/no-good'"),
        (["--params-file", "/nowhere/p.yaml"], "'--params-file /nowhere/p.yaml'. Error: Error opening YAML file."),
        (["--what"], "--what"),
    ],
)
def test_ros_arguments_that_cannot_be_used(sim_process: Start, arguments: list[str], named: str) -> None:
    line = refusal(sim_process(*arguments, ready=False))
    assert line.startswith("ROS arguments that cannot be used; got ")
    assert named in line
    assert ".c:" not in line


def test_a_typing_error_in_a_parameter_s_name_is_told(sim_process: Start) -> None:
    node = sim_process(robot="cartpole", real_time_facto=2.0)
    assert [line.split("]: ")[1] for line in node.log("WARN")] == [
        "Parameter 'real_time_facto' is not one of this node's and has no effect; did you mean 'real_time_factor'?"
    ]
