"""The demo, run as a user runs it, and its claims checked by another way."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from PIL import Image

from conftest import wait_for
from ros_gym_bridge.config import load_robot
from ros_gym_bridge.episode import Count, Episode, count_steps, difference
from ros_gym_bridge.policies import ReachPolicy

COMMAND = Path(sys.executable).parent / "ros-gym-bridge"
ENVIRONMENT = {**os.environ, "COLUMNS": "100", "TERM": "dumb"}


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The demo in a folder."""
    return subprocess.run(
        [COMMAND, "demo", *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=120
    )


def figures(output: str) -> dict[str, str]:
    """The table's figures by name."""
    rows = (line.strip("│ ").split("│") for line in output.splitlines() if line.startswith("│"))
    return {row[0].strip(): row[1].strip() for row in rows if row[0].strip()}


def in_process(robot: str, seed: int) -> tuple[int, bool, str]:
    """Steps, success and hash of an episode, by a loop of this test's own."""
    env: Any = gymnasium.make("ros_gym_bridge/Reach-v0", robot=robot)
    policy = ReachPolicy(env.unwrapped.robot_file, env.unwrapped.task.fields)
    observation, info = env.reset(seed=seed)
    seen, rewards, stamps = observation.tobytes(), b"", struct.pack("<q", info["timing"]["stamp_ns"])
    steps, ended = 0, False
    while not ended:
        observation, reward, terminated, truncated, info = env.step(policy(observation))
        seen += observation.tobytes()
        rewards += struct.pack("<d", reward)
        stamps += struct.pack("<q", info["timing"]["stamp_ns"])
        steps, ended = steps + 1, terminated or truncated
    env.close()
    return steps, info["success"], hashlib.sha256(seen + rewards + stamps).hexdigest()


@pytest.mark.parametrize("robot", ["arm", "panda"])
def test_the_demo_says_what_is_true(robot: str, tmp_path: Path) -> None:
    ran = demo(tmp_path, "--robot", robot, "--episodes", "3", "--seed", "5")
    assert (ran.returncode, ran.stderr) == (0, "")
    episodes = [in_process(robot, seed) for seed in (5, 6, 7)]
    table = figures(ran.stdout)
    steps = str(sum(episode[0] for episode in episodes))
    assert table["goals reached"] == f"{sum(episode[1] for episode in episodes)} of 3"
    assert (table["steps"], table["the node's count"]) == (steps, steps)
    assert (table["lost"], table["doubled"]) == ("0", "0")
    assert float(table["steps per second"]) > 10.0
    assert 0.0 < float(table["latency, median"].split()[0]) <= float(table["latency, 99 %"].split()[0])
    assert f"equal bit for bit: {episodes[0][0] + 1} observations, {episodes[0][0]} rewards and" in ran.stdout
    assert f"sha256 {episodes[0][2]}\n" in ran.stdout
    assert f"Picture of the robot at its goal: {tmp_path}/reach_{robot}.png\n" in ran.stdout
    _check_picture(tmp_path / f"reach_{robot}.png")
    assert os.listdir(tmp_path) == [f"reach_{robot}.png"]


def _check_picture(path: Path) -> None:
    """The goal is a green disc within the picture."""
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (800, 600))
        red, green, blue = np.array(image).astype(int).transpose(2, 0, 1)
    goal = (green > red + 60) & (green > blue + 60)
    assert 100 < goal.sum() < 20_000
    rows, columns = np.nonzero(goal)
    assert {rows.min() > 0, rows.max() < 599, columns.min() > 0, columns.max() < 799} == {True}


def test_another_seed_is_another_episode(tmp_path: Path) -> None:
    first, second = (
        re.findall("sha256 .*", demo(tmp_path, "--robot", "arm", "--episodes", "1", "--seed", seed).stdout)
        for seed in ("1", "2")
    )
    assert len(first) == len(second) == 1
    assert first != second


def test_a_picture_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "reach_arm.png").mkdir()
    ran = demo(tmp_path, "--robot", "arm", "--episodes", "1")
    assert ran.returncode == 1
    assert ran.stderr == (
        f"error: {tmp_path}/reach_arm.png: cannot be written; got [Errno 21] Is a directory: "
        f"'{tmp_path}/reach_arm.png'; Start the demo elsewhere.\n"
    )


