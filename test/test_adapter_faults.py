"""What the adapter does when something is not there, dies, is lost on the way, or is somebody else's."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapter_tools import alive, episodes, first_difference, make, running, script
from conftest import wait_for
from ros_gym_bridge.errors import OptionError, RobotLostError, RobotNotFoundError, RobotRefusedError

Start = Callable[..., Any]


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


# --- nobody, and the wrong one


def test_nobody_there_is_said_within_five_seconds(env: Any, domain_id: int) -> None:
    lonely = env(namespace="/nowhere")
    begun = time.monotonic()
    with pytest.raises(RobotNotFoundError) as caught:
        lonely.reset(seed=1)
    assert 4.9 < time.monotonic() - begun < 5.5
    command, states = "/nowhere/joint_command", "/nowhere/joint_states"
    services = ["/nowhere/reset_simulation"]
    assert str(caught.value) == (
        f"no robot 'cartpole' answered within 5.0 s in ROS domain {domain_id}; got missing: a subscriber of {command}; "
        f"a message on {states}, which nobody publishes; "
        + "; ".join(f"the service {name}" for name in services)
        + f"; expected the topics {command}, {states} and the services {', '.join(services)}; Start it, "
        f"for example with: ROS_DOMAIN_ID={domain_id} ros-gym-bridge sim --robot cartpole --mode lockstep "
        "--namespace /nowhere."
    )


def test_connect_timeout_counts(env: Any) -> None:
    begun = time.monotonic()
    with pytest.raises(RobotNotFoundError, match=r"answered within 0\.7 s .*--mode realtime\.$"):
        env(connect_timeout_s=0.7, stepping="realtime").reset()
    assert 0.6 < time.monotonic() - begun < 1.2


def test_services_that_lack_are_named(env: Any) -> None:
    with pytest.raises(RobotNotFoundError, match=r"the service /step_simulation; expected .*/step_simulation; Start"):
        env(connect_timeout_s=0.3, stepping="step_service").reset()


def test_another_robot_is_named_by_its_joints(env: Any, sim_process: Start) -> None:
    sim_process(robot="arm", mode="lockstep")
    with pytest.raises(RobotNotFoundError, match="missing: joints slider_to_cart, cart_to_pole in /joint_states; exp"):
        env(connect_timeout_s=2.0).reset()


@pytest.mark.parametrize(
    ("started", "wanted", "message"),
    [
        ({"mode": "realtime"}, {}, "differ in 'mode'; got 'realtime' on the simulator's side; expected 'lockstep'"),
        ({}, {"stepping": "realtime"}, "differ in 'mode'; got 'lockstep' on the simulator's side; expected 'realtime'"),
        ({}, {"control_hz": 100}, "differ in 'control_hz'; got 50 on the simulator's side; expected 100"),
        (
            {},
            {"interface": "velocity"},
            re.escape("differ in 'commands'; got ['slider_to_cart/effort'] on the simulator's side; expected "
                      "['slider_to_cart/velocity']"),
        ),
        ({}, {"robot": "RENAMED"}, "differ in 'robot_name'; got 'cartpole' on the simulator's side; expected 'other'"),
        ({}, {"robot": "HEAVIER"}, "differ in 'robot_digest'; got '[0-9a-f]{16}' on the simulator's side; expected "),
    ],
    ids=["lockstep", "realtime", "control_hz", "interface", "name", "content"],
)  # fmt: skip
def test_a_mismatch_is_said(
    env: Any, sim_process: Start, tmp_path: Path, started: Any, wanted: Any, message: str
) -> None:
    for name, change in (("RENAMED", "name: other"), ("HEAVIER", "gravity: [0.0, 0.0, -12.0]")):
        if wanted.get("robot") == name:
            path = tmp_path / f"{name}.yaml"
            path.write_text(f"extends: cartpole\n{change}\n")
            wanted = {"robot": str(path)}
    sim_process(**{"robot": "cartpole", "mode": "lockstep", **started})
    with pytest.raises(OptionError, match=f"the simulator and this environment {message}.*; Start the simulator with"):
        env(**wanted).reset()


def test_a_seed_that_the_node_cannot_take_is_refused(env: Any, sim_process: Start) -> None:
    sim_process(robot="cartpole", mode="lockstep")
    robot = env().unwrapped.robot
    with pytest.raises(RobotRefusedError, match=r"/sim_node/set_parameters refused; got .*seed"):
        robot.reset(seed=2**40)
    assert robot.reset(seed=1).stamp_ns > 0


def test_who_waits_for_long_sleeps_and_asks_less_and_less(
    env: Any, sim_process: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where there is a core to watch with."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    node = sim_process(robot="cartpole", mode="lockstep")
    guest = env(step_timeout_s=1.0)
    guest.reset(seed=1)
    act(guest, 3)
    node.signal(signal.SIGSTOP)
    used = time.thread_time()
    with pytest.raises(RobotLostError):
        act(guest)
    assert time.thread_time() - used < 0.2
    assert 1 <= guest.unwrapped.robot.timing()["resent"] <= 5, "after 0.05, 0.1, 0.2, 0.4 and 0.8 s"


# --- death


def test_own_node_killed_in_mid_episode(env: Any) -> None:
    mine = env(attach=False)
    mine.reset(seed=1)
    act(mine, 3)
    robot = mine.unwrapped.robot
    pid = robot.node_pid
    os.kill(pid, signal.SIGKILL)
    begun = time.monotonic()
    with pytest.raises(RobotLostError) as caught:
        act(mine, 5)
    assert time.monotonic() - begun < 1.0
    assert re.fullmatch(
        rf"waited 0\.\d\d s for joint_states at stamp \d+ ns in vain; got the simulation node \(process {pid}\) has "
        r"ended with code -9; its last lines: .*Simulating 'cartpole' in lockstep mode.*; reset\(\) starts a new one\.",
        str(caught.value),
        re.DOTALL,
    )
    mine.close()
    mine.close()


def test_reset_starts_a_new_node_and_the_episode_is_the_same(env: Any) -> None:
    expected = make("Balance")
    whole = episodes(expected, [(1, False), (None, False)])
    expected.close()
    mine = env(attach=False)
    mine.reset(seed=9)
    robot = mine.unwrapped.robot
    first = robot.node_pid
    act(mine, 3)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(RobotLostError):
        act(mine, 5)
    assert robot.node_pid is None
    again = episodes(mine, [(1, False), (None, False)])
    assert robot.node_pid not in (None, first)
    assert first_difference(whole, again) == ""


def test_reset_after_a_silent_death(env: Any) -> None:
    """The node dies between two episodes: nobody but reset() can notice."""
    mine = env(attach=False)
    mine.reset(seed=1)
    first = mine.unwrapped.robot.node_pid
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not alive(first), 5.0, "the node's death")
    mine.reset(seed=1)
    assert mine.unwrapped.robot.node_pid != first
    act(mine, 3)


def test_a_node_that_cannot_start_says_why(env: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nonexistent")
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")
    ending = r"the simulation node \(process \d+\) has ended with code 1; its last lines: .*[^;]"
    with pytest.raises(RobotLostError, match=rf"s for the simulation node to start in vain; got {ending}; reset"):
        env(attach=False).reset(seed=1)


def test_attached_node_killed_and_back(env: Any, sim_process: Start) -> None:
    node = sim_process(robot="cartpole", mode="lockstep")
    guest = env(step_timeout_s=0.6, connect_timeout_s=20.0)
    first = guest.reset(seed=5)[0]
    act(guest, 2)
    os.kill(node.pid, signal.SIGKILL)
    begun = time.monotonic()
    there = r"/joint_command: \d subscribers, 1 publishers; newest state at \d+ ns"
    with pytest.raises(
        RobotLostError, match=rf"waited 0\.6\d s for joint_states at stamp \d+ ns in vain; got {there}; "
    ):
        act(guest)
    assert time.monotonic() - begun < 1.0
    sim_process(robot="cartpole", mode="lockstep", ready=False)  # Python and PyBullet still have to start
    assert np.array_equal(guest.reset(seed=5)[0], first)
    act(guest, 3)


def test_attached_node_that_stays_away(env: Any, sim_process: Start) -> None:
    node = sim_process(robot="cartpole", mode="lockstep")
    guest = env(step_timeout_s=0.3, connect_timeout_s=0.5)
    guest.reset(seed=5)
    os.kill(node.pid, signal.SIGKILL)
    with pytest.raises(RobotLostError):
        act(guest)
    wait_for(lambda: _nobody(guest), 10.0, "the dead node's lease to end")
    guest.close()


def _nobody(env: Any) -> bool:
    try:
        env.reset(seed=5)
    except RobotNotFoundError:
        return True
    except RobotLostError:  # the dead are in the graph until their lease ends
        return False
    raise AssertionError("a dead node answered")


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


def test_agent_killed_takes_its_own_node_along() -> None:
    with tempfile.TemporaryDirectory() as folder, running(script(AGENT, "{}", TMPDIR=folder)) as agent:
        node = int(agent.says("node "))
        agent.says("episode")
        assert alive(node)
        agent.kill()
        wait_for(lambda: not alive(node), 2.0, "the node's end")
        assert list(Path(folder).iterdir()) == []


def test_successor_of_a_killed_agent(env: Any, sim_process: Start, domain_id: int) -> None:
    sim_process(robot="cartpole", mode="lockstep")
    with running(script(AGENT, repr({"attach": True, "domain_id": domain_id}))) as agent:
        agent.says("episode")
        successor = env()
        agent.kill()
        begun = time.monotonic()
        successor.reset(seed=1)
        act(successor)
        assert time.monotonic() - begun < 3.0
        act(successor, 5)


# --- interference


def test_another_publisher_of_commands(env: Any, sim_process: Start, client: Start) -> None:
    node = sim_process(robot="cartpole", mode="lockstep")
    guest = env(step_timeout_s=2.0)
    guest.reset(seed=1)
    act(guest, 2)
    client(name="stranger").connect()
    with pytest.raises(RobotLostError, match="/joint_command: 1 subscribers, 2 publishers; newest state at"):
        act(guest, 5)
    node.says("several nodes publish commands.*/gym_adapter.*/stranger")


def test_reset_by_somebody_else_is_no_answer(env: Any, sim_process: Start, client: Start) -> None:
    """A reset moves time by one period, just as the command would have."""
    sim_process(robot="cartpole", mode="lockstep")
    guest = env()
    guest.reset(seed=1)
    act(guest, 2)
    assert client(commands=()).reset(2).result == 1
    with pytest.raises(RobotLostError, match=r"somebody else has moved the simulator's time; got a state at .* reset"):
        act(guest)
    guest.reset(seed=1)
    act(guest, 3)


def test_time_turned_back_by_somebody_else(env: Any, sim_process: Start, client: Start) -> None:
    sim_process(robot="cartpole", mode="lockstep")
    guest = env(step_timeout_s=2.0)
    guest.reset(seed=1)
    act(guest, 5)
    assert client(commands=()).reset(1).result == 1
    with pytest.raises(RobotLostError, match=r"waited .* s for joint_states at stamp"):
        act(guest)
    guest.reset(seed=1)
    act(guest, 3)


@pytest.mark.parametrize("stepping", ["lockstep", "step_service", "realtime"])
def test_reset_makes_a_paused_or_playing_simulator_right(
    env: Any, sim_process: Start, client: Start, stepping: str
) -> None:
    sim_process(robot="cartpole", mode="realtime" if stepping == "realtime" else "lockstep")
    guest = env(stepping=stepping, step_timeout_s=2.0)
    guest.reset(seed=1)
    act(guest, 2)
    assert client(commands=()).set_state(1 if stepping == "step_service" else 2).result == 1
    with pytest.raises((RobotLostError, RobotRefusedError), match=r"in vain|/step_simulation refused; got .*PAUSED"):
        act(guest, 3)
    guest.reset(seed=1)
    act(guest, 3)
