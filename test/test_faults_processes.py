"""Processes that are killed, hang, come late or come twice, and who else meddles: what is said, within which time, and
that nothing is left. (What a bad wire does is in `test_faults_wire.py`.)"""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapter_tools import Process, alive, episodes, first_difference, from_zero, make, running, script
from conftest import wait_for
from fault_tools import in_time
from ros_gym_bridge.errors import RobotLostError, RobotNotFoundError

Start = Callable[..., Any]
ENDS = "the episode ends with the error"
AGAIN = "`reset()` starts a new node; the episode is equal bit for bit"
RECONNECTS = "`reset()` connects again; the episode is equal bit for bit"


@pytest.fixture
def env(domain_id: int) -> Iterator[Callable[..., Any]]:
    """Makes environments over topics, by default attached in the test's domain; closes them."""
    made = []

    def make_(task: str = "Balance", **keywords: Any) -> Any:
        keywords = {"attach": True, **keywords}
        if keywords["attach"]:
            keywords = {"domain_id": domain_id, **keywords}
        made.append(make(task, backend="topics", **keywords))
        return made[-1]

    yield make_
    for each in made:
        each.close()


def act(env: Any, steps: int = 1) -> None:
    """So many steps under a small action; the pole stands for that long."""
    for _ in range(steps):
        env.step(np.zeros(env.action_space.shape, dtype=np.float32))


def equal(env: Any) -> None:
    """Two episodes as they are where nothing is wrong."""
    resets = [(1, False), (None, False)]
    direct = make("Balance", time_limit_s=0.4)
    expected = episodes(direct, resets)
    direct.close()
    assert first_difference(from_zero(expected), from_zero(episodes(env, resets))) == ""


# --- nodes of our own


def test_own_node_killed_in_mid_episode(fault: Any, env: Any, shared_memory: Any) -> None:
    with fault("processes.own") as row:
        mine = env(attach=False, time_limit_s=0.4)
        mine.reset(seed=1)
        act(mine, 3)
        shared_memory.look()
        robot = mine.unwrapped.robot
        pid = robot.node_pid
        os.kill(pid, signal.SIGKILL)
        with in_time(row), pytest.raises(RobotLostError) as caught:
            act(mine, 5)
        assert re.fullmatch(
            rf"waited \d\.\d\d s for joint_states at stamp \d+ ns in vain; got the simulation node \(process {pid}\) "
            r"has ended with code -9; its last lines: .*Simulating 'cartpole' in lockstep mode.*; reset\(\) starts a "
            r"new one\.",
            str(caught.value),
            re.DOTALL,
        )
        row.raised(caught.value)
        row.steps = ENDS
        assert robot.node_pid is None
        equal(mine)
        assert robot.node_pid not in (None, pid)
        row.after = AGAIN
        mine.close()
        mine.close()


def test_reset_after_a_silent_death(fault: Any, env: Any, shared_memory: Any) -> None:
    """The node dies between two episodes: nobody but reset() can notice."""
    with fault("processes.own_between") as row:
        mine = env(attach=False, time_limit_s=0.4)
        mine.reset(seed=1)
        first = mine.unwrapped.robot.node_pid
        shared_memory.look()
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: not alive(first), 5.0, "the node's death")
        with in_time(row):
            mine.reset(seed=1)
        assert mine.unwrapped.robot.node_pid != first
        equal(mine)
        row.seen, row.after, row.steps = "nothing", AGAIN, "none was under way"


