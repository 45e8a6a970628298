"""The environment on a robot that is not ours: reset by motion, steps in real time, clocks that differ and jump."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

import kinds
from adapter_tools import make
from conftest import NodeProcess, private_domain, slowness, wait_for
from driver_tools import DriverProcess, driver_processes
from plain_client import PlainClient
from ros_gym_bridge import load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import OptionError, ResetTimeoutError, RobotLostError, RobotNotFoundError, RobotRefusedError
from ros_gym_bridge.policies import ReachPolicy
from ros_gym_bridge.robot import Command
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.topic_robot import TopicRobot

Start = Callable[..., DriverProcess]
PERIOD = 0.04
SLOW = {"elbow_joint": 1.0, "wrist_1_joint": 0.9}  # where the robot stands before


@pytest.fixture
def connect(domain_id: int) -> Iterator[Callable[..., gym.Env[Any, Any]]]:
    """Makes environments on the robot in this domain, and closes them at the end. They do not look for the service of
    a simulator first, unless with `reset_by="auto"`."""
    made: list[gym.Env[Any, Any]] = []

    def build(task: str = "Reach", robot: str | Path = "arm", **keywords: Any) -> gym.Env[Any, Any]:
        defaults = {"attach": True, "stepping": "realtime", "reset_by": "motion", "domain_id": domain_id}
        defaults["connect_timeout_s"] = 20.0
        made.append(make(task, robot=str(robot), backend="topics", **{**defaults, **keywords}))
        return made[-1]

    yield build
    for env in made:
        env.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DriverProcess, gym.Env[Any, Any]]]:
    """A robot at home and an environment that is connected to it; each test leaves it so."""
    with private_domain() as domain, driver_processes(domain, tmp_path_factory.mktemp("shared")) as start:
        robot = start("arm", rate_hz=500.0)
        where = {"attach": True, "stepping": "realtime", "reset_by": "motion", "domain_id": domain}
        env = make("Reach", robot="arm", backend="topics", max_missed_deadlines=6, connect_timeout_s=20.0, **where)
        yield robot, env
        env.close()


def stay(env: gym.Env[Any, Any]) -> Any:
    """The action that keeps the robot at home."""
    spec = env.unwrapped.robot_file.spec
    low, high = spec.command_low, spec.command_high
    return ((2.0 * spec.command_home - low - high) / (high - low)).astype(np.float32)


def robot_file(folder: Path, reset: str = "", base: str = "arm") -> Path:
    path = folder / f"{base}.yaml"
    path.write_text(f"extends: {base}\nreset: {{velocity_fraction: 0.5, settle_s: 0.1{reset}}}\n")
    return path


def test_an_agent_that_knows_nothing_of_it(driver: Start, connect: Callable[..., Any]) -> None:
    """As in the README, on a robot with a clock of its own that measures positions alone."""
    robot = driver("arm", joint={"interfaces": ["position"], "backlash": 0.001}, start=SLOW, clock_offset_s=-1e6)
    env = connect(time_limit_s=60.0, reset_by="auto")
    observation, info = env.reset(seed=0)
    home = env.unwrapped.robot_file.spec.home
    state = env.unwrapped.robot._state
    assert np.max(np.abs(state.position - home)) <= 0.02, "it has moved home"
    policy = ReachPolicy(env.unwrapped.robot_file, env.unwrapped.task.fields)
    rewards, stamps, begun = [], [info["timing"]["stamp_ns"]], time.monotonic()
    for _ in range(100):
        observation, reward, _, truncated, info = env.step(policy(observation))
        assert env.observation_space.contains(observation)
        rewards.append(reward)
        stamps.append(info["timing"]["stamp_ns"])
        assert not truncated
    assert np.all(np.diff(stamps) > 0)
    assert time.monotonic() - begun >= 99.5 * PERIOD
    assert max(rewards) > -0.05, "it gets to its goals"
    assert 0.0 <= info["timing"]["age_s"] < 1.0
    assert "Fault" not in robot.text()


def test_velocities_that_are_not_measured(driver: Start, connect: Callable[..., Any]) -> None:
    driver("arm", joint={"interfaces": ["position"], "lag_s": 0.05})
    env = connect(robot="arm")
    env.reset(seed=0)
    action, spec = stay(env), env.unwrapped.robot_file.spec
    action[0] = 1.0  # as fast as it may
    for _ in range(20):
        env.step(action)
    state = env.unwrapped.robot._state
    assert state.velocity[0] == pytest.approx(spec.max_velocity[0], rel=0.3)
    assert np.all(state.effort == 0.0)


def test_periods_end_on_a_steady_clock(shared: tuple[DriverProcess, Any]) -> None:
    _, env = shared
    env.reset(seed=0)
    action = stay(env)
    begun, ends = time.monotonic(), []
    for _ in range(50):
        info = env.step(action)[-1]
        ends.append(time.monotonic() - begun)
    timing = info["timing"]
    late = timing["missed_deadlines"] + timing["overruns"]
    late_by = np.array(ends) - PERIOD * np.arange(1, 51)
    assert np.median(late_by) < 0.01 * slowness() + PERIOD * late, "the fiftieth is as late as the first"
    assert np.all(late_by > -0.001)


def test_a_slow_agent_is_counted_and_ends_the_episode_when_asked(shared: tuple[DriverProcess, Any]) -> None:
    _, env = shared
    env.reset(seed=0)
    action = stay(env)
    info = env.step(action)[-1]
    before = info["timing"]["missed_deadlines"]
    time.sleep(5 * PERIOD)  # the agent thinks
    _, _, _, truncated, info = env.step(action)
    assert info["timing"]["missed_deadlines"] - before >= 4
    assert truncated == (info["timing"]["missed_deadlines"] > 6)
    time.sleep(8 * PERIOD)
    _, _, _, truncated, info = env.step(action)
    missed = int(info["timing"]["missed_deadlines"])
    assert truncated
    assert info["ended"] == f"{missed} control periods without a command, more than max_missed_deadlines=6"
    env.reset()
    _, _, _, truncated, info = env.step(action)
    assert ("ended" in info) == truncated == (info["timing"]["missed_deadlines"] > 6)


def test_states_that_come_late_are_waited_for(driver: Start, connect: Callable[..., Any]) -> None:
    """A state that was taken before the command was sent is none, however late it comes."""
    robot = driver("arm", state_delay_s=0.1)
    env = connect()
    env.reset(seed=0)
    action = stay(env)
    for _ in range(6):
        info = env.step(action)[-1]
    assert info["timing"]["overruns"] <= 3, "a constant delay is taken for a clock that is behind: nobody can tell"
    robot.set(rate_hz=10.0)
    before = env.step(action)[-1]["timing"]["missed_deadlines"]
    for _ in range(10):
        info = env.step(action)[-1]
    assert info["timing"]["overruns"] >= 6, "states at 10 Hz are no answers to commands at 25 Hz"
    assert info["timing"]["missed_deadlines"] - before <= 8, "and that is not the agent's doing"


@pytest.mark.parametrize("offset_s", [-5000.0, 7.0])
def test_a_clock_that_jumps(shared: tuple[DriverProcess, Any], offset_s: float) -> None:
    robot, env = shared
    before_s = robot.options["clock_offset_s"]
    env.reset(seed=0)
    action = stay(env)
    stamps = []
    for i in range(30):
        if i == 10:
            robot.set(clock_offset_s=offset_s)
        info = env.step(action)[-1]
        stamps.append(info["timing"]["stamp_ns"] / 1e9)
    assert info["timing"]["clock_jumps"] == 1
    assert stamps[-1] - stamps[0] == pytest.approx(offset_s - before_s + 29 * PERIOD, abs=2.0)
    assert info["timing"]["age_s"] < 1.0
    assert info["timing"]["missed_periods"] < 50, "a jump is no time that was missed"
    env.reset()
    assert env.step(action)[-1]["timing"]["clock_jumps"] == 0


def test_use_sim_time(driver: Start, connect: Callable[..., Any]) -> None:
    """A robot that publishes its clock, far from the computer's: the environment goes by stamps in either case."""
    driver("arm", publish_clock=True, clock_offset_s=-1e9)
    for sim_time in ("true", "false"):
        env = connect(ros_arguments=["--ros-args", "-p", f"use_sim_time:={sim_time}"])
        env.reset(seed=0)
        action = stay(env)
        for _ in range(10):
            info = env.step(action)[-1]
        assert info["timing"]["stamp_ns"] / 1e9 == pytest.approx(time.time() - 1e9, abs=30.0)
        env.close()


