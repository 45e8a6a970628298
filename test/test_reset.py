"""Resets are bit-identical: from seed to seed, from snapshot to reload, whatever an episode has done to the world."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.errors import ResetNeededError
from ros_gym_bridge.robot import Command, RobotState, read_only
from ros_gym_bridge.sim.robot_body import RobotBody
from ros_gym_bridge.sim.sim_robot import SimRobot
from ros_gym_bridge.sim.world import World

ROBOTS = ["panda", "arm", "cartpole", "panda_clutter"]


@pytest.fixture(params=ROBOTS)
def robot(request: pytest.FixtureRequest) -> Iterator[SimRobot]:
    robot = SimRobot(load_robot(request.param))
    yield robot
    robot.close()


@pytest.fixture
def clutter() -> Iterator[SimRobot]:
    robot = SimRobot(load_robot("panda_clutter"))
    yield robot
    robot.close()


def world(robot: SimRobot) -> World:
    return robot.simulation.world


def body(robot: SimRobot) -> RobotBody:
    return robot.simulation.robots[0].body


def advance(robot: SimRobot, physics_steps: int) -> None:
    robot.simulation.advance([robot.spec.command_home], physics_steps)


def run(robot: SimRobot, state: RobotState, steps: int = 25) -> list[bytes]:
    """Everything that can be seen of an episode under seeded random commands, as bytes."""
    rng = np.random.default_rng(11)
    spec = robot.spec
    seen = []
    for _ in range(steps):
        vector = read_only(rng.uniform(spec.command_low, spec.command_high))
        state = robot.step(Command(vector, state.stamp_ns))
        poses = np.array([value for pose in robot.body_poses().values() for part in pose for value in part])
        seen.append(b"".join(a.tobytes() for a in (state.position, state.velocity, state.effort, state.command, poses)))
    return seen


def test_same_seed_same_episode_and_another_seed_another(robot: SimRobot) -> None:
    first, again = run(robot, robot.reset(3)), run(robot, robot.reset(3))
    assert first == again
    noisy = any(joint.home_noise for joint in robot.robot_file.config.joints)
    assert (run(robot, robot.reset(4)) != first) == noisy


def test_snapshot_reload_and_a_new_process_worth_of_world_agree(robot: SimRobot) -> None:
    snapshot = run(robot, robot.reset(3))
    strict = run(robot, robot.reset(3, {"strict": True}))
    after_strict = run(robot, robot.reset(3))
    other = SimRobot(robot.robot_file)
    assert snapshot == strict == after_strict == run(other, other.reset(3))
    other.close()


def test_two_simulations_do_not_touch_each_other(robot: SimRobot) -> None:
    alone = run(robot, robot.reset(3))
    other = SimRobot(load_robot("arm"))
    state, other_state = robot.reset(3), other.reset(1)
    rng, spec = np.random.default_rng(11), robot.spec
    for expected in alone:
        other_state = other.step(Command(other.spec.command_high, other_state.stamp_ns))
        state = robot.step(Command(read_only(rng.uniform(spec.command_low, spec.command_high)), state.stamp_ns))
        assert expected.startswith(state.position.tobytes())
    other.close()


def push_everything(robot: SimRobot) -> None:
    """Forces on every body that no step has used up yet."""
    client = world(robot).client
    for each in world(robot).scene.values():
        client.applyExternalForce(each, -1, (3.0, 2.0, 9.0), (0.0, 0.0, 0.0), client.LINK_FRAME)
    client.applyExternalForce(body(robot).id, 3, (30.0, 20.0, 90.0), (0.0, 0.0, 0.0), client.LINK_FRAME)


def change_dynamics(robot: SimRobot) -> None:
    client = world(robot).client
    for each in world(robot).scene.values():
        client.changeDynamics(each, -1, mass=0.7, lateralFriction=0.05, linearDamping=0.4)
    client.changeDynamics(body(robot).id, 2, jointDamping=3.0, mass=9.0)


def change_the_world(robot: SimRobot) -> None:
    world(robot).client.setGravity(0.0, 0.0, 3.0)
    world(robot).client.setPhysicsEngineParameter(numSolverIterations=3)


def tie_cubes_together(robot: SimRobot) -> None:
    client, scene = world(robot).client, world(robot).scene
    origin = (0.0, 0.0, 0.0)
    client.createConstraint(
        scene["cube_01"], -1, scene["cube_12"], -1, client.JOINT_POINT2POINT, origin, origin, origin
    )


def change_motors(robot: SimRobot) -> None:
    client = world(robot).client
    for index in body(robot).joint_indices:
        client.setJointMotorControl2(body(robot).id, index, client.VELOCITY_CONTROL, targetVelocity=1.0, force=50.0)


def remove_a_body(robot: SimRobot) -> None:
    world(robot).client.removeBody(world(robot).scene["cube_07"])


def add_a_body(robot: SimRobot) -> None:
    client = world(robot).client
    shape = client.createCollisionShape(client.GEOM_BOX, halfExtents=(0.2, 0.2, 0.2))
    client.createMultiBody(1.0, shape, basePosition=(0.5, 0.0, 0.3))


def scatter_the_cubes(robot: SimRobot) -> None:
    for name, each in world(robot).scene.items():
        if name.startswith("cube"):
            world(robot).client.resetBaseVelocity(each, (1.0, 0.5, 2.0), (3.0, 4.0, 5.0))
    advance(robot, 200)


def make_it_nan(robot: SimRobot) -> None:
    body(robot).set_joints([math.nan] * 9, [0.0] * 9)
    with pytest.raises(ResetNeededError, match="the simulated state is not a number: the physics has diverged; got at"):
        advance(robot, 1)


@pytest.mark.parametrize(
    "disturb",
    [
        push_everything,
        change_dynamics,
        change_the_world,
        tie_cubes_together,
        change_motors,
        remove_a_body,
        add_a_body,
        scatter_the_cubes,
        make_it_nan,
    ],
)
def test_no_trace_of_what_an_episode_did(clutter: SimRobot, disturb: Callable[[SimRobot], None]) -> None:
    before = run(clutter, clutter.reset(3))
    disturb(clutter)
    assert run(clutter, clutter.reset(3)) == before


def test_the_cubes_touch_each_other_and_the_disturbances_matter(clutter: SimRobot) -> None:
    """Otherwise the test above could not fail."""
    state = clutter.reset(3)
    before = run(clutter, state)
    client, scene = world(clutter).client, world(clutter).scene
    touching = {tuple(sorted((c[1], c[2]))) for c in client.getContactPoints()}
    cubes = {body for name, body in scene.items() if name.startswith("cube")}
    assert len([pair for pair in touching if set(pair) <= cubes]) >= 8
    for disturb in (push_everything, change_dynamics, change_the_world, tie_cubes_together):
        state = clutter.reset(3)
        disturb(clutter)
        assert run(clutter, state) != before


def test_a_reset_puts_motors_at_home_not_at_the_last_target(robot: SimRobot) -> None:
    state = robot.reset(3)
    home = state.position
    for _ in range(20):
        state = robot.step(Command(robot.spec.command_high, state.stamp_ns))
    state = robot.reset(3)
    assert np.array_equal(state.position, home)
    state = robot.step(Command(robot.spec.command_home, state.stamp_ns))
    assert np.abs(state.position - home).max() < 0.02


def test_time_goes_on_through_resets_and_starts_at_one_period() -> None:
    robot = SimRobot(load_robot("panda"))
    stamps = [robot.state.stamp_ns]
    stamps += [robot.reset(1).stamp_ns, robot.reset(1, {"strict": True}).stamp_ns]
    robot.simulation.rewind()
    stamps += [robot.state.stamp_ns, robot.reset(1).stamp_ns]
    assert stamps == [40_000_000, 80_000_000, 120_000_000, 40_000_000, 80_000_000]
    robot.close()


def test_after_half_a_period_a_reset_stands_on_a_boundary_again() -> None:
    robot = SimRobot(load_robot("panda"))
    advance(robot, 7)
    assert robot.state.stamp_ns == 54_000_000
    assert robot.reset(1).stamp_ns == 80_000_000
    robot.close()
