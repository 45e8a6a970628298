"""The tasks by their own definition: observation, reward and end, on states made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fake_robot import FakeRobot
from ros_gym_bridge import load_robot
from ros_gym_bridge.errors import OptionError, RobotFileError
from ros_gym_bridge.kinematics import tip_position
from ros_gym_bridge.robot import RobotState, read_only
from ros_gym_bridge.tasks import Balance, Evaluation, Reach

PANDA, ARM, CARTPOLE = load_robot("panda"), load_robot("arm"), load_robot("cartpole")


def state(position: list[float], velocity: list[float] | None = None) -> RobotState:
    zeros = [0.0] * len(position)
    return RobotState(1, read_only(position), read_only(velocity or zeros), read_only(zeros), read_only([0.0]), {})


def by_name(task: Reach | Balance, evaluation: Evaluation) -> dict[str, float]:
    assert len(task.fields) == len(evaluation.observation)
    return {field.name: value for field, value in zip(task.fields, evaluation.observation, strict=True)}


@pytest.mark.parametrize("robot", [PANDA, ARM], ids=["panda", "arm"])
@pytest.mark.parametrize("reward", ["dense", "sparse"])
def test_reach(robot: object, reward: str) -> None:
    robot_file = PANDA if robot is PANDA else ARM
    task = Reach(robot_file, reward=reward, radius=0.03)  # type: ignore[arg-type]
    start = FakeRobot(robot_file).reset(1)
    tip = tip_position(robot_file.model, str(robot_file.config.end_effector), robot_file.spec.joints)
    rng = np.random.default_rng(0)
    goals = set()
    for _ in range(50):
        task.begin(start, rng)
        evaluation = task.evaluate(start)
        seen = by_name(task, evaluation)
        goal = [seen[f"goal {axis}"] for axis in "xyz"]
        here = [seen[f"end effector {axis}"] for axis in "xyz"]
        assert here == list(tip(start.position.tolist()))
        distance = math.dist(goal, here)
        way = [a - b for a, b in zip(goal, here, strict=True)]
        assert [seen[f"goal minus end effector {axis}"] for axis in "xyz"] == way
        assert evaluation.info["distance"] == pytest.approx(distance)
        assert distance > 0.06
        assert goal[2] > 0.05
        assert evaluation.reward == pytest.approx(-distance if reward == "dense" else -1.0)
        assert not evaluation.terminated
        assert evaluation.info["success"] is False
        goals.add(tuple(goal))
    assert len(goals) == 50


def test_reach_ends_at_the_goal() -> None:
    task = Reach(PANDA, reward="sparse")
    rng = np.random.default_rng(0)
    home = FakeRobot(PANDA).reset(1)
    task.begin(home, rng)
    goal = np.array(task.markers()[0].position)
    tip = tip_position(PANDA.model, "panda_grasptarget", PANDA.spec.joints)
    position = np.array(PANDA.spec.home)
    for _ in range(400):  # walk there by the gradient of the distance
        error = goal - np.array(tip(position.tolist()))
        step = np.zeros(9)
        for joint in range(7):
            moved = position.copy()
            moved[joint] += 1e-6
            step[joint] = error @ ((np.array(tip(moved.tolist())) - np.array(tip(position.tolist()))) / 1e-6)
        position += 0.5 * step
    evaluation = task.evaluate(state(position.tolist()))
    assert evaluation.terminated
    assert evaluation.info["success"] is True
    assert evaluation.reward == 0.0


def test_same_generator_same_goal() -> None:
    home = FakeRobot(PANDA).reset(1)
    goals = []
    for _ in range(2):
        task = Reach(PANDA)
        task.begin(home, np.random.default_rng(5))
        goals.append(task.markers())
    assert goals[0] == goals[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reward": "shaped"}, "reward; got 'shaped'; expected 'dense' or 'sparse'."),
        ({"radius": 0.0}, "radius; got 0.0; expected metres between 0 and 1."),
        ({"spread": 1.5}, "spread; got 1.5; expected a share of the joints' range between 0 and 1."),
    ],
)
def test_reach_refuses(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Reach(PANDA, **options)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_reach_needs_an_end_effector() -> None:
    with pytest.raises(RobotFileError, match=r"cartpole.yaml: end_effector; got None; .* Add 'end_effector: LINK'"):
        Reach(CARTPOLE)


def test_no_goal_to_be_found_is_said() -> None:
    with pytest.raises(OptionError, match=r"no goal found in 1000 draws; got spread=0\.001, radius=0\.5"):
        Reach(PANDA, spread=0.001, radius=0.5).begin(FakeRobot(PANDA).reset(1), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("cart", "pole", "upright"),
    [
        (0.0, 0.0, True),
        (2.39, math.radians(11.9), True),
        (2.41, 0.0, False),
        (-2.41, 0.0, False),
        (0.0, math.radians(12.1), False),
        (0.0, -math.radians(12.1), False),
        (0.0, 2 * math.pi, True),
        (0.0, math.pi, False),
    ],
)
def test_balance(cart: float, pole: float, upright: bool) -> None:
    task = Balance(CARTPOLE)
    evaluation = task.evaluate(state([cart, pole], [0.5, -0.25]))
    assert evaluation.terminated is not upright
    assert evaluation.info == {"success": upright}
    assert evaluation.reward == float(upright)
    seen = by_name(task, evaluation)
    assert seen["cart position"] == cart
    assert seen["cart velocity"] == 0.5
    assert seen["pole angle"] == pytest.approx(math.remainder(pole, 2 * math.pi))
    assert seen["pole angular velocity"] == -0.25


def test_balance_needs_its_joints() -> None:
    with pytest.raises(RobotFileError, match="Balance needs the joint 'slider_to_cart'"):
        Balance(PANDA)