def test_a_drive_is_reset_where_it_is(driver: Start, connect: Callable[..., Any], tmp_path: Path) -> None:
    """Nothing of it can be brought home; its twists are fresh by the robot's own clock."""
    path = tmp_path / "bare.yaml"
    path.write_text("extends: rover\nchannels: []\n")
    process = driver(path, clock_offset_s=-3600.0)
    domain = process.client.context.get_domain_id()
    robot = TopicRobot(load_robot(path), Connection(attach=True, stepping="realtime", domain_id=domain))
    try:
        state = robot.reset()
        for _ in range(50):
            state = robot.step(Command(np.array([0.5, 0.0]), state.stamp_ns))
        assert state.channels["diff_drive_controller/odom"].value[0] > 0.3
        assert "Refused" not in process.text()
    finally:
        robot.close()


# --- the reset


def test_the_reset_moves_slowly_and_waits(driver: Start, connect: Callable[..., Any], tmp_path: Path) -> None:
    robot = driver("arm", start=SLOW)
    env = connect(robot=robot_file(tmp_path))
    spec = env.unwrapped.robot_file.spec
    begun = time.monotonic()
    env.reset(seed=0)
    way = np.max(np.array([0.6, 0.3]) * 1.875 / (0.5 * spec.max_velocity[[2, 3]]))
    assert time.monotonic() - begun >= way
    assert "Fault" not in robot.text()
    state = env.unwrapped.robot._state
    assert np.max(np.abs(state.position - spec.home)) <= 0.02