def test_a_node_that_cannot_start_says_why(fault: Any, env: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with fault("processes.own_start") as row:
        mine = env(attach=False, time_limit_s=0.4)
        ending = r"the simulation node \(process \d+\) has ended with code 1; its last lines: .*[^;]"
        with monkeypatch.context() as broken:
            broken.setenv("PYTHONPATH", "/nonexistent")
            broken.setenv("PYTHONHOME", "/nonexistent")
            with (
                in_time(row),
                pytest.raises(
                    RobotLostError, match=rf"s for the simulation node to start in vain; got {ending}; reset"
                ) as caught,
            ):
                mine.reset(seed=1)
        row.raised(caught.value)
        equal(mine)
        row.after, row.steps = AGAIN, "none was under way"


# --- nodes that others have started


def test_attached_node_killed_and_back(fault: Any, env: Any, sim_process: Start, shared_memory: Any) -> None:
    with fault("processes.attached") as row:
        node = sim_process(robot="cartpole", mode="lockstep")
        guest = env(step_timeout_s=1.0, connect_timeout_s=30.0, time_limit_s=0.4)
        guest.reset(seed=5)
        act(guest, 2)
        shared_memory.look()
        os.kill(node.pid, signal.SIGKILL)
        there = r"/joint_command: \d subscribers, 1 publishers; newest state at \d+ ns"
        vain = rf"waited \d\.\d\d s for joint_states at stamp \d+ ns in vain; got {there}; "
        with in_time(row), pytest.raises(RobotLostError, match=vain) as caught:
            act(guest)
        row.raised(caught.value)
        row.steps = ENDS
        sim_process(robot="cartpole", mode="lockstep", ready=False)  # Python and PyBullet still have to start
        equal(guest)
        row.after = RECONNECTS


def test_a_node_that_hangs_in_a_service(fault: Any, env: Any, sim_process: Start, client: Start) -> None:
    with fault("lockstep.service") as row:
        node = sim_process(robot="cartpole", mode="lockstep")
        guest = env(stepping="step_service", step_timeout_s=1.0, time_limit_s=0.4)
        guest.reset(seed=1)
        act(guest, 2)
        before_ns = guest.unwrapped.robot._state.stamp_ns
        os.kill(node.pid, signal.SIGSTOP)
        try:
            with in_time(row), pytest.raises(RobotLostError) as caught:
                act(guest)
        finally:
            os.kill(node.pid, signal.SIGCONT)
        row.raised(caught.value)
        stranger = client(commands=())
        stranger.until(lambda: stranger.states, "where time stands")
        stranger.listen(1.0)
        moved = (stranger.stamp - before_ns) // 20_000_000
        row.counted(min(moved, 1), moved)  # what it had heard before it stood still, it does afterwards, once
        equal(guest)
        row.after = RECONNECTS


def test_attached_node_that_stays_away(fault: Any, env: Any, sim_process: Start) -> None:
    with fault("processes.attached_away") as row:
        node = sim_process(robot="cartpole", mode="lockstep")
        guest = env(step_timeout_s=0.3, connect_timeout_s=0.5)
        guest.reset(seed=5)
        os.kill(node.pid, signal.SIGKILL)
        with pytest.raises(RobotLostError):
            act(guest)
        with in_time(row):
            gone: list[RobotNotFoundError] = wait_for(lambda: _nobody(guest), 10.0, "the dead node's lease to end")
        row.seen = "`RobotLostError` while the dead is in the graph, for 2 s at most; then `RobotNotFoundError`"
        assert "missing: a subscriber of /joint_command" in str(gone[0])
        row.after, row.steps = "`reset()` looks for it again", ENDS
        guest.close()


def _nobody(env: Any) -> list[RobotNotFoundError]:
    try:
        env.reset(seed=5)
    except RobotNotFoundError as error:
        return [error]
    except RobotLostError:  # the dead are in the graph until their lease ends
        return []
    raise AssertionError("a dead node answered")


def test_a_node_that_comes_late(fault: Any, env: Any, sim_process: Start) -> None:
    """Its process is there and stands still, until 5 s of `reset()` are over."""
    with fault("processes.late") as row:
        node = sim_process(robot="cartpole", mode="lockstep", ready=False)
        os.kill(node.pid, signal.SIGSTOP)
        wake = _after(5.0, lambda: os.kill(node.pid, signal.SIGCONT))
        guest = env(connect_timeout_s=40.0, time_limit_s=0.4, stop=wake)
        begun = time.monotonic()
        with in_time(row):
            guest.reset(seed=1)
        assert time.monotonic() - begun > 5.0
        equal(guest)
        row.seen = "nothing, where `connect_timeout_s` is long enough"
        row.after, row.steps = "`reset()` waits; the episode is equal bit for bit", "none was under way"


def _after(seconds: float, action: Callable[[], None]) -> Callable[[], bool]:
    """Does something once, so many seconds after it was asked first; the environment asks every 50 ms."""
    state: dict[str, float] = {}

    def stop() -> bool:
        now = time.monotonic()
        if now >= state.setdefault("due", now + seconds):
            state["due"] = float("inf")
            action()
        return False

    return stop


def test_nobody_is_there_in_time(fault: Any, env: Any) -> None:
    with fault("processes.too_late") as row:
        lonely = env(connect_timeout_s=1.0)
        with in_time(row), pytest.raises(RobotNotFoundError) as caught:
            lonely.reset(seed=1)
        assert "got missing: a subscriber of /joint_command; a message on /joint_states, which nobody publishes" in str(
            caught.value
        )
        row.raised(caught.value)
        row.after, row.steps = "`reset()` looks for it again", "none was under way"


# --- agents

AGENT = """
    import os, sys, time, gymnasium, numpy, ros_gym_bridge
    env = gymnasium.make("ros_gym_bridge/Balance-v0", backend="topics", **eval(sys.argv[1]))
    env.reset(seed=1)
    print("node", env.unwrapped.robot.node_pid)
    while True:
        *_, terminated, truncated, _ = env.step(numpy.zeros(1, numpy.float32))
        if terminated or truncated:
            env.reset()
            print("episode", flush=True)
"""


def test_agent_killed_takes_its_own_node_along(fault: Any, shared_memory: Any) -> None:
    with (
        fault("processes.agent") as row,
        tempfile.TemporaryDirectory() as folder,
        running(script(AGENT, "{}", TMPDIR=folder)) as agent,
    ):
        node = int(agent.says("node "))
        agent.says("episode")
        assert alive(node)
        shared_memory.look()
        agent.kill()
        with in_time(row):
            wait_for(lambda: not alive(node), 10.0, "the node's end")
        assert list(Path(folder).iterdir()) == []
        row.seen = "nothing"
        row.after, row.steps = "its node ends as well; no file is left", ENDS.replace(" with the error", "")


def test_successor_of_a_killed_agent(
    fault: Any, env: Any, sim_process: Start, domain_id: int, shared_memory: Any
) -> None:
    with fault("processes.successor") as row:
        sim_process(robot="cartpole", mode="lockstep")
        with running(script(AGENT, repr({"attach": True, "domain_id": domain_id}))) as agent:
            agent.says("episode")
            shared_memory.look()
            successor = env(time_limit_s=0.4)
            agent.kill()
            with in_time(row):
                successor.reset(seed=1)
                act(successor)
            equal(successor)
        row.seen = "nothing; while the dead is in the graph, for 2 s at most, commands are refused and sent again"
        row.after, row.steps = "the successor's episode is equal bit for bit", "none lost, none doubled"


def test_agent_node_without_its_simulation(fault: Any, sim_process: Start, domain_id: int, shared_memory: Any) -> None:
    """A program, not a library: one line and an exit code."""
    with fault("processes.agent_node") as row:
        node = sim_process(robot="cartpole", mode="lockstep")
        options = ["-p", "task:=Balance", "-p", "policy:=random", "-p", "connect_timeout_s:=2.0"]
        command = [sys.executable, "-m", "ros_gym_bridge.ros.agent_node", "--ros-args", *options]
        with running(Process(command, ROS_DOMAIN_ID=domain_id)) as agent:
            agent.says("Episode 1")
            shared_memory.look()
            os.kill(node.pid, signal.SIGKILL)
            with in_time(row):
                assert agent.wait(30.0) == 1
            said = agent.text()
        lines = [line for line in said.splitlines() if line.startswith("agent_node: ")]
        assert len(lines) == 1, said
        assert "Traceback" not in said
        vain = r"agent_node: (waited 5\.\d\d s for .* in vain; got|no robot 'cartpole' answered within 2.0 s)"
        assert re.match(vain, lines[0]), "the one in mid-episode, the other between two"
        row.seen = "one line on the console, exit code 1"
        row.after, row.steps = "start it again", ENDS


# --- interference


def test_another_publisher_of_commands(fault: Any, env: Any, sim_process: Start, client: Start) -> None:
    with fault("lockstep.publisher") as row:
        node = sim_process(robot="cartpole", mode="lockstep")
        guest = env(step_timeout_s=1.0, time_limit_s=0.4)
        guest.reset(seed=1)
        act(guest, 2)
        stranger = client(name="stranger")
        stranger.connect()
        before = stranger.stamp
        with in_time(row), pytest.raises(RobotLostError, match="/joint_command: 1 subscribers, 2 publishers") as caught:
            act(guest, 5)
        node.says("several nodes publish commands.*/gym_adapter.*/stranger")
        row.raised(caught.value)
        row.counted(0, (stranger.stamp - before) // 20_000_000)
        row.seen += "; the node's log names both, and `refused_two_publishers` on `/diagnostics` counts"
        stranger.close()
        equal(guest)
        row.after = RECONNECTS


def test_reset_by_somebody_else_is_no_answer(fault: Any, env: Any, sim_process: Start, client: Start) -> None:
    """A reset moves time by one period, just as the command would have."""
    with fault("lockstep.reset") as row:
        sim_process(robot="cartpole", mode="lockstep")
        guest = env(time_limit_s=0.4)
        guest.reset(seed=1)
        act(guest, 2)
        assert client(commands=()).reset(2).result == 1
        vain = r"somebody else has moved the simulator's time; got a state at .* reset"
        with in_time(row), pytest.raises(RobotLostError, match=vain) as caught:
            act(guest)
        row.raised(caught.value)
        equal(guest)
        row.after, row.steps = RECONNECTS, ENDS


def test_time_turned_back_by_somebody_else(fault: Any, env: Any, sim_process: Start, client: Start) -> None:
    with fault("lockstep.time") as row:
        sim_process(robot="cartpole", mode="lockstep")
        guest = env(step_timeout_s=1.0, time_limit_s=0.4)
        guest.reset(seed=1)
        act(guest, 5)
        assert client(commands=()).reset(1).result == 1
        with in_time(row), pytest.raises(RobotLostError, match=r"waited .* s for joint_states at stamp") as caught:
            act(guest)
        row.raised(caught.value)
        equal(guest)
        row.after, row.steps = RECONNECTS, ENDS


# --- again and again


def restarts(row: Any, times: int, shared_memory: Any) -> None:
    """Environments with nodes of their own, every other one killed; all episodes are the same."""
    direct = make("Balance", time_limit_s=0.1)
    expected = from_zero(episodes(direct, [(1, False)]))
    direct.close()
    for number in range(times):
        mine = make("Balance", backend="topics", time_limit_s=0.1)
        with in_time(row):
            assert first_difference(expected, from_zero(episodes(mine, [(1, False)]))) == ""
            pid = mine.unwrapped.robot.node_pid
            shared_memory.look()
            if number % 2:
                os.kill(pid, signal.SIGKILL)
            mine.close()
        assert not alive(pid)
    row.seen, row.after = "nothing", "every episode is equal bit for bit"
    row.steps = "none lost, none doubled"


def test_restarts(fault: Any, shared_memory: Any) -> None:
    with fault("processes.restarts") as row:
        restarts(row, 5, shared_memory)


@pytest.mark.slow
def test_many_restarts(fault: Any, shared_memory: Any) -> None:
    with fault("processes.many_restarts") as row:
        restarts(row, 50, shared_memory)
