"""Faults in real time, on a robot that is not ours, through a bad wire: nobody can do a period again, so what is lost
is counted in `info`, and what cannot be gone on with is an error in time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState

from adapter_tools import make, running, script
from conftest import private_domain
from driver_tools import DriverProcess, driver_processes
from fault_tools import Relay, in_time, relays
from ros_gym_bridge.errors import ResetTimeoutError, RobotLostError
from safety_tools import safety_node

Start = Callable[..., DriverProcess]
ON = "the episode goes on; stamps only rise"
EITHER = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
RAW = ("-r", "joint_states:=raw/joint_states", "-r", "joint_command:=raw/joint_command")
WIRES = ("joint_command>raw/joint_command", "raw/joint_states>joint_states")
QUICK = "extends: arm\nreset: {velocity_fraction: 0.5, settle_s: 0.05, timeout_s: 3.0}\n"


class Bench:
    """An arm behind a bad wire, and an environment on it."""

    def __init__(self, driver: DriverProcess, relay: Relay, domain: int, robot: Path) -> None:
        self.driver, self.relay, self.domain = driver, relay, domain
        self.env = connect(robot, domain)

    def begin(self) -> None:
        """A new episode on a good wire."""
        self.relay.set()
        self.env.reset(seed=0)
        steps(self.env, 2)

    @property
    def timing(self) -> dict[str, float]:
        return dict(self.env.unwrapped.robot.timing())


def connect(robot: Path, domain: int, **keywords: Any) -> Any:
    where = {"backend": "topics", "attach": True, "stepping": "realtime", "domain_id": domain}
    times = {"connect_timeout_s": 30.0, "step_timeout_s": 1.5}  # a robot's clock is learned anew within a second
    return make("Reach", robot=str(robot), **{**where, **times, **keywords})


def stay(env: Any) -> Any:
    """The action that keeps the robot at home."""
    spec = env.unwrapped.robot_file.spec
    low, high = spec.command_low, spec.command_high
    return ((2.0 * spec.command_home - low - high) / (high - low)).astype(np.float32)


def steps(env: Any, count: int) -> list[int]:
    """So many steps; the stamps of their states."""
    return [int(env.step(stay(env))[-1]["timing"]["stamp_ns"]) for _ in range(count)]


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("robot") / "quick.yaml"
    path.write_text(QUICK)
    return path


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, robot: Path) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("wire")
    with private_domain() as domain, driver_processes(domain, folder) as driver, relays(domain) as relay:
        bench = Bench(driver(robot, arguments=RAW, shuffle=False, limits=False), relay(*WIRES), domain, robot)
        yield bench
        bench.env.close()


@pytest.fixture
def bench(shared: Bench) -> Iterator[Bench]:
    yield shared
    shared.relay.set()
    shared.driver.set(rate_hz=250.0, stuck="")


@pytest.mark.parametrize(
    ("key", "on", "faults", "rate_hz", "counter"),
    [
        ("loss", "", {"drop": 0.7}, 50.0, "overruns"),
        ("delay", "joint_states", {"delay_s": 0.2}, 250.0, "overruns"),
        ("jitter", "", {"jitter_s": 0.04}, 250.0, ""),
        ("order", "", {"swap": 0.5}, 250.0, ""),
        ("double", "", {"double": 0.5}, 250.0, ""),
        ("nan", "joint_states", {"nan": 0.5}, 250.0, "joint_states.refused"),
    ],
)
def test_what_is_counted(
    fault: Any, bench: Bench, key: str, on: str, faults: dict[str, float], rate_hz: float, counter: str
) -> None:
    with fault(f"robot.{key}") as row:
        bench.driver.set(rate_hz=rate_hz)
        bench.begin()
        before = bench.relay.counts()
        counted = bench.timing.get(counter, 0)
        bench.relay.set(on, **faults)
        with in_time(row):
            stamps = steps(bench.env, 25)
        assert np.all(np.diff(stamps) > 0), "no state twice, and none that is older"
        after = bench.relay.counts()
        assert all(after[name] > before[name] for name in faults), "the fault was there"
        if counter:
            assert bench.timing[counter] > counted
        row.seen = f'`info["timing"]["{counter}"]` counts' if counter else "nothing"
        row.after, row.steps = ON, "none twice; `missed_periods` counts those without one"


@pytest.mark.parametrize(
    ("key", "on", "faults"),
    [
        ("cut", "", {"drop": 1.0}),
        ("nan_always", "joint_states", {"nan": 1.0}),
        ("frozen", "joint_states", {"freeze": 1.0}),
    ],
)
def test_what_is_an_error(fault: Any, bench: Bench, key: str, on: str, faults: dict[str, float]) -> None:
    with fault(f"robot.{key}") as row:
        bench.begin()
        bench.relay.set(on, **faults)
        with in_time(row), pytest.raises(RobotLostError) as caught:
            steps(bench.env, 3)
        row.raised(caught.value)
        bench.begin()
        row.after, row.steps = "`reset()` connects again and moves home", "the episode ends with the error"


def test_a_stamp_that_goes_back(fault: Any, bench: Bench) -> None:
    with fault("robot.back") as row:
        bench.begin()
        bench.relay.set("joint_states", back_s=5.0)
        with in_time(row):
            stamps = steps(bench.env, 10)
        assert bench.timing["clock_jumps"] == 1
        assert np.sum(np.diff(stamps) <= 0) <= 1
        row.seen = '`info["timing"]["clock_jumps"]` counts'
        row.after, row.steps = "the episode goes on, on the new clock", "none twice"


def test_messages_far_out_of_order(fault: Any, bench: Bench) -> None:
    """They look like a clock that jumps, and are told as such."""
    with fault("robot.far") as row:
        bench.begin()
        bench.relay.set("joint_states", jitter_s=0.3)
        with in_time(row):
            steps(bench.env, 25)
        assert bench.timing["clock_jumps"] > 0
        row.seen = '`info["timing"]["clock_jumps"]` counts'
        row.after = "the episode goes on; a state may be older than the one before"
        row.steps = "none is asked for twice"


def test_a_joint_that_is_stuck(fault: Any, bench: Bench) -> None:
    with fault("robot.stuck") as row:
        bench.begin()
        action = stay(bench.env)
        action[2] -= 0.03
        for _ in range(10):
            bench.env.step(action)
        bench.driver.set(stuck=bench.env.unwrapped.robot_file.spec.joints[2])
        steps(bench.env, 5)
        with in_time(row), pytest.raises(ResetTimeoutError) as caught:
            bench.env.reset(seed=0)
        row.raised(caught.value)
        row.seen = f"nothing in `step`; in `reset` {row.seen}"
        bench.driver.set(stuck="")
        bench.begin()
        row.after, row.steps = "`reset()` moves home once it can", "none twice"


@pytest.mark.parametrize(
    ("key", "topic", "counter"),
    [("commander", "joint_command", "other_commanders"), ("teller", "joint_states", "other_robots")],
)
def test_somebody_else(fault: Any, bench: Bench, client: Any, key: str, topic: str, counter: str) -> None:
    with fault(f"robot.{key}") as row:
        bench.begin()
        assert bench.timing[counter] == 0
        node = bench.driver.client.node
        publisher = node.create_publisher(JointState, topic, 10)
        try:
            with in_time(row):
                while not bench.timing[counter]:
                    steps(bench.env, 1)
        finally:
            node.destroy_publisher(publisher)
        assert bench.timing[counter] == 1
        row.seen = f'`info["timing"]["{counter}"]` counts'
        row.after, row.steps = "the episode goes on", "none twice"


def test_a_robot_that_is_killed_and_back(
    fault: Any, domain_id: int, driver: Start, robot: Path, shared_memory: Any
) -> None:
    with fault("robot.killed") as row:
        process = driver(robot, limits=False)
        env = connect(robot, domain_id)
        try:
            env.reset(seed=0)
            steps(env, 3)
            shared_memory.look()
            process.kill()
            with in_time(row), pytest.raises(RobotLostError) as caught:
                steps(env, 3)
            row.raised(caught.value)
            driver(robot, limits=False)
            env.reset(seed=0)
            steps(env, 3)
        finally:
            env.close()
        row.after, row.steps = "`reset()` connects again and moves home", "the episode ends with the error"


def test_a_safety_node_that_is_killed_and_back(
    fault: Any, domain_id: int, driver: Start, robot: Path, shared_memory: Any
) -> None:
    """What the robot does then is in `test_kills.py`; the environment still hears its states."""
    with fault("robot.guard") as row:
        driver(robot, limits=False)
        env = connect(robot, domain_id, command_prefix="agent")
        try:
            with safety_node(domain_id, robot) as guard:
                env.reset(seed=0)
                steps(env, 3)
                shared_memory.look()
                guard.kill()
                with in_time(row), pytest.raises(RobotLostError) as caught:
                    steps(env, 200)
            assert "; got no subscriber of /agent/joint_command; " in str(caught.value)
            row.raised(caught.value)
            with safety_node(domain_id, robot):
                env.reset(seed=0)
                steps(env, 3)
        finally:
            env.close()
        row.after, row.steps = "`reset()` connects again and moves home", "the episode ends with the error"


def test_a_robot_that_comes_late(fault: Any, domain_id: int, driver: Start, robot: Path) -> None:
    """Its process stands still until 5 s of `reset()` are over."""
    with fault("robot.late") as row:
        begun = time.monotonic()
        started: list[DriverProcess] = []

        def stop() -> bool:
            if not started and time.monotonic() - begun > 5.0:
                started.append(driver(robot, limits=False))
            return False

        env = connect(robot, domain_id, stop=stop)
        try:
            with in_time(row):
                env.reset(seed=0)
            steps(env, 3)
        finally:
            env.close()
        assert started
        row.seen = "nothing, where `connect_timeout_s` is long enough"
        row.after, row.steps = "`reset()` waits, and moves home", "none was under way"


AGENT = """
    import sys, gymnasium, numpy, ros_gym_bridge
    env = gymnasium.make("ros_gym_bridge/Reach-v0", robot=sys.argv[1], backend="topics", attach=True,
                         stepping="realtime", connect_timeout_s=30.0)
    env.reset(seed=0)
    spec = env.unwrapped.robot_file.spec
    low, high = spec.command_low, spec.command_high
    action = ((2.0 * spec.command_home - low - high) / (high - low)).astype(numpy.float32) + 0.02
    while True:
        env.step(action)
        print("moving", flush=True)
