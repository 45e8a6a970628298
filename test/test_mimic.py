"""Joints that follow others (<mimic>): under load, across resets, in every interface; grippers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.kinematics import tip_position
from ros_gym_bridge.robot import Command, FloatArray, RobotState, read_only
from ros_gym_bridge.sim.sim_robot import SimRobot
from ros_gym_bridge.tasks.reach import Reach
from test_groups import HEAD as CART
from test_groups import URDF as CART_URDF

LINK = (
    '<link name="{0}"><inertial><mass value="{1}"/>'
    '<inertia ixx="1e-3" ixy="0" ixz="0" iyy="1e-3" iyz="0" izz="1e-3"/></inertial></link>'
)
JOINT = (
    '<joint name="{0}_joint" type="{1}"><parent link="palm"/><child link="{0}"/><origin xyz="0 {2} 0"/>'
    '<axis xyz="0 1 0"/><limit lower="-2" upper="2" effort="20" velocity="2"/>{3}</joint>'
)
MULTIPLIER, OFFSET = -0.5, 0.1


def urdf(kind: str) -> str:
    mimic = f'<mimic joint="finger_joint" multiplier="{MULTIPLIER}" offset="{OFFSET}"/>'
    links = LINK.format("palm", 1.0) + LINK.format("finger", 0.1) + LINK.format("thumb", 0.1)
    joints = JOINT.format("finger", kind, 0.1, "") + JOINT.format("thumb", kind, -0.1, mimic)
    return f'<robot name="hand">{links}{joints}</robot>'


ROBOT = """name: hand
model: {{file: hand.urdf}}
rates: {{physics_hz: 500, control_hz: 25}}
gravity: [0.0, 0.0, 0.0]
joints:
  - {{name: thumb_joint}}
  - {{name: finger_joint, home: 0.3, home_noise: 0.05, velocity_noise: 0.05}}
actuators:
  - {{name: hand, interface: {interface}, joints: [finger_joint]{more}}}
