"""What Gymnasium and its users rely on, for every task, robot and backend."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.utils.passive_env_checker import env_render_passive_checker

import kinds
import ros_gym_bridge
from adapter_tools import make
from ros_gym_bridge import robot_names
from ros_gym_bridge.errors import (
    CommandError,
    MissingDependencyError,
    OptionError,
    ResetNeededError,
    RobotClosedError,
    RobotFileError,
)


def able(task: str, robot: str) -> bool:
    """Whether a robot can do a task."""
    try:
        ros_gym_bridge.tasks.TASKS[task](ros_gym_bridge.load_robot(robot))
    except RobotFileError:
        return False
    return True


TASKS = [(task, robot) for task in ros_gym_bridge.tasks.TASKS for robot in robot_names() if able(task, robot)]
BACKENDS = ["sim", "topics"]


def test_nothing_is_left_out() -> None:
    ids = {spec.name for spec in gym.registry.values() if spec.namespace == "ros_gym_bridge"}
    assert ids == {task for task, _ in TASKS}
    assert {("Reach", "panda"), ("Reach", "arm"), ("Reach", "panda_clutter"), ("Balance", "cartpole")} <= set(TASKS)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("task", "robot"), TASKS)
def test_gymnasium_s_checker(task: str, robot: str, backend: str) -> None:
    """Warnings are errors here (see pyproject.toml). Where no window can be opened, pictures alone are checked."""
    env = make(task, robot=robot, backend=backend, render_mode="rgb_array")
    try:
        check_env(env.unwrapped, skip_render_check=not os.environ.get("DISPLAY"))
        env_render_passive_checker(env.unwrapped)
    finally:
        env.close()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("path", {"backend": "sim"}),
        ("path", {"backend": "topics"}),
        ("kinds", {"backend": "topics"}),
        ("numbers", {"backend": "topics", "stepping": "step_service"}),
    ],
)
def test_gymnasium_s_checker_for_every_kind_of_command(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    env = make("Reach", robot=str(kinds.write(tmp_path, kind)), **options)
    try:
        check_env(env.unwrapped, skip_render_check=True)
    finally:
        env.close()


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("task", "robot"), TASKS)
def test_stable_baselines_checker(task: str, robot: str, backend: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason="made available by make test-slow")
    env = make(task, robot=robot, backend=backend)
    try:
        checker.check_env(env.unwrapped, warn=True)
    finally:
        env.close()


LONG = [
    ("Reach", {"robot": "panda", "interface": "position"}),
    ("Reach", {"robot": "panda", "interface": "velocity"}),
    ("Reach", {"robot": "panda", "interface": "effort"}),
    ("Reach", {"robot": "arm", "interface": "position"}),
    ("Reach", {"robot": "arm", "interface": "velocity"}),
    ("Reach", {"robot": "arm", "interface": "effort"}),
    ("Reach", {"robot": "panda_clutter"}),
    ("Balance", {"interface": "position"}),
    ("Balance", {"interface": "velocity"}),
    ("Balance", {"interface": "effort"}),
]


@pytest.mark.parametrize(("task", "keywords"), LONG, ids=lambda v: v if isinstance(v, str) else "-".join(v.values()))
@pytest.mark.parametrize("style", ["random", "to and fro"])
def test_spaces_are_truthful(task: str, keywords: dict[str, str], style: str) -> None:
    """Finite bounds that hold, and positions hold without help. Speeds are clipped where a simulated joint that is
    driven to and fro at full strength outruns twice its limit; in effort mode that happens all the time."""
    env = make(task, time_limit_s=8.0, **keywords)
    box = env.observation_space
    assert np.isfinite(box.low).all()
    assert np.isfinite(box.high).all()
    assert (env.action_space.low == -1.0).all()
    assert (env.action_space.high == 1.0).all()
    rng = np.random.default_rng(0)
    seen: list[Any] = []
    clipped = np.zeros(box.shape, int)
    try:
        for seed in range(3):
            said, _ = env.reset(seed=seed)
            done = False
            while not done:
                assert said.dtype == np.float32
                assert box.contains(said)
                seen.append(said)
                raw = np.array(env.unwrapped.task.evaluate(env.unwrapped._state).observation, dtype=np.float32)
                clipped += raw != said
                side = np.sign(np.sin(0.2 * len(seen)))
                action = rng.uniform(-1.0, 1.0, env.action_space.shape) if style == "random" else side
                said, _, terminated, truncated, _ = env.step(np.full(env.action_space.shape, action, np.float32))
                done = terminated or truncated
    finally:
        env.close()
    names = [field.name for field in env.unwrapped.task.fields]
    shares = dict(zip(names, (clipped / len(seen)).tolist(), strict=True))
    assert max(share for name, share in shares.items() if "velocity" not in name) <= 0.02, shares
    assert keywords.get("interface") == "effort" or np.mean(list(shares.values())) <= 0.05, shares
    spread = dict(zip(names, np.ptp(np.array(seen), axis=0).tolist(), strict=True))
    assert min(spread.values()) > 0.0, spread


@pytest.mark.parametrize("backend", BACKENDS)
def test_truncated_at_the_time_limit_and_not_before(backend: str) -> None:
    env = make("Reach", backend=backend, time_limit_s=0.4, radius=0.001)
    try:
        for _ in range(2):
            env.reset(seed=1)
            ends = [env.step(np.zeros(env.action_space.shape, np.float32))[2:4] for _ in range(10)]
            assert ends == [(False, False)] * 9 + [(False, True)]
    finally:
        env.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_terminated_when_the_pole_falls(backend: str) -> None:
    env = make("Balance", backend=backend)
    try:
        env.reset(seed=1)
        terminated, rewards = False, []
        while not terminated:
            said, reward, terminated, truncated, info = env.step(np.ones(1, np.float32))
            rewards.append(reward)
            assert not truncated
            assert info["success"] is not terminated
        assert abs(said[2]) > np.radians(12.0)
        assert rewards == [1.0] * (len(rewards) - 1) + [0.0]
    finally:
        env.close()


def test_terminated_in_the_goal_and_both_rewards() -> None:
    """Driven by what only the test knows: the goal is where the joints are."""
    for reward, at_goal in (("sparse", 0.0), ("dense", None)):
        env = make("Reach", robot="arm", reward=reward, radius=0.03)
        task, spec = env.unwrapped.task, env.unwrapped.robot_file.spec
        half = 0.5 * (spec.command_high - spec.command_low)
        stay = ((spec.command_home - spec.command_low) / half - 1.0).astype(np.float32)
        env.reset(seed=1)
        _, got, terminated, _, info = env.step(stay)
        assert terminated is False
        assert got == (-1.0 if reward == "sparse" else -info["distance"])
        task._goal = task._tip(env.unwrapped._state.position.tolist())
        _, got, terminated, truncated, info = env.step(stay)
        assert (terminated, truncated, info["success"]) == (True, False, True)
        assert got == (at_goal if at_goal is not None else -info["distance"])
        assert info["distance"] <= 0.03
        env.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_applied_command_is_what_was_applied(backend: str) -> None:
    """Scaled to the limits, then held back by the joints' velocity; repeated by the states where they can say it."""
    env = make("Reach", robot="panda", backend=backend)
    spec = env.unwrapped.robot_file.spec
    try:
        _, info = env.reset(seed=1)
        previous = info["applied_command"]
        assert np.array_equal(previous, spec.command_home)
        for _ in range(100):
            info = env.step(np.ones(env.action_space.shape, np.float32))[4]
            applied = info["applied_command"]
            assert np.array_equal(applied, np.minimum(spec.command_high, previous + spec.max_change))
            previous = applied
        assert np.array_equal(applied, spec.command_high)
    finally:
        env.close()
    push = make("Balance", backend=backend)
    try:
        push.reset(seed=1)
        for action in (0.3, -1.0, 1.0):
            applied = push.step(np.array([action], np.float32))[4]["applied_command"]
            assert applied[0] == np.float64(np.float32(action)) * 10.0 == push.unwrapped._state.effort[0]
    finally:
        push.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_only_timing_depends_on_the_clock(backend: str) -> None:
    env = make("Balance", backend=backend)
    try:
        infos = []
        for _ in range(2):
            _, info = env.reset(seed=3)
            infos.append([info, *(env.step(np.zeros(1, np.float32))[4] for _ in range(3))])
        for first, second in zip(*infos, strict=True):
            assert set(first) == {"success", "applied_command", "timing"}
            assert first["success"] == second["success"]
            assert np.array_equal(first["applied_command"], second["applied_command"])
            assert dict(first["timing"]) != dict(second["timing"])  # the second episode is a later one
            assert first["timing"] == second["timing"]  # but that makes no difference
    finally:
        env.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_refused_actions_change_nothing(backend: str) -> None:
    env = make("Balance", backend=backend)
    try:
        said = [env.reset(seed=1)[0]]
        with pytest.raises(
            OptionError, match=r"^action of the wrong shape; got \(2,\); expected \(1,\): slider_to_car"
        ):
            env.step(np.zeros(2, np.float32))
        with pytest.raises(
            CommandError, match=r"^command for slider_to_cart/effort is not finite; got nan; expected a"
        ):
            env.step(np.array([np.nan], np.float32))
        said.append(env.step(np.ones(1, np.float32))[0])
        again = [env.reset(seed=1)[0], env.step(np.ones(1, np.float32))[0]]
        assert np.array_equal(said, again)
    finally:
        env.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_order_of_calls(backend: str) -> None:
    env = make("Balance", backend=backend, render_mode="rgb_array").unwrapped
    with pytest.raises(ResetNeededError, match=r"^step before the first reset; Call reset\(\) first\.$"):
        env.step(np.zeros(1, np.float32))
    with pytest.raises(ResetNeededError, match=r"^render before the first reset; Call reset\(\) first\.$"):
        env.render()
    with pytest.raises(OptionError, match=r"^unknown reset option 'quick'; expected 'strict'; Remove it\.$"):
        env.reset(options={"quick": True})
    env.close()
    env.close()
    with pytest.raises(RobotClosedError, match=r"^the robot is closed; Make a new one\.$"):
        env.reset()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("task", "robot"), TASKS)