@pytest.fixture
def long_demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A demo in the middle of many episodes, and the process of its node."""
    process = subprocess.Popen(
        [COMMAND, "demo", "--robot", "arm", "--episodes", "100000"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        node = wait_for(lambda: _node_of(process.pid), 30.0, "the node")
        wait_for(lambda: _cpu_s(node) > 2.5, 60.0, "the node at work: it has started after half of this")
        yield process, node
    finally:
        process.kill()
        process.communicate()


def test_a_node_that_is_killed_is_a_failure(long_demo: tuple[subprocess.Popen[str], int]) -> None:
    process, node = long_demo
    os.kill(node, signal.SIGKILL)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    ended = rf"the simulation node \(process {node}\) has ended (with code -9|between two episodes); .*\n"
    assert re.fullmatch(rf"error: .*{ended}", errors), errors


def test_ctrl_c_ends_it_quietly(long_demo: tuple[subprocess.Popen[str], int]) -> None:
    process, node = long_demo
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors.strip()) == (130, "")
    wait_for(lambda: not Path(f"/proc/{node}").exists(), 5.0, "the end of the node")


def _node_of(parent: int) -> int:
    """The child that is a simulation node; 0 while there is none."""
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        if b"ros_gym_bridge.ros.sim_node" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    return 0


def _cpu_s(pid: int) -> float:
    """Seconds that a process has worked."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- what the claims rest on


def an_episode() -> Episode:
    """Three steps of a robot with two numbers to observe; its first state is the one after a first reset."""
    period = 40_000_000
    return Episode(
        observations=[np.array([step, -step], dtype=np.float32) for step in range(4)],
        rewards=[-0.5, -0.25, 0.0],
        stamps_ns=[period * (2 + step) for step in range(4)],
    )


def test_the_hash_is_over_every_bit() -> None:
    episode = an_episode()
    data = struct.pack("<8f", 0, 0, 1, -1, 2, -2, 3, -3) + struct.pack("<3d", -0.5, -0.25, 0.0)
    data += struct.pack("<4q", *(40_000_000 * n for n in (2, 3, 4, 5)))
    # minus zero is what -step is at the first step
    data = data[:4] + struct.pack("<f", episode.observations[0][1]) + data[8:]
    assert episode.digest() == hashlib.sha256(data).hexdigest()


def test_equal_episodes_do_not_differ() -> None:
    assert difference(an_episode(), an_episode(), ["a", "b"]) == ""


def _with_observation(value: float) -> Episode:
    episode = an_episode()
    episode.observations[2] = np.array([2.0, value], dtype=np.float32)
    return episode


@pytest.mark.parametrize(
    ("other", "where"),
    [
        (
            _with_observation(np.nextafter(np.float32(-2.0), np.float32(0.0))),
            "observation 'b' after step 2: -2.0 over topics, -1.9999999 in process",
        ),
        (
            dataclasses.replace(an_episode(), rewards=[-0.5, -0.25, 1e-300]),
            "reward of step 3: 0.0 over topics, 1e-300 in process",
        ),
        (
            dataclasses.replace(an_episode(), stamps_ns=[80_000_000, 120_000_000, 160_000_000, 200_000_001]),
            "stamp after step 3: 200000000 ns over topics, 200000001 ns in process",
        ),
        (dataclasses.replace(an_episode(), rewards=[-0.5, -0.25]), "3 steps over topics, 2 in process"),
    ],
    ids=["observation", "reward", "stamp", "length"],
)
def test_a_difference_is_named(other: Episode, where: str) -> None:
    assert difference(an_episode(), other, ["a", "b"]) == where


def test_a_negative_zero_is_a_difference() -> None:
    other = dataclasses.replace(an_episode(), rewards=[-0.5, -0.25, -0.0])
    found = difference(an_episode(), other, ["a", "b"])
    assert found == "reward of step 3: 0.0 over topics, -0.0 in process"


def _stamped(*periods: int) -> Episode:
    return dataclasses.replace(
        an_episode(), stamps_ns=[40_000_000 * period for period in periods], rewards=[0.0] * (len(periods) - 1)
    )


@pytest.mark.parametrize(
    ("episodes", "count"),
    [
        ([_stamped(2, 3, 4, 5)], Count(3, 0, 0, 3)),
        ([_stamped(2, 3, 4), _stamped(5, 6)], Count(3, 0, 0, 3)),
        ([_stamped(2, 3, 5, 6)], Count(3, 0, 1, 4)),
        ([_stamped(2, 3, 3, 4)], Count(3, 1, 0, 2)),
        ([_stamped(3, 4, 5)], Count(2, 0, 0, 3)),
    ],
    ids=["good", "two episodes", "doubled", "lost", "stepped before"],
)
def test_steps_are_counted_on_the_simulator_s_clock(episodes: list[Episode], count: Count) -> None:
    assert count_steps(episodes, load_robot("arm").spec) == count