"""

Make = Callable[..., SimRobot]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    robots: list[SimRobot] = []

    def start(
        interface: str, kind: str = "prismatic", more: str = "", text: str = ROBOT, more_urdf: str = ""
    ) -> SimRobot:
        (tmp_path / "hand.urdf").write_text(urdf(kind).replace("</robot>", more_urdf + "</robot>"))
        (tmp_path / "hand.yaml").write_text(text.format(interface=interface, more=more))
        robots.append(SimRobot(load_robot(tmp_path / "hand.yaml")))
        return robots[-1]

    yield start
    for robot in robots:
        robot.close()


def apart(state: RobotState) -> float:
    """How far the thumb is from where the finger has it."""
    thumb, finger = state.position
    return abs(float(thumb - (MULTIPLIER * finger + OFFSET)))


def push(robot: SimRobot, link: str, force: float) -> None:
    """Push a link along y, N, in every physics step from now on."""
    simulation = robot.simulation
    body, client = simulation.robots[0].body, simulation.world.client
    step = simulation._step

    def pushed() -> None:
        client.applyExternalForce(body.id, body.link_index(link), (0.0, force, 0.0), (0.0, 0.0, 0.0), client.LINK_FRAME)
        step()

    simulation._step = pushed


def drive(robot: SimRobot, value: float, periods: int = 25) -> list[RobotState]:
    states = [robot.state]
    for _ in range(periods):
        states.append(robot.step(Command(read_only([value]), states[-1].stamp_ns)))
    return states


TARGETS = {"position": 0.6, "velocity": 0.5, "effort": 0.02}


@pytest.mark.parametrize("kind", ["prismatic", "revolute"])
@pytest.mark.parametrize("interface", TARGETS)
def test_a_follower_follows(make: Make, interface: str, kind: str) -> None:
    robot = make(interface, kind)
    start = robot.reset(3)
    assert apart(start) < 1e-12
    assert abs(start.position[1] - 0.3) > 1e-4, "the leader's noise"
    states = drive(robot, TARGETS[interface])
    assert states[-1].position[1] - start.position[1] > 0.05
    assert max(apart(state) for state in states) < 1e-3
    assert not any(state.effort[0] for state in states)
    assert any(state.effort[1] for state in states)


@pytest.mark.parametrize("link", ["finger", "thumb"])
@pytest.mark.parametrize("interface", TARGETS)
def test_a_follower_follows_whatever_pushes_either(make: Make, interface: str, link: str) -> None:
    robot = make(interface)
    robot.reset(3)
    free = drive(robot, TARGETS[interface])[-1]
    robot.reset(3)
    push(robot, link, 100.0)
    states = drive(robot, TARGETS[interface])
    assert max(apart(state) for state in states) < 5e-3
    assert abs(states[-1].position[1] - free.position[1]) > 0.01, "it was moved by that"


@pytest.mark.parametrize("interface", TARGETS)
def test_episodes_repeat_bit_for_bit(make: Make, interface: str) -> None:
    robot = make(interface)
    value = TARGETS[interface]

    def episode(strict: bool) -> list[bytes]:
        robot.reset(5, {"strict": strict})
        return [state.position.tobytes() + state.velocity.tobytes() for state in drive(robot, value)]

    first = episode(False)
    assert first == episode(False)
    assert first == episode(True)
    assert first == episode(False)


def test_a_follower_that_the_file_does_not_list_follows_too(make: Make) -> None:
    robot = make("position", text=ROBOT.replace("  - {{name: thumb_joint}}\n", ""))
    start = robot.reset(3)
    assert start.position.shape == (1,)
    drive(robot, 0.6)
    places = robot.simulation.robots[0].body.movable_positions()
    assert places["thumb_joint"] == pytest.approx(MULTIPLIER * places["finger_joint"] + OFFSET, abs=1e-4)
    assert places["finger_joint"] == pytest.approx(0.6, abs=1e-3)


def test_a_follower_of_a_joint_without_a_motor_follows_that(make: Make) -> None:
    other = LINK.format("other", 0.1) + JOINT.format("other", "prismatic", 0.5, "")
    text = ROBOT.replace("joints: [finger_joint]", "joints: [other_joint]")
    text = text.replace("actuators:", "  - {{name: other_joint}}\nactuators:")
    robot = make("position", text=text, more_urdf=other)
    start = robot.reset(3)
    push(robot, "finger", 0.1)
    end = drive(robot, 0.0)[-1]
    assert end.position[1] - start.position[1] > 0.01
    assert apart(end._replace(position=end.position[:2])) < 1e-3


@pytest.mark.parametrize(("max_effort", "held"), [(5.0, False), (20.0, True)])
@pytest.mark.parametrize(("link", "force"), [("finger", 12.0), ("thumb", 24.0)])
def test_max_effort_is_what_a_gripper_holds_against(
    make: Make, link: str, force: float, max_effort: float, held: bool
) -> None:
    """There is one motor; the gear halves what pushes the thumb."""
    robot = make("position", more=f", max_effort: {max_effort}")
    start = robot.reset(3)
    push(robot, link, force)
    moved = drive(robot, float(start.position[1]))[-1].position[1] - start.position[1]
    assert (abs(moved) < 0.05) == held


def test_gains_decide_how_fast_each_joint_goes(make: Make) -> None:
    def moved(gain: str) -> FloatArray:
        robot = make("position", more=f", position_gain: {gain}")
        start = robot.reset(3)
        return np.abs(drive(robot, 0.31, 1)[-1].position - start.position)

    slow, fast = moved("{finger_joint: 0.02}"), moved("0.1")
    assert (slow < 0.8 * fast).all()


@pytest.mark.parametrize("listed", [True, False])
def test_a_link_behind_a_follower_stands_where_it_follows_to(tmp_path: Path, listed: bool) -> None:
    high = '<child link="arm"/><origin xyz="0 0 1"/>'
    (tmp_path / "cart.urdf").write_text(CART_URDF.replace('<child link="arm"/>', high))
    (tmp_path / "cart.yaml").write_text(
        CART + "  - {name: hand, joints: [shoulder, finger_joint]}\nend_effector: thumb\n"
    )
    robot = load_robot(tmp_path / "cart.yaml")
    names = robot.spec.joints if listed else robot.spec.joints[:-1]
    at = [0.0, 0.0, 0.5, 0.3, -0.05][: len(names)]
    assert tip_position(robot.model, "thumb", names)(at) == pytest.approx((0.0, -0.05, 1.0))
    task = Reach(robot, radius=0.001)
    rng = np.random.default_rng(1)
    for _ in range(20):
        task.begin(RobotState(0, *[robot.spec.home] * 3, read_only([]), {}), rng)
        (marker,) = task.markers()
        assert -0.1 <= marker.position[1] <= 0.1, "where the finger, from 0 to 0.4 m, can have the thumb"


def test_the_pandas_fingers_are_one_number() -> None:
    robot = SimRobot(load_robot("panda"))
    try:
        state = robot.reset(1)
        vector = np.array(robot.spec.command_home)
        assert len(vector) == 8
        for target in (0.04, 0.0):
            vector[-1] = target
            for _ in range(20):
                state = robot.step(Command(read_only(vector), state.stamp_ns))
            assert state.position[-2:] == pytest.approx([target, target], abs=1e-4)
    finally:
        robot.close()
