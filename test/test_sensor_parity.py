"""Every kind of channel, with everything that can be random about it: equal bit for bit in process and over topics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.robot import Command, Robot, RobotState, read_only
from ros_gym_bridge.ros.topic_robot import TopicRobot
from ros_gym_bridge.sim.sim_robot import SimRobot
from test_parity import assert_equal
from test_rover import WHEELS

CHANNELS = """
joint_states: {noise: {position: 0.001, velocity: 0.01}, bias: {position: 0.01}}
channels:
  - {name: scan, kind: lidar, link: laser_link, rays: 90, noise: {range: 0.01}}
  - {name: points, kind: lidar, link: laser_link, rays: 40, layers: 4, min_elevation: -0.3, max_elevation: 0.3,
     rate_hz: 10, latency_s: 0.04}
  - {name: imu/data, kind: imu, link: imu_link, noise: {linear_acceleration: 0.1}, bias: {angular_velocity: 0.01}}
  - {name: truth/odom, kind: odometry, link: base_footprint, noise: {position: 0.01, rotation: 0.01}}
  - {name: truth/block, kind: link_pose, body: ball, dropout: 0.3}
  - {name: wheel, kind: force_torque, joint: left_wheel_joint, latency_s: 0.06, dropout: 0.2}
  - {name: bumper, kind: contact, link: base_link, noise: {force: 0.1}}
  - {name: ahead, kind: range, link: camera_link, rays: 9, field_of_view: 0.3, dropout: 0.5, noise: {range: 0.02}}
  - {name: camera/image_raw, kind: camera, link: camera_optical_frame, width: 64, height: 48, depth: true, rate_hz: 25,
     noise: {colour: 2.0}}
  - {name: top/image, kind: camera, link: base_link, position: [0, 0, 1], rpy: [3.1416, 0, -1.5708], width: 32,
     height: 24, dropout: 0.3, latency_s: 0.04, rate_hz: 10}
scene:
  - {name: floor, file: "pybullet_data://plane.urdf", fixed: true}
  - {name: ball, file: "pybullet_data://sphere_small.urdf", position: [0.35, 0.03, 0.05]}
"""


@pytest.fixture
def seeing(tmp_path: Path) -> Path:
    path = tmp_path / "seeing.yaml"
    path.write_text(f"extends: rover\nname: seeing\nactuators:\n{WHEELS}{CHANNELS}")
    return path


def steps(robots: tuple[Robot, ...], seed: int | None, strict: bool, count: int) -> Iterator[list[RobotState]]:
    """The states of several robots in an episode under the same random commands."""
    states = [robot.reset(seed, {"strict": strict}) for robot in robots]
    yield states
    rng = np.random.default_rng(count)
    for _ in range(count):
        command = read_only(rng.uniform(-2.0, 8.0, 2))
        states = [robot.step(Command(command, states[0].stamp_ns)) for robot in robots]
        yield states


@pytest.mark.parametrize("stepping", ["lockstep", "step_service"])
def test_every_kind_of_sensor_is_equal(seeing: Path, stepping: str) -> None:
    robot = load_robot(seeing)
    both: tuple[Robot, Robot] = SimRobot(robot), TopicRobot(robot, Connection(stepping=stepping))  # type: ignore[arg-type]
    held, found = 0, []
    try:
        for seed, strict, count in ((4, False, 40), (None, False, 13), (7, True, 13), (None, False, 7), (4, False, 40)):
            for direct, topics in steps(both, seed, strict, count):
                assert_equal(direct, topics)
                assert all(s.value.dtype == topics.channels[name].value.dtype for name, s in direct.channels.items())
                assert all(s.value.shape == topics.channels[name].value.shape for name, s in direct.channels.items())
                assert not any(sample.value.flags.writeable for sample in topics.channels.values())
                held += sum(s.stamp_ns < topics.stamp_ns for s in topics.channels.values())
                found.append(topics)
    finally:
        for each in both:
            each.close()
    assert held > 200
    for name in found[0].channels:
        assert len({state.channels[name].value.tobytes() for state in found}) > 5, f"{name} shows nothing"


def test_episodes_repeat_with_either_reset(seeing: Path) -> None:
    """The first seed again gives the same values, whatever was in between, and so do both kinds of reset."""
    robot = SimRobot(load_robot(seeing))

    def episode(seed: int, strict: bool) -> list[tuple[str, int, bytes]]:
        found = [state for (state,) in steps((robot,), seed, strict, 30)]
        begun = found[0].stamp_ns
        samples = [pair for state in found for pair in sorted(state.channels.items())]
        return [(name, sample.stamp_ns - begun, sample.value.tobytes()) for name, sample in samples]

    first = episode(4, False)
    assert [episode(4, strict) for strict in (True, False)] == [first, first]
    robot.close()