"""


def rests(states: list[JointState]) -> bool:
    """Whether no joint has moved in the last 50 states, of 250 a second."""
    if len(states) < 50:
        return False
    places = [dict(zip(state.name, state.position, strict=True)) for state in (states[-50], states[-1])]
    return all(abs(places[0][name] - place) < 1e-4 for name, place in places[1].items())


def test_an_agent_that_is_killed(fault: Any, domain_id: int, driver: Start, robot: Path, shared_memory: Any) -> None:
    with fault("robot.agent") as row:
        watcher = driver(robot, limits=False).client
        states = watcher.hear(JointState, "joint_states", EITHER)
        with running(script(AGENT, str(robot), ROS_DOMAIN_ID=domain_id)) as agent:
            agent.says("moving")
            shared_memory.look()
            os.kill(agent.pid, signal.SIGKILL)
            states.clear()
            watcher.until(lambda: rests(states), "that the robot rests")
            env = connect(robot, domain_id)
            try:
                with in_time(row):
                    env.reset(seed=0)
                    stamps = steps(env, 5)
                assert np.all(np.diff(stamps) > 0)
            finally:
                env.close()
        row.seen = "nothing"
        row.after = "the robot, commanded by position, stays at the last command; the successor moves it home"
        row.steps = "none twice"