@pytest.mark.parametrize("name", ["path", "numbers"])
def test_other_ways_of_commanding(driver: Start, connect: Callable[..., Any], tmp_path: Path, name: str) -> None:
    """A trajectory controller gets the whole way at once, a velocity controller is led by its position."""
    path = kinds.write(tmp_path, name)
    robot = driver(path, start={"elbow_joint": 1.2, "wrist_1_joint": 0.9, "wrist_2_joint": 0.2})
    env = connect(robot=path)
    env.reset(seed=0)
    state = env.unwrapped.robot._state
    assert np.max(np.abs(state.position - env.unwrapped.robot_file.spec.home)) <= 0.02
    for _ in range(10):
        env.step(stay(env) + np.float32(0.01))
    assert "Fault" not in robot.text()
    assert "Refused" not in robot.text()
    env.close()


def test_the_joint_that_does_not_arrive(driver: Start, connect: Callable[..., Any], tmp_path: Path) -> None:
    robot = driver("arm", start=SLOW, stuck="elbow_joint")
    env = connect(robot=robot_file(tmp_path, ", timeout_s: 0.5"))
    with pytest.raises(ResetTimeoutError) as error:
        env.reset(seed=0)
    said = str(error.value)
    assert said.startswith("joint 'elbow_joint' did not get home within ")
    assert said.endswith(
        "s; got 1; expected 1.6 within 0.02; Look whether something holds it, the robot has stopped itself, or its "
        "controller is not active; then reset() again, or raise 'reset.timeout_s' or 'reset.tolerance' in the robot "
        "file."
    )
    robot.set(stuck="")
    env.reset(seed=0)
    env.step(stay(env))


def test_a_fault_of_the_hardware(driver: Start, connect: Callable[..., Any], tmp_path: Path) -> None:
    """The robot has stopped itself: the reset says which joint does not come, and works again once it is cleared."""
    robot = driver("arm", start=SLOW, joint={"max_velocity": 0.05})
    env = connect(robot=robot_file(tmp_path, ", timeout_s: 0.5"))
    with pytest.raises(ResetTimeoutError, match="did not get home"):
        env.reset(seed=0)
    robot.says("Fault: velocity limit of ")


