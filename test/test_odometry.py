"""Wheel odometry: closed forms, against the truth, from the start of every episode; and its transforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from tf2_msgs.msg import TFMessage

import kinds
from conftest import NodeProcess
from plain_client import DEEP, LATCHED, PlainClient, nanoseconds
from ros_gym_bridge import RobotFile, load_robot
from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.robot import Command, FloatArray, RobotState, read_only
from ros_gym_bridge.sim.odometry import WheelOdometry
from ros_gym_bridge.sim.sim_robot import SimRobot
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.world_file import world_of
from test_command_kinds import Controllers

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

RADIUS, SEPARATION, HZ = 0.08, 0.34, 500
NAME, TRUTH = "diff_drive_controller/odom", "truth"


@pytest.fixture
def drive(tmp_path: Path) -> RobotFile:
    """The rover, a metre and a half away and turned, with the truth as a channel."""
    path = tmp_path / "away.yaml"
    urdf = load_robot("rover").model.path
    path.write_text(
        f"extends: rover\nname: away\n"
        f"model: {{file: {urdf}, fixed_base: false, base_position: [-0.5, 0.4, 0.0], base_rpy: [0.0, 0.0, 0.5]}}\n"
        f"channels: [{{name: {TRUTH}, kind: odometry, link: base_footprint}}]\n"
    )
    return load_robot(path)


def turned(odometry: WheelOdometry, steps: int, left: float, right: float) -> FloatArray:
    return np.array(odometry.read(steps, steps * 2_000_000, [left, right]).value)


@pytest.mark.parametrize("turn", [0.0, 1e-9, 0.3, -2.0, 7.0])
def test_an_arc(drive: RobotFile, turn: float) -> None:
    """In one reading as in a hundred, from and to the place of theory."""
    odometry = WheelOdometry(drive, drive.config.drives[0])
    way = 1.5
    left, right = ((way + side * turn * SEPARATION / 2) / RADIUS for side in (-1, 1))
    centre = way / turn if turn else math.inf
    expected = (centre * math.sin(turn), centre * (1 - math.cos(turn))) if abs(turn) > 1e-6 else (way, 0.0)
    for parts in (1, 100):
        odometry.begin()
        assert not turned(odometry, 1000, 3.0, 3.0)[:6].any()
        for i in range(1, parts + 1):
            at = turned(odometry, 1000 + 1000 * i // parts, 3.0 + left * i / parts, 3.0 + right * i / parts)
        assert at[:3] == pytest.approx([*expected, 0.0], abs=1e-8)
        assert at[3:7] == pytest.approx([0.0, 0.0, math.sin(turn / 2), math.cos(turn / 2)], abs=1e-9)
        assert at[7:] == pytest.approx([way / 2, 0.0, 0.0, 0.0, 0.0, turn / 2], abs=1e-9), "in 2 s"


def test_several_wheels_on_a_side_are_averaged(drive: RobotFile) -> None:
    group = drive.config.drives[0].model_copy(
        update={"left_wheels": ("left_wheel_joint", "right_wheel_joint"), "right_wheels": ("right_wheel_joint",)}
    )
    odometry = WheelOdometry(drive, group)
    turned(odometry, 0, 0.0, 0.0)
    at = turned(odometry, HZ, 1.0, 3.0)
    assert at[7] == pytest.approx(RADIUS * 2.5)
    assert at[12] == pytest.approx(RADIUS * 1.0 / SEPARATION)


def test_when_no_time_has_passed_the_velocity_stays(drive: RobotFile) -> None:
    odometry = WheelOdometry(drive, drive.config.drives[0])
    turned(odometry, 0, 0.0, 0.0)
    before = turned(odometry, HZ, 2.0, 3.0)
    assert turned(odometry, 10, 2.0, 3.0).tolist() == before.tolist()


def test_wheels_turned_by_hand_move_nothing(drive: RobotFile) -> None:
    odometry = WheelOdometry(drive, drive.config.drives[0])
    turned(odometry, 0, 0.0, 0.0)
    before = turned(odometry, HZ, 2.0, 3.0)
    odometry.lift()
    assert turned(odometry, HZ, 40.0, -7.0).tolist() == before.tolist()
    assert turned(odometry, 2 * HZ, 41.0, -6.0)[7] == pytest.approx(RADIUS * 1.0)
    with closing(Simulation(world_of(drive))) as simulation:
        simulation.reset(1, strict=False)
        (robot,) = simulation.robots
        wheels = [drive.spec.joints.index(name) for name in ("left_wheel_joint", "right_wheel_joint")]
        robot.put(dict.fromkeys(wheels, 9.0), {})
        robot.observe(0)
        assert not robot.state.channels[NAME].value[:6].any()


@pytest.fixture
def rover(drive: RobotFile) -> Iterator[SimRobot]:
    robot = SimRobot(drive)
    yield robot
    robot.close()


def go(rover: SimRobot, linear: float, angular: float, periods: int) -> RobotState:
    state = rover.state
    for _ in range(periods):
        state = rover.step(Command(read_only([linear, angular]), state.stamp_ns))
    return state


def relative(start: RobotState, end: RobotState) -> tuple[float, float, float]:
    """Where the truth has the robot at the end, in its frame at the start: x, y, yaw."""
    (x0, y0, yaw0), (x1, y1, yaw1) = (flat(state.channels[TRUTH].value) for state in (start, end))
    c, s = math.cos(yaw0), math.sin(yaw0)
    dx, dy = x1 - x0, y1 - y0
    return c * dx + s * dy, c * dy - s * dx, yaw1 - yaw0


def flat(value: Any) -> tuple[float, float, float]:
    return float(value[0]), float(value[1]), 2.0 * math.atan2(value[5], value[6])


def test_it_is_near_the_truth_but_not_the_truth(rover: SimRobot) -> None:
    start = rover.reset(1)
    assert start.channels[NAME].value.tolist() == [0.0] * 6 + [1.0] + [0.0] * 6
    end = go(rover, 0.4, 0.6, 150)
    told, true = flat(end.channels[NAME].value), relative(start, end)
    assert told == pytest.approx(true, abs=0.03)
    assert told != pytest.approx(true, abs=1e-6), "wheels slip"
    assert math.hypot(*true[:2]) > 0.5
    assert end.channels[NAME].stamp_ns == end.stamp_ns
    assert end.channels[NAME].value[[7, 12]] == pytest.approx([0.4, 0.6], abs=0.02)


def test_every_episode_begins_at_its_origin(rover: SimRobot) -> None:
    ends = []
    for strict in (False, True, False):
        rover.reset(1, {"strict": strict})
        assert not rover.state.channels[NAME].value[:6].any()
        ends.append(go(rover, 0.4, -0.6, 40).channels[NAME].value.tobytes())
    assert len(set(ends)) == 1


def test_it_is_published_with_frames_and_covariances(drive: RobotFile, sim_process: Start, client: Make) -> None:
    """And there is one parent to each frame, from `world` down."""
    sim_process(robot=drive.path, mode="lockstep", frame_prefix="r/")
    topic = "diff_drive_controller/cmd_vel"
    stranger = client(commands=())
    heard = stranger.hear(Odometry, NAME, DEEP)
    moving, fixed = stranger.hear(TFMessage, "/tf", DEEP), stranger.hear(TFMessage, "/tf_static", LATCHED)
    one = Controllers(stranger, {topic: TwistStamped})
    stranger.until(lambda: moving and fixed and heard, "the first of everything")
    twist = TwistStamped()
    twist.twist.linear.x, twist.twist.angular.z = 0.4, 0.6
    for _ in range(30):
        one.step({topic: twist})
    stamp = stranger.stamp

    def last(messages: list[Any]) -> bool:
        return any(nanoseconds(m.header.stamp) == stamp for m in messages)

    stranger.until(lambda: last(heard) and last([t for m in moving for t in m.transforms]), "the last")
    message = next(m for m in heard if nanoseconds(m.header.stamp) == stamp)
    assert (message.header.frame_id, message.child_frame_id) == ("r/odom", "r/base_footprint")
    for part in (message.pose.covariance, message.twist.covariance):
        assert np.diag(np.reshape(part, (6, 6))).tolist() == [0.001] * 5 + [0.01]
        assert np.count_nonzero(part) == 6
    assert message.twist.twist.linear.x == pytest.approx(0.4, abs=0.02)
    assert message.pose.pose.position.x > 0.05

    parents: dict[str, set[str]] = {}
    for transform in (t for m in [*moving, *fixed] for t in m.transforms):
        parents.setdefault(transform.child_frame_id, set()).add(transform.header.frame_id)
    assert all(len(names) == 1 for names in parents.values())
    assert parents["r/base_footprint"] == {"r/odom"}
    assert parents["r/odom"] == {"r/world"}
    start = next(t for m in fixed for t in m.transforms if t.child_frame_id == "r/odom").transform
    assert [start.translation.x, start.translation.y, start.rotation.z] == pytest.approx([-0.5, 0.4, math.sin(0.25)])
    base = next(
        t.transform
        for m in moving
        for t in m.transforms
        if t.child_frame_id == "r/base_footprint" and nanoseconds(t.header.stamp) == stamp
    )
    assert base.translation.x == message.pose.pose.position.x
    assert base.rotation.z == message.pose.pose.orientation.z


def test_without_its_transform_the_true_one_is_told(sim_process: Start, client: Make, tmp_path: Path) -> None:
    path = kinds.write(tmp_path, "drive")
    path.write_text(path.read_text() + "    enable_odom_tf: false\n")
    sim_process(robot=path, mode="lockstep")
    stranger = client(commands=())
    moving = stranger.hear(TFMessage, "/tf", DEEP)
    stranger.until(lambda: moving, "transforms")
    assert {t.header.frame_id for t in moving[-1].transforms if t.child_frame_id == "base_footprint"} == {"world"}


@pytest.mark.parametrize("frame", ["world", "base_link"])
def test_its_frame_is_its_own(tmp_path: Path, frame: str) -> None:
    path = kinds.write(tmp_path, "drive")
    path.write_text(path.read_text() + f"    odom_frame_id: {frame}\n")
    with pytest.raises(RobotFileError) as caught:
        load_robot(path)
    assert str(caught.value) == (
        f"{path}: actuators[0].odom_frame_id; got '{frame}'; expected a frame of its own, no link and not 'world'; Use "
        "'odom', or another name."
    )
