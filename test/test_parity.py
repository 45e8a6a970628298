"""The promise: for the same seeds and actions, in process and over topics are equal bit for bit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kinds
from adapter_tools import episodes, first_difference, from_zero, make
from ros_gym_bridge import load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.paths import share_directory
from ros_gym_bridge.robot import Command, Robot, read_only
from ros_gym_bridge.ros.topic_robot import TopicRobot
from ros_gym_bridge.sim.sim_robot import SimRobot

# episodes: seeded, going on without a seed, strict, going on after strict, and the first seed again
RESETS = [(11, False), (None, False), (5, True), (None, False), (None, True), (11, False)]

CASES: list[tuple[str, dict[str, Any]]] = [
    ("Balance", {}),
    ("Balance", {"interface": "velocity", "time_limit_s": 2.0}),
    ("Balance", {"interface": "position", "time_limit_s": 2.0}),
    ("Reach", {"robot": "panda"}),
    ("Reach", {"robot": "panda", "interface": "velocity", "time_limit_s": 1.0}),
    ("Reach", {"robot": "panda", "interface": "effort", "time_limit_s": 1.0}),
    ("Reach", {"robot": "arm", "time_limit_s": 1.0, "control_hz": 50}),
    ("Reach", {"robot": "arm", "interface": "velocity", "time_limit_s": 1.0}),
    ("Reach", {"robot": "arm", "interface": "effort", "time_limit_s": 1.0, "reward": "sparse"}),
    ("Reach", {"robot": "panda_clutter", "time_limit_s": 1.0}),
    ("Reach", {"robot": "kuka", "time_limit_s": 1.0}),
]


def name_of(value: Any) -> str:
    return value if isinstance(value, str) else "-".join(str(v) for v in value.values()) or "default"


def transcript(task: str, keywords: dict[str, Any], resets: list[Any] = RESETS, **more: Any) -> Any:
    env = make(task, **keywords, **more)
    try:
        return episodes(env, resets)
    finally:
        env.close()


@pytest.mark.parametrize(("task", "keywords"), CASES, ids=name_of)
def test_lockstep_equals_in_process(task: str, keywords: dict[str, Any]) -> None:
    direct = transcript(task, keywords)
    assert first_difference(direct, transcript(task, keywords, backend="topics")) == ""


@pytest.mark.parametrize(
    ("task", "keywords"),
    [
        ("Balance", {}),
        ("Reach", {"robot": "panda", "time_limit_s": 1.0}),
        ("Reach", {"robot": "arm", "interface": "effort", "time_limit_s": 1.0}),
        ("Reach", {"robot": "panda_clutter", "time_limit_s": 0.4}),
    ],
    ids=name_of,
)
def test_stepping_by_service_equals_in_process(task: str, keywords: dict[str, Any]) -> None:
    direct = transcript(task, keywords)
    assert first_difference(direct, transcript(task, keywords, backend="topics", stepping="step_service")) == ""


def test_actions_and_seeds_matter() -> None:
    """So that the comparison above cannot hold by both sides standing still."""
    first, second = (transcript("Balance", {}, [(seed, False)]) for seed in (1, 2))
    assert first.digest() != second.digest()
    panda = transcript("Reach", {"time_limit_s": 1.0}, [(1, False)])
    positions = np.array([np.frombuffer(line[0], dtype=np.float32)[:9] for line in panda.lines])
    assert (np.ptp(positions, axis=0)[:7] > 0.01).all()


def test_a_running_node_gives_the_same_episodes_again(domain_id: int, sim_process: Any) -> None:
    """What an episode of one agent leaves behind does not reach the next agent."""
    sim_process(robot="panda", mode="lockstep")
    keywords = {"backend": "topics", "attach": True, "domain_id": domain_id, "time_limit_s": 1.0}
    first = transcript("Reach", keywords, [(4, False), (None, True)])
    second = transcript("Reach", keywords, [(4, False), (None, True)])
    assert first.lines[-1][3] < second.lines[0][3]  # an attached simulator's time goes on
    assert first_difference(from_zero(first), from_zero(second)) == ""


ROBOT = """
extends: panda
name: panda_in_parts
actuators:
  - {name: arm, interface: position, topic: arm/command,
     joints: [panda_joint1, panda_joint2, panda_joint3, panda_joint4, panda_joint5, panda_joint6, panda_joint7]}
  - {name: hand, interface: velocity, topic: hand/command, joints: [panda_finger_joint1]}
joint_states: {topic: arm/joint_states}
channels:
  - {name: tip, kind: link_pose, link: panda_hand, topic: tip_pose}
  - {name: elbow, kind: link_pose, link: panda_link4, topic: elbow_pose, rate_hz: 5}
