"""Stepping by service on simulators that are not ours: each in a process of its own, sharing no code with this package
(`other_simulators.py`)."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapter_tools import Process, make
from conftest import wait_for
from ros_gym_bridge import RobotState, load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import OptionError, RobotLostError, RobotNotFoundError, RobotRefusedError
from ros_gym_bridge.robot import Command, read_only
from ros_gym_bridge.ros.topic_robot import TopicRobot

SCRIPT = Path(__file__).parent / "other_simulators.py"
PERIOD = 20_000_000  # of the cart-pole, in nanoseconds: ten physics steps
NO_SEED = "no seed: reset(seed=...) seeds the task alone, and options={'strict': True} changes nothing"
NO_STATE_RESET = (
    "no reset of the state alone: a reset is one of everything: time starts again, so stamps of two episodes repeat, "
    "and all that was changed is undone"
)
MOVES = (
    "time that goes on while it says to be paused: it is not stepped; each step waits until a control period has "
    "passed on its clock, and info['timing']['missed_periods'] counts what was passed over, as with stepping='realtime'"
)
PLAYS = "the habit to play after a reset: it is paused again; an episode begins some moments after the reset"


@pytest.fixture
def other(domain_id: int) -> Iterator[Callable[..., TopicRobot]]:
    """Starts a simulator, and makes a robot that steps it."""
    processes: list[Process] = []
    robots: list[TopicRobot] = []

    def start(kind: str, *options: str, file: Any = None, **keywords: Any) -> TopicRobot:
        processes.append(Process([sys.executable, str(SCRIPT), kind, *options], ROS_DOMAIN_ID=domain_id))
        processes[-1].says("stands")
        keywords = {"attach": True, "domain_id": domain_id, "stepping": "step_service", **keywords}
        robots.append(TopicRobot(file or load_robot("cartpole"), Connection(**keywords)))
        return robots[-1]

    start.pids = lambda: [process.pid for process in processes]  # type: ignore[attr-defined]
    yield start
    for robot in robots:
        robot.close()
    texts = [process.text() for process in processes]
    for process in processes:
        process.end()
    assert all("Traceback" not in text for text in texts), texts


def push(robot: TopicRobot, state: RobotState, newtons: float) -> RobotState:
    return robot.step(Command(read_only([newtons]), state.stamp_ns))


def lacks(robot: TopicRobot) -> list[str]:
    return [str(lack) for lack in robot.lacks]


def act(robot: TopicRobot, steps: int = 20, period: int = PERIOD) -> None:
    """Episodes in which each step is one period and each state shows its own command."""
    for _ in range(2):
        state = first = robot.reset(seed=1)
        assert abs(state.position[0]) < 0.05
        for i in range(steps):
            before, state = state.stamp_ns, push(robot, state, 1.0 + 0.01 * i)
            assert state.stamp_ns == before + period, i
            assert state.effort[0] == pytest.approx(1.0 + 0.01 * i), i
        assert state.position[0] > first.position[0]
    assert robot.timing()["missed_periods"] == steps * (period // PERIOD - 1)


# --- three of them


def test_one_that_follows_the_letter(other: Any) -> None:
    """It lacks no more than a seed; silent while nothing changes."""
    robot = other("letter")
    act(robot)
    assert lacks(robot) == [NO_SEED]


def test_one_that_answers_before_it_is_done(other: Any) -> None:
    """And cannot be paused, which it need not be: its time stands still between steps."""
    robot = other("hasty", "--stopped", "--no-pause")
    act(robot)
    no_pause = "no pause (result 0: states cannot be set): time must stand still between steps by itself"
    assert lacks(robot) == [NO_SEED, NO_STATE_RESET, no_pause]


def test_one_whose_time_goes_on(other: Any) -> None:
    """Steps are not exact then, but none is left out unsaid, and every observation is newer than its action. It does
    not tell either that it cannot reset its state alone."""
    robot = other("hasty", "--ignores-pause", "--without", "get_simulator_features")
    for _ in range(2):
        state = first = robot.reset(seed=1)
        for i in range(15):
            before, state = state.stamp_ns, push(robot, state, 1.0 + 0.01 * i)
            assert state.stamp_ns >= before + PERIOD
        assert state.position[0] > first.position[0]
        passed = round((state.stamp_ns - first.stamp_ns) / PERIOD)
        assert passed == 15 + robot.timing()["missed_periods"]
    assert lacks(robot)[2:] == [NO_STATE_RESET.replace(" alone:", " alone (result 0: no reason given):"), MOVES]


def test_one_that_refuses_single_steps_and_plays_after_a_reset(other: Any) -> None:
    robot = other("stubborn")
    act(robot)
    assert lacks(robot) == [NO_SEED, PLAYS]


def test_larger_steps_where_one_is_refused(other: Any, tmp_path: Path) -> None:
    path = tmp_path / "slow.yaml"
    path.write_text("extends: cartpole\nname: slow\nrates: {physics_hz: 50, control_hz: 50}\n")
    robot = other("stubborn", "--step-ms", "20", file=load_robot(path))
    act(robot, steps=5, period=2 * PERIOD)
    assert lacks(robot) == [
        NO_SEED,
        PLAYS,
        "no single steps: each step is 2 of its steps, which are 2 control periods; info['timing']['missed_periods'] "
        "counts those that were passed over. Pass a smaller control_hz to avoid it",
    ]


def test_single_steps_where_more_are_refused(other: Any) -> None:
    robot = other("letter", "--single", "--hide", "32")
    act(robot, steps=3)
    assert lacks(robot)[1:] == [
        "no 10 steps at once (result 4: 10 steps in state 2): it is asked for a single one, 10 times in a control "
        "period, which takes longer"
    ]


def test_real_time(other: Any) -> None:
    """It is told to play; each step takes a state that is newer than its command."""
    robot = other("letter", stepping="realtime")
    for _ in range(2):
        state = robot.reset(seed=1)
        for i in range(5):
            before, state = state.stamp_ns, push(robot, state, 1.0 + 0.01 * i)
            assert state.stamp_ns >= before + PERIOD
        assert state.effort[0] > 1.0
    assert robot.timing()["missed_periods"] > 0  # it tells its state every 50 ms
    assert lacks(robot) == [NO_SEED]


# --- what may be missing, and what may be otherwise


def test_hardly_any_service(other: Any) -> None:
    """No clock, no features, nobody to ask or tell its state, no service to step, not a word after a reset."""
    names = ("clock", "get_simulator_features", "get_simulation_state", "set_simulation_state", "step_simulation")
    robot = other("letter", "--action", "--mute", *(part for name in names for part in ("--without", name)))
    act(robot, steps=5)
    assert lacks(robot)[1:] == [
        "no answer from get_simulator_features: what it can do is taken from the services there",
        "no get_simulation_state: it is told its state at each reset, whatever that is",
        "no set_simulation_state: it cannot be paused or played: time must stand still between steps by itself",
        "no step_simulation: steps are asked for by the action simulate_steps, which takes longer",
        "no state to tell while paused, after a reset: it is stepped once to hear one: episodes begin one control "
        "period after the reset",
    ]


def test_a_physics_step_of_its_own(other: Any) -> None:
    """And a node that calls itself as ours does, with parameters, but takes no seed."""
    robot = other("letter", "--step-ms", "1", "--name", "sim_node")
    act(robot, steps=5)
    assert lacks(robot)[1:] == [
        "steps of 1 ms where the robot file has 2 ms: it does 20 of them in a control period, not 10"
    ]


def test_a_physics_step_that_does_not_fit(other: Any) -> None:
    with pytest.raises(OptionError) as caught:
        other("letter", "--step-ms", "3").reset(seed=1)
    assert str(caught.value) == (
        "a control period is no whole number of the simulator's steps; got control periods of 20 ms, steps of 3 ms; "
        "expected 1, 2, 3, ... steps in each control period; Pass another control_hz, or change the simulator's step."
    )


def test_nothing_to_step_by(other: Any, domain_id: int) -> None:
    robot = other("letter", "--without", "step_simulation", "--hide", "31", "--hide", "32", connect_timeout_s=1.0)
    with pytest.raises(RobotNotFoundError, match=r"missing: .*the service /step_simulation; expected"):
        robot.reset(seed=1)


def test_somebody_else_lets_it_play(other: Any, client: Any) -> None:
    robot = other("letter")
    state = robot.reset(seed=1)
    assert client(commands=()).set_state(1).result == 1
    link = robot._link
    wait_for(lambda: link.catch_up() or link.inbox.newest_ns > state.stamp_ns + PERIOD, 10.0, "time to move")
    with pytest.raises(RobotLostError, match="somebody else has moved the simulator's time"):
        push(robot, state, 1.0)
    act(robot, steps=2)


def test_one_that_falls_silent(other: Any) -> None:
    """It hangs in mid episode; a reset finds it again when it is back."""
    robot = other("letter", step_timeout_s=0.6)
    state = robot.reset(seed=1)
    (pid,) = other.pids()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(
            RobotLostError, match=r"waited 0\.\d\d s for an answer from /step_simulation in vain; Check"
        ):
            push(robot, state, 1.0)
    finally:
        os.kill(pid, signal.SIGCONT)
    act(robot, steps=2)


def test_steps_that_move_nothing(other: Any) -> None:
    """They are answered well, and that is all."""
    with pytest.raises(RobotLostError) as caught:
        other("letter", "--deaf", step_timeout_s=0.6).reset(seed=1)
    pattern = r"waited 0\.\d\d s for a state after 2000000 ns, where 10 steps were made, in vain; got /joint_command: "
    assert re.match(pattern, str(caught.value)), caught.value


def test_environment(other: Any, domain_id: int, capfd: pytest.CaptureFixture[str]) -> None:
    """The lacks stand in the log, and can be asked for."""
    other("stubborn")
    keywords = {"attach": True, "domain_id": domain_id, "stepping": "step_service"}
    env = make("Balance", backend="topics", time_limit_s=0.2, **keywords)
    try:
        env.reset(seed=1)
        for step in range(10):
            *_, info = env.step(np.zeros(1, dtype=np.float32))
            assert info["timing"]["missed_periods"] == 0, step
        assert [str(lack) for lack in env.unwrapped.robot.lacks] == [NO_SEED, PLAYS]
        assert f"The simulator has {PLAYS}." in capfd.readouterr().err
    finally:
        env.close()


def test_steps_that_are_refused_for_good(other: Any) -> None:
    """With the reason that the simulator gives."""
    robot = other("letter", "--without", "set_simulation_state", "--hide", "25", "--stopped")
    with pytest.raises(RobotRefusedError, match=r"/step_simulation refused; got result 4: 10 steps in state 0"):
        robot.reset(seed=1)
