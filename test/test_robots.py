"""The robots of pybullet_data that come ready to run."""

from __future__ import annotations

import numpy as np
import pytest

from adapter_tools import make
from ros_gym_bridge import load_robot
from ros_gym_bridge.policies import ReachPolicy
from ros_gym_bridge.robot import Command, read_only
from ros_gym_bridge.sim.sim_robot import SimRobot


def test_laikago_stands_at_home() -> None:
    """For five seconds: level, where it was put, and still."""
    robot = SimRobot(load_robot("laikago"))
    try:
        state = robot.reset(seed=0)
        start = np.array(robot.body_poses()[""][0])
        for period in range(5 * robot.spec.control_hz):
            state = robot.step(Command(robot.spec.command_home, state.stamp_ns))
            place, turn = robot.body_poses()[""]
            assert np.abs(place - start).max() < 0.005, period
            assert turn == pytest.approx((0.0, 0.0, 0.0, 1.0), abs=0.01), period
        assert state.position == pytest.approx(robot.spec.home, abs=1e-3)
        assert np.abs(state.velocity).max() < 1e-3
        assert np.abs(state.effort).max() > 5.0, "its motors carry it"
    finally:
        robot.close()


def test_a_reset_forgets_where_feet_stood() -> None:
    """Convex feet on the floor keep a guess of where they touch; episodes of other lengths leave other guesses."""
    robot = SimRobot(load_robot("laikago"))
    episodes = []
    try:
        for periods in (30, 3, 30, 8, 30):
            state, positions = robot.reset(seed=7), []
            for period in range(periods):
                command = read_only(robot.spec.command_home * (1.0 + 0.01 * (period % 5)))
                state = robot.step(Command(command, state.stamp_ns))
                positions.append(state.position.tobytes())
            episodes.append(positions)
    finally:
        robot.close()
    assert episodes[0] == episodes[2] == episodes[4]
    assert episodes[1] == episodes[0][:3]
    assert episodes[3] == episodes[0][:8]


def test_kuka_reaches_every_goal() -> None:
    env = make("Reach", robot="kuka")
    policy = ReachPolicy(env.unwrapped.robot_file, env.unwrapped.task.fields)
    try:
        for seed in range(10):
            observation, info = env.reset(seed=seed)
            ended = False
            while not ended:
                observation, _, terminated, truncated, info = env.step(policy(observation))
                ended = terminated or truncated
            assert info["success"], (seed, info["distance"])
    finally:
        env.close()