def test_the_operator_is_asked(driver: Start, connect: Callable[..., Any], tmp_path: Path) -> None:
    driver("arm", start=SLOW)
    asked: list[str] = []
    answers = iter([False, True])

    def operator(question: str) -> bool:
        asked.append(question)
        return next(answers)

    env = connect(robot=robot_file(tmp_path, ", ask_operator: true"), operator=operator)
    with pytest.raises(RobotRefusedError) as error:
        env.reset(seed=0)
    assert str(error.value) == "the operator said no; Nothing was moved; reset() asks again."
    env.reset(seed=0)
    question = "Robot 'arm' is about to move to its home position. Make its way clear and the scene ready."
    assert asked == [question, question]


def test_the_operator_answers_over_ros(
    driver: Start, connect: Callable[..., Any], client: Callable[..., PlainClient], tmp_path: Path
) -> None:
    driver("arm")
    env = connect(robot=robot_file(tmp_path, ", ask_operator: true"))
    stranger = client(commands=())
    done = threading.Thread(target=env.reset, kwargs={"seed": 0})
    done.start()
    first = stranger.call(Trigger, "reset_done", Trigger.Request())
    assert (first.success, first.message) == (True, "the robot moves home")
    done.join(30.0)
    assert not done.is_alive()
    env.step(stay(env))