def test_pictures(task: str, robot: str, backend: str) -> None:
    """They show the robot, they change with it, and looking changes nothing."""
    env, blind = (make(task, robot=robot, backend=backend, render_mode=mode) for mode in ("rgb_array", None))
    try:
        for each in (env, blind):
            each.reset(seed=1)
        pictures = [env.render()]
        for _ in range(10):
            action = 0.5 * np.ones(env.action_space.shape, np.float32)
            results = [each.step(action)[0].tobytes() for each in (env, blind)]
            assert results[0] == results[1]
        pictures.append(env.render())
        for picture in pictures:
            assert (picture.shape, picture.dtype) == ((360, 480, 3), np.uint8)
            assert picture.std() > 5.0
        assert (pictures[0] != pictures[1]).any(axis=2).mean() > 0.001
        assert env.metadata["render_fps"] == env.unwrapped.robot_file.spec.control_hz
    finally:
        for each in (env, blind):
            each.close()


def test_render_without_a_mode_says_so() -> None:
    env = make("Balance").unwrapped
    env.reset(seed=1)
    with pytest.warns(UserWarning, match=r"render\(\) without a render mode: pass render_mode='rgb_array' to gym.make"):
        assert env.render() is None
    env.close()


@pytest.mark.parametrize("backend", BACKENDS)
def test_window_without_a_display(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    env = make("Balance", backend=backend, render_mode="human")
    try:
        with pytest.raises(MissingDependencyError) as caught:
            env.reset(seed=1)
    finally:
        env.close()
    assert str(caught.value) == (
        "PyBullet's window needs an X display; got DISPLAY is not set; Run on a desktop or under Xvfb, or leave the "
        "window off (render_mode='rgb_array')."
    )


@pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="no DISPLAY: PyBullet's window cannot be opened here")
def test_window() -> None:
    env = make("Balance", render_mode="human")
    env.reset(seed=1)
    env.step(np.zeros(1, np.float32))
    env.close()