"""


@pytest.fixture
def robot_in_parts(tmp_path: Path) -> Path:
    """Groups on two topics with two interfaces, joints in another order, one channel at every state and one at
    every fifth."""
    shutil.copy(share_directory() / "config" / "robots" / "panda.yaml", tmp_path)
    path = tmp_path / "panda_in_parts.yaml"
    path.write_text(ROBOT)
    return path


KINDS = [
    ("path", "lockstep"),
    ("path", "step_service"),
    ("numbers", "step_service"),
    ("kinds", "lockstep"),
    ("drive", "lockstep"),
    ("twist", "step_service"),
    ("gripper", "lockstep"),
    ("pushed_gripper", "step_service"),
]


@pytest.mark.parametrize(("name", "stepping"), KINDS, ids="-".join)
def test_every_kind_of_command_gives_the_same_states(name: str, stepping: Any, tmp_path: Path) -> None:
    robot = load_robot(kinds.write(tmp_path, name))
    both: list[Robot] = [SimRobot(robot), TopicRobot(robot, Connection(stepping=stepping))]
    rng = np.random.default_rng(0)
    spec = robot.spec
    middle, half = 0.5 * (spec.command_high + spec.command_low), 0.5 * (spec.command_high - spec.command_low)
    try:
        for seed, options in ((1, None), (None, None), (2, {"strict": True})):
            states = [each.reset(seed, options) for each in both]
            moved = np.zeros(len(spec.joints))
            for _ in range(15):
                assert_equal(*states)
                moved = np.maximum(moved, np.abs(states[0].position - spec.home))
                vector = read_only(middle + half * rng.uniform(-1.2, 1.2, len(half)))
                states = [each.step(Command(vector, states[0].stamp_ns)) for each in both]
            assert moved.min() > 1e-3
    finally:
        for each in both:
            each.close()


@pytest.fixture(params=["lockstep", "step_service"])
def pair(request: pytest.FixtureRequest, robot_in_parts: Path) -> Iterator[tuple[Robot, Robot]]:
    robot = load_robot(robot_in_parts)
    both = SimRobot(robot), TopicRobot(robot, Connection(stepping=request.param))
    yield both
    for each in both:
        each.close()


def test_states_of_two_topics_and_channels_are_equal(pair: tuple[Robot, Robot]) -> None:
    rng = np.random.default_rng(0)
    fresh, kept = 0, 0
    for seed, options in ((1, None), (None, None), (2, {"strict": True}), (None, None)):
        states = [robot.reset(seed, options) for robot in pair]
        for i in range(23):  # a number that rate_hz does not divide: resets fall between two samples
            assert_equal(*states)
            elbow, tip = (states[1].channels[name] for name in ("elbow", "tip"))
            assert tip.stamp_ns == states[1].stamp_ns
            fresh, kept = fresh + (elbow.stamp_ns == tip.stamp_ns), kept + (elbow.stamp_ns < tip.stamp_ns)
            spec = pair[0].spec
            half = 0.5 * (spec.command_high - spec.command_low)
            vector = read_only(spec.command_home + 0.3 * half * rng.uniform(-1.0, 1.0, len(half)))
            states = [robot.step(Command(vector, states[0].stamp_ns)) for robot in pair]
            assert i < 22 or states[0].stamp_ns == states[1].stamp_ns
    assert fresh > 10
    assert kept > 50


@pytest.mark.parametrize("name", ["rover", "laikago"])
def test_robots_without_a_task_are_equal(name: str) -> None:
    robot = load_robot(name)
    both: tuple[Robot, Robot] = SimRobot(robot), TopicRobot(robot, Connection())
    try:
        rng = np.random.default_rng(0)
        half = 0.3 * (robot.spec.command_high - robot.spec.command_low)
        for seed, options in ((3, None), (None, {"strict": True}), (3, None)):
            states = [each.reset(seed, options) for each in both]
            for _ in range(30):
                assert_equal(*states)
                vector = read_only(robot.spec.command_home + half * rng.uniform(-1.0, 1.0, len(half)))
                states = [each.step(Command(vector, states[0].stamp_ns)) for each in both]
            assert np.abs(states[0].position - robot.spec.home).max() > 0.1
    finally:
        for each in both:
            each.close()


def assert_equal(a: Any, b: Any) -> None:
    assert a.stamp_ns == b.stamp_ns
    for name in ("position", "velocity", "effort", "command"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes(), name
    assert a.channels.keys() == b.channels.keys()
    for name, sample in a.channels.items():
        assert sample.stamp_ns == b.channels[name].stamp_ns, name
        assert sample.value.tobytes() == b.channels[name].value.tobytes(), name


@pytest.mark.parametrize("stepping", ["lockstep", "step_service"])
def test_robot_without_a_seed_goes_on_as_in_process(stepping: Any) -> None:
    robot = load_robot("cartpole")  # its home position is noisy
    both: list[Robot] = [SimRobot(robot), TopicRobot(robot, Connection(stepping=stepping))]
    try:
        starts = []
        for seed in (7, None, None, 7, None):
            first, second = (each.reset(seed) for each in both)
            assert_equal(first, second)
            starts.append(first.position.tobytes())
        assert len(set(starts)) == 3
        assert starts[0:2] == starts[3:5]
    finally:
        for each in both:
            each.close()