def test_the_operator_answers_on_the_terminal(driver: Start, domain_id: int, tmp_path: Path) -> None:
    """A program in a terminal of its own: it asks there; `n` means no, Enter means yes."""
    driver("arm", start=SLOW)
    path = robot_file(tmp_path, ", ask_operator: true")
    code = f"""if True:
        import gymnasium as gym, ros_gym_bridge
        from ros_gym_bridge.errors import RobotRefusedError
        env = gym.make("ros_gym_bridge/Reach-v0", robot={str(path)!r}, backend="topics", attach=True,
                       stepping="realtime", connect_timeout_s=20.0)
        try:
            env.reset(seed=0)
        except RobotRefusedError as error:
            print("refused:", error)
        env.reset(seed=0)
        print("at home")
        env.close()
    """
    ours, its = pty.openpty()
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain_id)}
    program = subprocess.Popen(
        [sys.executable, "-c", code], stdin=its, stderr=its, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        for answer in (b"n\n", b"\n"):
            seen = ""
            while "press Enter (n: no): " not in seen:
                assert select.select([ours], [], [], 60.0)[0], f"no question in {seen!r}"
                seen += os.read(ours, 1000).decode()
            assert "Robot 'arm' is about to move to its home position." in seen
            os.write(ours, answer)
        out, _ = program.communicate(timeout=60.0)
    finally:
        program.kill()
        program.wait()
        os.close(ours)
        os.close(its)
    assert out == "refused: the operator said no; Nothing was moved; reset() asks again.\nat home\n"
    assert program.returncode == 0


def test_nobody_answers(driver: Start, connect: Callable[..., Any], tmp_path: Path) -> None:
    driver("arm", start=SLOW)
    env = connect(robot=robot_file(tmp_path, ", ask_operator: true, operator_timeout_s: 0.3"))
    with pytest.raises(ResetTimeoutError) as error:
        env.reset(seed=0)
    assert str(error.value) == (
        "no operator answered within 0.3 s; expected a call of the service /reset_done, or an answer on the terminal; "
        "Answer, raise 'reset.operator_timeout_s', or take 'reset.ask_operator' out of the robot file."
    )


def wrist(robot: DriverProcess) -> tuple[float, float]:
    """Position and speed of the joint that is commanded by velocity, as the robot tells them now."""
    heard = robot.client.hear(JointState, "joint_states", qos.ANY)
    robot.client.until(lambda: len(heard) > 20, "states")
    i = heard[-1].name.index("wrist_2_joint")
    return heard[-1].position[i], heard[-1].velocity[i]


def wrist_speed(robot: DriverProcess) -> float:
    return wrist(robot)[1]


def test_it_stands_when_it_is_let_go(driver: Start, connect: Callable[..., Any], tmp_path: Path) -> None:
    """A velocity controller goes on for ever with what it was told last: `close` tells it to stand."""
    path = kinds.write(tmp_path, "numbers")
    robot = driver(path)
    env = connect(robot=path)
    env.reset(seed=0)
    action = stay(env)
    action[4] = 0.05
    for _ in range(5):
        env.step(action)
    assert wrist_speed(robot) > 0.1
    env.close()
    wait_for(lambda: abs(wrist_speed(robot)) < 1e-3, 5.0, "that it stands")
    assert "Fault" not in robot.text(), "as it was told, not at the end of its way"


def test_a_robot_that_falls_silent_on_its_way_home(driver: Start, connect: Callable[..., Any], tmp_path: Path) -> None:
    path = kinds.write(tmp_path, "numbers")
    path.write_text(path.read_text() + "reset: {velocity_fraction: 0.05}\n")
    robot = driver(path, start={"wrist_2_joint": 1.0})
    env = connect(robot=path, step_timeout_s=3.0)
    failed: list[Exception] = []

    def reset() -> None:
        try:
            env.reset(seed=0)
        except RobotLostError as error:
            failed.append(error)

    robot.set(state_drop=0.0)  # the service is found
    assert wrist_speed(robot) == 0.0
    moving = threading.Thread(target=reset)
    moving.start()
    wait_for(lambda: wrist_speed(robot) < -0.02, 30.0, "that it moves")
    place, speed = wrist(robot)
    robot.set(state_drop=1.0)
    moving.join(30.0)
    assert "joint states after" in str(failed[0])
    robot.set(state_drop=0.0)
    later, stands = wrist(robot)
    assert stands == pytest.approx(0.0, abs=1e-3)
    assert abs(later - place) < 2.0 * abs(speed), "it stood long before the 3 s were over"


def test_a_simulator_is_reset_by_its_service(
    sim_process: Callable[..., NodeProcess], connect: Callable[..., Any]
) -> None:
    """The same environment; who offers the service is reset by it."""
    sim_process(robot="arm", mode="realtime")
    env = connect(reset_by="auto")
    env.reset(seed=0)
    assert not env.unwrapped.robot._link.by_motion
    env.step(stay(env))
    forced = connect()
    forced.reset(seed=0)
    assert forced.unwrapped.robot._link.by_motion
    assert "overruns" in forced.step(stay(forced))[-1]["timing"]


# --- what is wrong with a robot


def test_what_is_missing_is_named(driver: Start, connect: Callable[..., Any], domain_id: int) -> None:
    config = {"joints": [{"name": "elbow_joint"}, {"name": "nose"}]}
    driver(config=config)
    env = connect(connect_timeout_s=2.0)
    with pytest.raises(RobotNotFoundError) as error:
        env.reset(seed=0)
    assert (
        "missing: a subscriber of /joint_command; joints shoulder_pan_joint, shoulder_lift_joint, wrist_1_joint, "
        "wrist_2_joint, wrist_3_joint in /joint_states;" in str(error.value)
    )


def test_a_robot_that_falls_silent(driver: Start, connect: Callable[..., Any]) -> None:
    robot = driver("arm")
    env = connect(step_timeout_s=1.0)
    env.reset(seed=0)
    env.step(stay(env))
    robot.kill()
    action = stay(env)

    def go_on() -> None:
        for _ in range(3):  # a state that was on its way may answer the first
            env.step(action)

    with pytest.raises(RobotLostError, match=r"for joint states after \d+ ns on the robot's clock in vain"):
        go_on()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"reset_by": "hand"}, "reset_by; got 'hand'; expected one of 'auto', 'service', 'motion'."),
        (
            {"reset_by": "motion", "stepping": "lockstep"},
            "reset_by='motion' is for robots; got stepping='lockstep', attach=True; expected stepping='realtime', "
            "attach=True.",
        ),
        ({"max_missed_deadlines": -1}, "max_missed_deadlines; got -1; expected an integer from 0 on, or None."),
    ],
)
def test_keywords(connect: Callable[..., Any], keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as error:
        connect(**keywords)
    assert str(error.value) == message
