"""The scripted policy reaches nearly every goal, from observations alone; and goals are where a robot may go."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest

from ros_gym_bridge.config import RobotFile, load_robot
from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.kinematics import tip_position
from ros_gym_bridge.policies import ReachPolicy
from ros_gym_bridge.sim.world import World
from ros_gym_bridge.tasks import Balance, Reach
from ros_gym_bridge.world_file import world_of

ROBOTS = ("panda", "arm")
INTERFACES = ("position", "velocity")


def reached(robot: str, goals: int, **keywords: Any) -> int:
    """How many of so many goals."""
    env: Any = gymnasium.make("ros_gym_bridge/Reach-v0", robot=robot, disable_env_checker=True, **keywords)
    policy = ReachPolicy(env.unwrapped.robot_file, env.unwrapped.task.fields)
    count = 0
    for seed in range(goals):
        observation, info = env.reset(seed=seed)
        ended = False
        while not ended:
            observation, _, terminated, truncated, info = env.step(policy(observation))
            ended = terminated or truncated
        count += info["success"]
    env.close()
    return count


@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("robot", ROBOTS)
def test_nearly_every_goal_is_reached(robot: str, interface: str) -> None:
    assert reached(robot, 100, interface=interface) >= 98


@pytest.mark.parametrize(
    "options", [{"control_hz": 10}, {"control_hz": 100}, {"radius": 0.01}, {"spread": 1.0}], ids=str
)
@pytest.mark.parametrize("robot", ROBOTS)
def test_other_rates_radii_and_goals_far_off(robot: str, options: dict[str, Any]) -> None:
    assert reached(robot, 40, **options) >= 38


@pytest.mark.slow
@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("robot", ROBOTS)
def test_a_thousand_goals(robot: str, interface: str) -> None:
    assert reached(robot, 1000, interface=interface) >= 990


class Scripted:
    """A policy with what is needed to look at its actions: nothing but a robot file."""

    def __init__(self, robot: str, interface: str = "position") -> None:
        self.file: RobotFile = load_robot(robot, interface=interface)
        self.task = Reach(self.file)
        self.policy = ReachPolicy(self.file, self.task.fields)
        self.tip = tip_position(self.file.model, str(self.file.config.end_effector), self.file.spec.joints)
        spec = self.file.spec
        self.places = [spec.joints.index(entry.joint) for entry in spec.commands]

    def observation(self, position: np.ndarray, goal: np.ndarray) -> np.ndarray:
        """What the task would observe of a robot at rest."""
        tip = np.array(self.tip(position.tolist()))
        return np.concatenate([position, np.zeros(len(position)), tip, goal, goal - tip]).astype(np.float32)

    def commanded(self, action: np.ndarray) -> np.ndarray:
        """An action in the commands' units."""
        spec = self.file.spec
        middle, half = 0.5 * (spec.command_high + spec.command_low), 0.5 * (spec.command_high - spec.command_low)
        return middle + half * action.astype(np.float64)

    def moved(self, position: np.ndarray, action: np.ndarray) -> np.ndarray:
        """Where the joints stand after one control period that follows the command exactly."""
        after, spec = position.copy(), self.file.spec
        command = self.commanded(action)
        positional = spec.commands[0].interface == "position"
        after[self.places] = command if positional else position[self.places] + command / spec.control_hz
        return after


@pytest.mark.parametrize("interface", INTERFACES)
@pytest.mark.parametrize("robot", ROBOTS)
def test_every_action_is_allowed_and_leads_to_the_goal(robot: str, interface: str) -> None:
    scripted, rng = Scripted(robot, interface), np.random.default_rng(5)
    spec = scripted.file.spec
    for _ in range(200):
        position, there = rng.uniform(spec.lower, spec.upper, (2, len(spec.joints)))
        goal = np.array(scripted.tip(there.tolist()))
        action = scripted.policy(scripted.observation(position, goal))
        assert action.dtype == np.float32
        assert action.shape == (len(spec.commands),)
        assert np.all(np.abs(action) <= 1.0)
        after = scripted.moved(position, action)
        assert np.all(np.abs(after - position) <= 1.001 * spec.max_velocity / spec.control_hz + 1e-6)
        before_m, after_m = (np.linalg.norm(goal - scripted.tip(p.tolist())) for p in (position, after))
        assert after_m < before_m + 0.02  # a step may swing wide, by the curvature that one Jacobian does not see


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_joint_at_its_limit_is_left_out_and_the_others_go_on(interface: str) -> None:
    scripted = Scripted("arm", interface)
    spec = scripted.file.spec
    position = spec.home.copy()
    position[2] = spec.upper[2]  # the elbow, folded as far as it goes
    goal = np.array(scripted.tip(position.tolist()))
    folded = position.copy()
    folded[2] += 0.2
    goal = np.array(scripted.tip(folded.tolist()))
    after = scripted.moved(position, scripted.policy(scripted.observation(position, goal)))
    assert after[2] <= spec.upper[2] + 1e-6
    before_m, after_m = (np.linalg.norm(goal - scripted.tip(p.tolist())) for p in (position, after))
    assert after_m < before_m


