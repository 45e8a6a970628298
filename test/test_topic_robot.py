"""The adapter in all three ways of stepping: own nodes and running ones, order, time, and what it says."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapter_tools import alive, episodes, first_difference, from_zero, make
from conftest import wait_for
from plain_client import PlainClient
from ros_gym_bridge import RobotState, load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import OptionError, RobotClosedError, RobotLostError
from ros_gym_bridge.robot import Command, read_only
from ros_gym_bridge.ros import own_node
from ros_gym_bridge.ros.domains import domains_in_use
from ros_gym_bridge.ros.session import Session
from ros_gym_bridge.ros.topic_robot import TopicRobot

Start = Callable[..., Any]
CARTPOLE = load_robot("cartpole")  # commanded by effort, which its states repeat: they tell which command moved them


@pytest.fixture
def robot() -> Iterator[Callable[..., TopicRobot]]:
    """Makes robots on topics; closes them."""
    made: list[TopicRobot] = []

    def make_(name: Any = CARTPOLE, **keywords: Any) -> TopicRobot:
        made.append(TopicRobot(name, Connection(**keywords)))
        return made[-1]

    yield make_
    for each in made:
        each.close()


def push(robot: TopicRobot, state: RobotState, newtons: float) -> RobotState:
    return robot.step(Command(read_only([newtons]), state.stamp_ns))


# --- before anything is connected


def test_nothing_runs_before_the_first_reset() -> None:
    begun = time.monotonic()
    env, direct = make("Reach", backend="topics", robot="arm"), make("Reach", robot="arm")
    assert time.monotonic() - begun < 2.0
    assert env.unwrapped.robot.node_pid is None
    assert env.observation_space == direct.observation_space
    assert env.action_space == direct.action_space
    for each in (env, direct):
        each.close()
    with pytest.raises(RobotClosedError, match="the robot is closed; Make a new one"):
        env.reset()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (
            {"stepping": "fast"},
            "stepping; got 'fast'; expected one of 'lockstep', 'step_service', 'realtime'.",
        ),
        ({"connect_timeout_s": 0}, "connect_timeout_s; got 0; expected seconds above 0."),
        ({"step_timeout_s": "long"}, "step_timeout_s; got 'long'; expected seconds above 0."),
        ({"step_timeout_s": float("nan")}, "step_timeout_s; got nan; expected seconds above 0."),
        ({"domain_id": 233}, "domain_id; got 233; expected an integer from 0 to 232."),
        ({"domain_id": -1}, "domain_id; got -1; expected an integer from 0 to 232."),
        ({"domain_id": True}, "domain_id; got True; expected an integer from 0 to 232."),
        ({"attach": "yes"}, "attach; got 'yes'; expected True or False."),
        ({"namespace": "a b"}, "namespace; got 'a b'; expected names of letters, digits and _ with / between them."),
        ({"simulator": 1}, "simulator; got 1; expected names of letters, digits and _ with / between them."),
        ({"namespace": "//a"}, "namespace; got '//a'; expected names of letters, digits and _ with / between them."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refused_options(robot: Any, keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        robot(**keywords)
    assert str(caught.value) == message


# --- whose node


def test_own_node_comes_and_goes_with_the_robot(robot: Any) -> None:
    mine = robot()
    mine.reset(seed=1)
    pid = mine.node_pid
    assert alive(pid)
    mine.reset(seed=2)
    assert mine.node_pid == pid
    mine.close()
    assert not alive(pid)
    assert mine.node_pid is None


def test_own_node_in_a_domain_and_namespace_of_choice(robot: Any, client: Start, domain_id: int) -> None:
    robot(domain_id=domain_id, namespace="mine").reset(seed=1)
    assert client(namespace="/mine", commands=()).state() == 1


def test_own_nodes_are_private(robot: Any) -> None:
    first, second = robot(), robot()
    for each in (first, second):
        each.reset(seed=1)
    commands = [Path(f"/proc/{each.node_pid}/cmdline").read_text() for each in (first, second)]
    names = [next(part for part in command.split("\0") if part.startswith("__ns:=")) for command in commands]
    domains = [_environment(each.node_pid)["ROS_DOMAIN_ID"] for each in (first, second)]
    assert len(set(names)) == len(set(domains)) == 2


def _environment(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


def test_two_running_nodes_in_one_domain(sim_process: Start, domain_id: int) -> None:
    """Each environment moves its own node and no other."""
    keywords = {"backend": "topics", "attach": True, "domain_id": domain_id, "time_limit_s": 0.5}
    for name in ("/a", "/b"):
        sim_process("-r", f"__ns:={name}", robot="cartpole", mode="lockstep", publish_clock=name == "/a")
    direct = make("Balance", time_limit_s=0.5)
    pair = [make("Balance", namespace=name, **keywords) for name in ("/a", "/b")]
    try:
        for env, seed in zip(pair, (1, 2), strict=True):
            env.reset(seed=seed)
        stamp = pair[1].unwrapped.robot._state.stamp_ns
        first = episodes(pair[0], [(5, False), (None, False)])
        assert pair[1].unwrapped.robot._link.inbox.newest_ns == stamp
        expected = episodes(direct, [(5, False), (None, False)])
        assert first_difference(from_zero(expected), from_zero(first)) == ""
    finally:
        for env in (*pair, direct):
            env.close()


def test_attaches_in_the_domain_of_the_environment(
    sim_process: Start, domain_id: int, robot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sim_process("-r", "__ns:=/deep/down", robot="cartpole", mode="lockstep")
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain_id))
    guest = robot(attach=True, namespace="deep/down")
    state = guest.reset(seed=1)
    assert push(guest, state, 1.0).stamp_ns == CARTPOLE.spec.next_stamp(state.stamp_ns)
    assert guest.node_pid is None


def test_a_running_node_outlives_its_guests(sim_process: Start, domain_id: int, robot: Any) -> None:
    node = sim_process(robot="cartpole", mode="lockstep")
    for _ in range(3):
        guest = robot(attach=True, domain_id=domain_id)
        push(guest, guest.reset(seed=1), 1.0)
        guest.close()
    assert alive(node.pid)


def test_a_simulator_that_is_not_ours(sim_process: Start, domain_id: int, robot: Any) -> None:
    """One that offers simulation_interfaces and nothing more: no seed reaches it, and all else works."""
    sim_process("-r", "__node:=other_simulator", robot="cartpole", mode="lockstep", start_paused=True)
    guest = robot(attach=True, domain_id=domain_id, stepping="step_service")
    starts = []
    for _ in range(2):
        state = guest.reset(seed=1)
        starts.append(state.position.tolist())
        for newtons in (1.0, -2.0, 3.0):
            state = push(guest, state, newtons)
            assert state.effort[0] == newtons
    assert starts[0] != starts[1]


# --- order and time


@pytest.mark.parametrize(("stepping", "steps"), [("lockstep", 5000), ("step_service", 5000)])
def test_every_state_answers_its_own_command(robot: Any, stepping: str, steps: int) -> None:
    """One late, lost or doubled command would leave the effort of another one in the state."""
    mine = robot(stepping=stepping)
    spec = CARTPOLE.spec
    efforts = np.random.default_rng(0).uniform(spec.command_low[0], spec.command_high[0], steps).tolist()
    state = mine.reset(seed=1)
    for i, newtons in enumerate(efforts):
        if i % 200 == 0:
            state = mine.reset(seed=i)  # before the pole's speed leaves what a float can hold
        before_ns, state = state.stamp_ns, push(mine, state, newtons)
        assert state.stamp_ns == spec.next_stamp(before_ns), i
        assert state.effort[0] == newtons, i
        assert state.command.tolist() == [newtons], i
    assert set(mine.timing()) == {"round_trip_s", "resent", "missed_periods"}
    assert 0.0 < mine.timing()["round_trip_s"] < 5.0


def test_realtime_keeps_pace_and_applies_each_action(robot: Any) -> None:
    mine = robot(stepping="realtime")
    state = first = mine.reset(seed=1)
    begun = time.monotonic()
    answered, steps = 0, 100
    for i in range(steps):
        newtons = 0.5 * (-1) ** i + 0.001 * i
        before_ns, state = state.stamp_ns, push(mine, state, newtons)
        assert state.stamp_ns > before_ns
        answered += state.effort[0] == newtons
    simulated = (state.stamp_ns - first.stamp_ns) / 1e9
    assert simulated == pytest.approx(time.monotonic() - begun, abs=0.1)
    periods = CARTPOLE.spec.steps(state.stamp_ns - first.stamp_ns) // CARTPOLE.spec.steps_per_period
    assert periods == steps + mine.timing()["missed_periods"]
    assert answered >= 0.9 * steps  # the rest: a command that came just too late for its period


def test_realtime_observations_are_not_older_than_the_action(robot: Any) -> None:
    """An agent that thinks for several periods: the states that have queued up meanwhile are no answers."""
    mine = robot(stepping="realtime")
    state = mine.reset(seed=1)
    rng = np.random.default_rng(0)
    answered = 0
    for i in range(30):
        think = 0.05 + 0.02 * float(rng.uniform())  # two to four periods of 20 ms, at any phase
        time.sleep(think)
        before_ns, newtons = state.stamp_ns, 0.1 + 0.01 * i
        state = push(mine, state, newtons)
        assert state.stamp_ns - before_ns >= (think - 0.02) * 1e9
        answered += state.effort[0] == newtons
    assert answered >= 26
    assert mine.timing()["missed_periods"] >= 30


def test_realtime_reset_gives_states_of_the_new_episode(robot: Any) -> None:
    mine = robot(stepping="realtime")
    for seed in range(5):
        state = mine.reset(seed=seed)
        assert np.abs(state.position).max() < 0.1
        for _ in range(25):
            state = push(mine, state, 10.0)
        assert abs(state.position[1]) > 0.3


def test_realtime_environment(sim_process: Start, domain_id: int) -> None:
    """At ten times the pace of the wall clock, on a running node."""
    sim_process(robot="panda", mode="realtime", real_time_factor=10.0)
    env = make("Reach", backend="topics", attach=True, domain_id=domain_id, stepping="realtime", time_limit_s=1.0)
    try:
        for _ in range(2):
            observation, info = env.reset(seed=1)
            assert env.observation_space.contains(observation)
            steps, done = 0, False
            while not done:
                observation, _, terminated, truncated, info = env.step(env.action_space.sample())
                steps, done = steps + 1, terminated or truncated
            assert (steps, truncated) == (25, True)
            assert info["timing"]["missed_periods"] >= 0
    finally:
        env.close()


@pytest.mark.slow
def test_idle_costs_next_to_nothing(robot: Any) -> None:
    """Node and adapter together, while the agent thinks for five seconds."""
    mine = robot()
    state = push(mine, mine.reset(seed=1), 1.0)
    before = [time.process_time(), _cpu_s(mine.node_pid)]
    time.sleep(5.0)
    used = [time.process_time() - before[0], _cpu_s(mine.node_pid) - before[1]]
    assert max(used) < 0.05 * 5.0, used
    push(mine, state, 1.0)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def test_the_states_of_a_long_pause_are_no_answers(robot: Any) -> None:
    """While nobody steps, the node repeats its state ten times a second; more than a queue holds."""
    mine = robot()
    state = push(mine, mine.reset(seed=1), 1.0)
    heard = mine._link.inbox.received
    deadline = time.monotonic() + 1.5
    wait_for(lambda: time.monotonic() > deadline, 3.0, "a second and a half of silence")
    state = push(mine, state, 2.0)
    assert mine._link.inbox.received > heard + 5
    assert state.effort[0] == 2.0


def test_a_private_domain_is_not_the_one_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_node, "_DOMAINS", range(66, 67))
    monkeypatch.setenv("ROS_DOMAIN_ID", "66")
    with pytest.raises(RobotLostError, match="no ROS domain is free"):
        own_node.PrivateDomain()


def test_a_private_domain_is_not_one_in_which_somebody_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that claims no domain, as nobody's do, is found by its ports."""
    busy, free = [own_node.PrivateDomain() for _ in range(2)]
    for each in (busy, free):
        each.release()
    monkeypatch.setattr(own_node, "_DOMAINS", (busy.domain_id, free.domain_id))
    with PlainClient(busy.domain_id):
        assert busy.domain_id in domains_in_use()
        for _ in range(5):
            domain = own_node.PrivateDomain()
            domain.release()
            assert domain.domain_id == free.domain_id


@pytest.mark.parametrize("text", ["233", "-1", "x", "1.5"])
def test_a_domain_in_the_environment_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Fast DDS would end this process."""
    monkeypatch.setenv("ROS_DOMAIN_ID", text)
    with pytest.raises(OptionError) as caught:
        Session("nobody")
    assert str(caught.value) == (
        f"environment variable ROS_DOMAIN_ID; got '{text}'; expected an integer from 0 to 232; Correct it, or unset it."
    )
