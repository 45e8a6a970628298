"""Lost, doubled and delayed messages change nothing: what cannot be heard is said again, and nothing is done twice."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapter_tools import Process, episodes, first_difference, from_zero, make
from ros_gym_bridge import load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.robot import Command, read_only
from ros_gym_bridge.ros.topic_robot import TopicRobot
from ros_gym_bridge.sim.sim_robot import SimRobot
from test_parity import ROBOT, assert_equal

Start = Callable[..., Any]
RELAY = Path(__file__).with_name("lossy_relay.py")


@pytest.fixture
def relay(domain_id: int) -> Iterator[Start]:
    """Starts a program that stands between agent and node, and loses, doubles and delays what passes."""
    processes: list[Process] = []

    def start(*topics: str, drop: float, double: float, delay_s: float) -> Process:
        given = [f"--{name}={value}" for name, value in (("drop", drop), ("double", double), ("delay-s", delay_s))]
        processes.append(Process([sys.executable, "-u", str(RELAY), *given, *topics], ROS_DOMAIN_ID=domain_id))
        processes[-1].says("relaying")
        return processes[-1]

    yield start
    for process in processes:
        process.end()


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": 0.2, "double": 0.0, "delay_s": 0.0},
        {"drop": 0.0, "double": 0.5, "delay_s": 0.0},
        {"drop": 0.1, "double": 0.2, "delay_s": 0.12},  # longer than the 50 ms after which a command is sent again
    ],
    ids=["dropped", "doubled", "all-and-delayed"],
)
def test_lossy_wire_changes_nothing(domain_id: int, sim_process: Start, relay: Start, fault: dict[str, float]) -> None:
    remap = ["-r", "joint_command:=raw/joint_command", "-r", "joint_states:=raw/joint_states"]
    node = sim_process(*remap, robot="cartpole", mode="lockstep")
    wire = relay("joint_command>raw/joint_command", "raw/joint_states>joint_states", **fault)
    resets = [(1, False), (None, False), (2, True)]
    direct = make("Balance", time_limit_s=1.0)
    expected = episodes(direct, resets)
    direct.close()
    guest = make("Balance", backend="topics", attach=True, domain_id=domain_id, time_limit_s=1.0)
    try:
        assert first_difference(from_zero(expected), from_zero(episodes(guest, resets))) == ""
        resent = guest.unwrapped.robot.timing()["resent"]
    finally:
        guest.close()
    wire.tell("report")
    passed, dropped, doubled = map(int, wire.says("so far: ").split())
    assert passed > 40
    assert (dropped > 0, resent > 0) == ((True, True) if fault["drop"] else (False, resent > 0))
    assert (doubled > 0) == (fault["double"] > 0)
    assert not node.log("Traceback")


def test_lossy_wires_of_two_command_topics_and_a_sensor(
    sim_process: Start, relay: Start, domain_id: int, tmp_path: Path
) -> None:
    path = tmp_path / "panda_in_parts.yaml"
    path.write_text(ROBOT)
    inward, outward = ["arm/command", "hand/command"], ["arm/joint_states", "tip_pose", "elbow_pose"]
    remap = [part for topic in inward + outward for part in ("-r", f"{topic}:=raw/{topic}")]
    sim_process(*remap, robot=path, mode="lockstep")
    wires = [f"{topic}>raw/{topic}" for topic in inward] + [f"raw/{topic}>{topic}" for topic in outward]
    relay(*wires, drop=0.1, double=0.1, delay_s=0.01)
    robot = load_robot(path)
    pair = SimRobot(robot), TopicRobot(robot, Connection(attach=True, domain_id=domain_id))
    try:
        rng = np.random.default_rng(0)
        for seed in (1, None):
            states = [each.reset(seed) for each in pair]
            offset = states[1].stamp_ns - states[0].stamp_ns
            for _ in range(25):
                vector = read_only(robot.spec.command_home + 0.1 * rng.uniform(-1.0, 1.0, len(robot.spec.commands)))
                states = [each.step(Command(vector, s.stamp_ns)) for each, s in zip(pair, states, strict=True)]
                assert_equal(states[0], _earlier(states[1], offset))
        assert pair[1].timing()["resent"] > 0
    finally:
        for each in pair:
            each.close()


def _earlier(state: Any, offset: int) -> Any:
    channels = {n: sample._replace(stamp_ns=sample.stamp_ns - offset) for n, sample in state.channels.items()}
    return state._replace(stamp_ns=state.stamp_ns - offset, channels=channels)
