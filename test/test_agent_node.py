"""The agent node as a user runs it, against simulation nodes in processes of their own."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from rcl_interfaces.srv import DescribeParameters

from adapter_tools import Process, running
from conftest import NodeProcess
from ros_gym_bridge.ros.agent_node import AGENT_PARAMETERS

Start = Callable[..., NodeProcess]
StartAgent = Callable[..., Process]

REMAPPED = ("-r", "joint_command:=/arm_controller/commands", "-r", "joint_states:=/broadcaster/joint_states")


@pytest.fixture
def agent(domain_id: int) -> Iterator[StartAgent]:
    """`agent("-r", "__ns:=/a", episodes=3)` starts an agent; keywords are parameters."""
    with ExitStack() as stack:

        def start(*arguments: str, **parameters: Any) -> Process:
            settings = [part for name, value in parameters.items() for part in ("-p", f"{name}:={value}")]
            command = [sys.executable, "-m", "ros_gym_bridge.ros.agent_node", "--ros-args", *arguments, *settings]
            return stack.enter_context(running(Process(command, ROS_DOMAIN_ID=domain_id)))

        yield start


def episodes(process: Process) -> list[str]:
    """What was said of each episode."""
    return re.findall(r"Episode \d+: .*", process.text())


def test_the_scripted_policy_reaches_and_a_seed_says_it_all(sim_process: Start, agent: StartAgent) -> None:
    sim_process(robot="panda", mode="lockstep")
    runs = []
    for _ in range(2):
        runs.append(agent(episodes=3, seed=5))
        assert runs[-1].wait(30.0) == 0, runs[-1].text()
    first, second = map(episodes, runs)
    assert len(first) == 3
    assert all(re.fullmatch(r"Episode \d: success after \d+ steps, \d\.\d\d s; return -\d+\.\d\d\.", e) for e in first)
    assert first == second
    assert "3 episodes, 3 of them a success (100.0%)." in runs[0].text()


@pytest.mark.parametrize(
    ("stepping", "mode"), [("step_service", "lockstep"), ("step_service", "realtime"), ("realtime", "realtime")]
)
def test_every_stepping(sim_process: Start, agent: StartAgent, stepping: str, mode: str) -> None:
    sim_process(robot="arm", mode=mode, real_time_factor=2.0)
    driver = agent(robot="arm", episodes=2, seed=1, stepping=stepping)
    assert driver.wait(30.0) == 0, driver.text()
    assert "2 episodes, 2 of them a success (100.0%)." in driver.text()


def test_chance_can_drive_another_task(sim_process: Start, agent: StartAgent) -> None:
    sim_process(robot="cartpole", mode="lockstep")
    driver = agent(task="Balance", policy="random", episodes=4, seed=2)
    assert driver.wait(30.0) == 0, driver.text()
    assert len(episodes(driver)) == 4
    assert "4 episodes, 0 of them a success (0.0%)." in driver.text()


@pytest.mark.parametrize("prefix", ["", "agent_node:"])
def test_names_are_remapped_as_on_any_node(
    sim_process: Start, agent: StartAgent, client: Callable[..., Any], prefix: str
) -> None:
    """Simulator and agent both speak on names of the robot's; the agent's own name changes, that of its adapter does
    not, and both stand in the namespace."""
    sim_process("-r", "__ns:=/cell", *REMAPPED, robot="arm", mode="lockstep")
    rules = [rule if rule == "-r" else prefix + rule for rule in ("-r", "__node:=driver", *REMAPPED)]
    driver = agent("-r", "__ns:=/cell", *rules, robot="arm", seed=1)
    driver.says("Episode 1: success")
    stranger = client()
    find = stranger.node.get_publishers_info_by_topic

    def known() -> list[Any]:
        return [info for info in find("/arm_controller/commands") if info.node_namespace == "/cell"]

    (info,) = stranger.until(known, "who commands")
    assert re.fullmatch(r"gym_adapter_\d+_\d+", info.node_name)
    expected = ["driver", info.node_name, "sim_node"]

    def complete() -> bool:
        nodes = stranger.node.get_node_names_and_namespaces()
        return sorted(name for name, namespace in nodes if namespace == "/cell") == expected

    stranger.until(complete, f"exactly {expected}")
    assert not find("/cell/joint_command")
    assert not stranger.node.get_subscriptions_info_by_topic("/cell/joint_states")


def test_without_the_remapping_nobody_is_found(sim_process: Start, agent: StartAgent) -> None:
    sim_process(*REMAPPED, robot="arm", mode="lockstep")
    driver = agent(robot="arm", connect_timeout_s=4.0)  # the simulator's services are to be found all the same
    assert driver.wait(40.0) == 1
    missing = "a subscriber of /joint_command; a message on /joint_states, which nobody publishes; expected"
    assert f"missing: {missing}" in driver.text()


def test_parameters_tell_what_they_are(sim_process: Start, agent: StartAgent, client: Callable[..., Any]) -> None:
    sim_process(robot="arm", mode="lockstep")
    agent(robot="arm").says("Episode 1: ")
    names = [parameter.name for parameter in AGENT_PARAMETERS]
    request = DescribeParameters.Request(names=names)
    answers = client(commands=()).call(DescribeParameters, "/agent_node/describe_parameters", request).descriptors
    for parameter, answer in zip(AGENT_PARAMETERS, answers, strict=True):
        assert answer.description.startswith(parameter.description)
        assert answer.read_only
        assert len(answer.integer_range) + len(answer.floating_point_range) == (parameter.low is not None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_an_episode(sim_process: Start, agent: StartAgent, number: int) -> None:
    sim_process(robot="arm", mode="lockstep")
    driver = agent(robot="arm")
    driver.says("Episode 3: ")
    assert_ends(driver, number)
    assert re.search(r"\d+ episodes, \d+ of them a success", driver.text())


def test_a_signal_ends_it_while_it_looks_for_a_robot(agent: StartAgent) -> None:
    driver = agent(connect_timeout_s=60.0)
    driver.says("Driving 'panda': task Reach, policy scripted, stepping lockstep; ROS domain ")
    assert_ends(driver, signal.SIGINT)


def test_a_signal_ends_it_while_it_waits_for_a_robot(sim_process: Start, agent: StartAgent) -> None:
    simulation = sim_process(robot="arm", mode="lockstep")
    driver = agent(robot="arm")
    driver.says("Episode 1: ")
    simulation.signal(signal.SIGSTOP)
    assert_ends(driver, signal.SIGTERM)


def assert_ends(driver: Process, number: int) -> None:
    """Within a second or two of a busy machine, well, and however often it is asked."""
    begun = time.monotonic()
    for _ in range(3):
        os.kill(driver.pid, number)
        time.sleep(0.01)
    assert driver.wait(10.0) == 0, driver.text()
    assert time.monotonic() - begun < 2.0
    assert "Traceback" not in driver.text()
    assert not re.search("(?m)^agent_node: ", driver.text())


def test_a_robot_that_is_lost(sim_process: Start, agent: StartAgent) -> None:
    simulation = sim_process(robot="arm", mode="lockstep")
    driver = agent(robot="arm", connect_timeout_s=1.0)
    driver.says("Episode 1: ")
    simulation.signal(signal.SIGKILL)
    assert driver.wait(20.0) == 1
    lost = r"waited 5\.\d\d s for .* in vain"  # in an episode; between two it connects anew
    assert re.search(rf"(?m)^agent_node: ({lost}|no robot 'arm' answered within 1\.0 s)", driver.text()), driver.text()
    assert "Traceback" not in driver.text()


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"policy": "clever"}, "parameter 'policy'; got 'clever'; expected one of scripted, random."),
        ({"episodes": -1}, "parameter 'episodes'; got -1; expected an integer from 0 to 2147483647."),
        ({"seed": "x"}, "parameter 'seed'; got 'x'; expected an integer from -1 to 2147483647."),
        (
            {"task": "Balance"},
            "the scripted policy solves Reach; got the task Balance; Set policy to random.",
        ),
        ({"robot": "pandda"}, "Did you mean 'panda'?"),
    ],
)
def test_a_mistake_is_named(agent: StartAgent, parameters: dict[str, Any], text: str) -> None:
    driver = agent(**parameters)
    assert driver.wait(20.0) == 2
    assert text in driver.text()
    assert "Traceback" not in driver.text()


def test_a_simulator_of_another_robot_is_a_mistake(sim_process: Start, agent: StartAgent) -> None:
    sim_process(robot="panda", mode="realtime")
    driver = agent(robot="panda")
    assert driver.wait(20.0) == 2
    assert "the simulator and this environment differ in 'mode'" in driver.text()


def test_ros_arguments_that_cannot_be_read(agent: StartAgent) -> None:
    driver = agent("-p", "seed")
    assert driver.wait(20.0) == 2
    assert (
        "agent_node: ROS arguments that cannot be used; got Couldn't parse parameter override rule: '-p seed'."
        in driver.text()
    )
    assert "Traceback" not in driver.text()
