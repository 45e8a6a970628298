"""What the adapter does when something is not there, dies, is lost on the way, or is somebody else's."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapter_tools import make
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


# --- interference


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
