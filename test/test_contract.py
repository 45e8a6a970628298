"""The robot contract on all robots that there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kinds
from fake_robot import FakeRobot
from robot_contract import RobotContract
from ros_gym_bridge import Robot, RobotFile, load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.sim.sim_robot import SimRobot

ROBOTS = [
    *((name, interface) for name in ("panda", "arm", "cartpole") for interface in ("position", "velocity", "effort")),
    ("kuka", "position"),
    ("laikago", "position"),
]


def closing(robot: Any) -> Iterator[Robot]:
    yield robot
    robot.close()


@pytest.fixture(params=ROBOTS, ids="-".join)
def robot_file(request: pytest.FixtureRequest) -> RobotFile:
    name, interface = request.param
    return load_robot(name, interface=interface)


class TestFakeRobot(RobotContract):
    @pytest.fixture
    def robot(self, robot_file: RobotFile) -> Iterator[Robot]:
        yield from closing(FakeRobot(robot_file))


class TestSimRobot(RobotContract):
    @pytest.fixture
    def robot(self, robot_file: RobotFile) -> Iterator[Robot]:
        yield from closing(SimRobot(robot_file))


class TestSimRobotCommandedOtherwise(RobotContract):
    @pytest.fixture(params=kinds.FILES)
    def robot(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Robot]:
        yield from closing(SimRobot(load_robot(kinds.write(tmp_path, request.param))))


class TestSimRobotWithChannels(RobotContract):
    @pytest.fixture
    def robot(self, channel_robot: Path) -> Iterator[Robot]:
        yield from closing(SimRobot(load_robot(channel_robot)))


class TestTopicRobotInLockstep(RobotContract):
    @pytest.fixture
    def robot(self, channel_robot: Path) -> Iterator[Robot]:
        from ros_gym_bridge.ros.topic_robot import TopicRobot

        yield from closing(TopicRobot(load_robot(channel_robot), Connection()))


class TestTopicRobotByService(RobotContract):
    @pytest.fixture
    def robot(self) -> Iterator[Robot]:
        from ros_gym_bridge.ros.topic_robot import TopicRobot

        yield from closing(TopicRobot(load_robot("cartpole"), Connection(stepping="step_service")))


@pytest.fixture
def channel_robot(tmp_path: Path) -> Path:
    """The arm with the poses of two links as channels, one of them at a fifth of the control rate."""
    path = tmp_path / "arm_with_channels.yaml"
    path.write_text(
        "extends: arm\n"
        "channels:\n"
        "  - {name: tip, kind: link_pose, link: tool0, topic: tip_pose}\n"
        "  - {name: base, kind: link_pose, link: base_link, topic: sensors/base_pose, rate_hz: 5}\n"
    )
    return path