def test_nothing_is_kept_from_step_to_step() -> None:
    scripted, rng = Scripted("panda"), np.random.default_rng(1)
    spec = scripted.file.spec
    observations = [
        scripted.observation(rng.uniform(spec.lower, spec.upper), rng.uniform(0.2, 0.5, 3)) for _ in range(20)
    ]
    forwards = [scripted.policy(observation).tobytes() for observation in observations]
    backwards = [scripted.policy(observation).tobytes() for observation in reversed(observations)]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == 20


def test_no_simulator_is_needed() -> None:
    code = (
        "import sys; from ros_gym_bridge.config import load_robot; from ros_gym_bridge.tasks import Reach\n"
        "from ros_gym_bridge.policies import ReachPolicy; import numpy as np\n"
        "robot = load_robot('panda'); task = Reach(robot)\n"
        "print(ReachPolicy(robot, task.fields)(np.full(len(task.fields), 0.1, np.float32)).shape)\n"
        "assert 'pybullet' not in sys.modules and 'rclpy' not in sys.modules, 'loaded'"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "(8,)\n"


def test_efforts_are_refused() -> None:
    robot = load_robot("arm", interface="effort")
    names = ", ".join(f"{entry.joint}/effort" for entry in robot.spec.commands)
    message = (
        f"the scripted policy cannot command efforts: {names}; expected position or velocity commands; "
        "Pass interface='position'."
    )
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        ReachPolicy(robot, Reach(robot).fields)


def test_another_task_is_refused() -> None:
    message = (
        "the scripted policy needs the observation 'shoulder_pan_joint position'; got cart position, cart velocity, "
        "pole angle, pole angular velocity; Use it with the task Reach."
    )
    with pytest.raises(OptionError, match=f"^{re.escape(message)}$"):
        ReachPolicy(load_robot("arm"), Balance(load_robot("cartpole")).fields)


# --- where goals are


@pytest.mark.parametrize("robot", ROBOTS)
def test_no_goal_is_inside_the_robot(robot: str) -> None:
    """In the pose that a goal was drawn from, no link lies in another one."""
    file = load_robot(robot)
    world = World(world_of(file))
    task = Reach(file)
    poses: list[list[float]] = []
    clear = task._clear_of_itself
    task._clear_of_itself = lambda pose: clear(pose) and not poses.append(list(pose))  # type: ignore[func-returns-value]
    env: Any = gymnasium.make("ros_gym_bridge/Reach-v0", robot=robot, disable_env_checker=True).unwrapped
    start, rng = env.robot.reset(0), np.random.default_rng(0)
    for _ in range(300):
        task.begin(start, rng)
    assert len(poses) == 300
    assert [pose for pose in poses if _touches_itself(world, pose)] == []
    world.close()
    env.close()


def test_the_check_for_self_contact_can_fail() -> None:
    file = load_robot("arm")
    world, spec = World(world_of(file)), file.spec
    folded = spec.home.copy()
    folded[1], folded[2], folded[3] = 0.0, spec.upper[2], spec.upper[3]
    assert _touches_itself(world, folded.tolist())
    assert not Reach(file)._clear_of_itself(folded.tolist())
    world.close()


def _touches_itself(world: World, pose: list[float]) -> bool:
    """Whether links that are neither neighbours nor next to neighbours overlap by 5 mm, as PyBullet sees it."""
    client, body = world.client, world.robots[0].id
    world.robots[0].set_joints(pose, [0.0] * len(pose))
    parents = {link: client.getJointInfo(body, link)[16] for link in range(client.getNumJoints(body))}
    pairs = [
        (a, b) for b, above in parents.items() for a in range(-1, b) if a != above and a != parents.get(above, above)
    ]
    return any(client.getClosestPoints(body, body, -0.005, a, b) for a, b in pairs)
