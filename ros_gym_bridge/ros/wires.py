"""One end of a robot's topics and services: what an adapter publishes, hears and calls."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState, TimeReference

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.robot import FloatArray, Sample
from ros_gym_bridge.ros import messages, qos
from ros_gym_bridge.ros.command_writers import command_writers
from ros_gym_bridge.ros.inbox import StateInbox
from ros_gym_bridge.ros.sensor_messages import odometry_sample
from ros_gym_bridge.ros.sensor_ports import ports
from ros_gym_bridge.ros.session import Session
from ros_gym_bridge.ros.simulator import SimulatorClient

_numbers = itertools.count(1)


class Wires:
    """A node of the adapter's own with its publishers, subscriptions and service clients.

    Attributes:
        session: the node.
        inbox: what has been heard.
        simulator: the services.

    Args:
        robot: the robot file: topics, joints, channels.
        namespace, domain_id, ros_arguments: see `Session`.
        simulator: see `SimulatorClient`.
        realtime: time goes on while a state is answered.
        services: names of the services that must be there.
        timeout_s: wall-clock seconds to wait for a service's answer.
        ending: see `SimulatorClient`.
    """

    def __init__(
        self,
        robot: RobotFile,
        namespace: str,
        simulator: str | None,
        domain_id: int | None,
        ros_arguments: Sequence[str],
        realtime: bool,
        services: tuple[str, ...],
        timeout_s: float,
        ending: Callable[[], str],
    ) -> None:
        name = f"gym_adapter_{os.getpid()}_{next(_numbers)}"
        self.session = Session(name, namespace, domain_id, ros_arguments, quiet=True)
        self.inbox = StateInbox(robot)
        self._missing_joints: list[str] = []
        self._commands = [
            (self.session.node.create_publisher(writer.kind, topic, qos.COMMANDS), writer)
            for topic, writer in command_writers(robot, realtime).items()
        ]
        self._subscribe(robot)
        self.simulator = SimulatorClient(self.session, simulator, services, timeout_s, ending)

    def close(self) -> None:
        """Leave the graph. May be called again."""
        self.simulator.close()
        self.session.close()

    def send(self, command: FloatArray, stamp_ns: int) -> None:
        """Publish a command `(n_command,)` on its topics, stamped with the state that it answers."""
        for publisher, write in self._commands:
            publisher.publish(write(command, stamp_ns))

    def absent(self) -> list[str]:
        """What should be there and is not, in words."""
        absent = [f"a subscriber of {p.topic_name}" for p, _ in self._commands if not p.get_subscription_count()]
        if self.silent:
            what = f"joints {', '.join(self._missing_joints)} in" if self._missing_joints else "a message on"
            absent.append(f"{what} {self._joint_states.topic_name}")
        return absent + [f"the service {name}" for name in self.simulator.missing()]

    @property
    def silent(self) -> bool:
        """Whether no joint states have been heard."""
        return not self.inbox.newest_ns

    @property
    def speechless(self) -> bool:
        """Whether no joint states have been heard at all, of no robot."""
        return self.silent and not self._missing_joints

    def topics(self) -> list[str]:
        """The topics without which there is no robot, by full name."""
        return [publisher.topic_name for publisher, _ in self._commands] + [self._joint_states.topic_name]

    def seen(self) -> str:
        """Who is there, and what came last."""
        count = self.session.node.count_publishers
        there = [
            f"{p.topic_name}: {p.get_subscription_count()} subscribers, {count(p.topic_name)} publishers"
            for p, _ in self._commands
        ]
        return f"{', '.join(there)}; newest state at {self.inbox.newest_ns} ns"

    def _subscribe(self, robot: RobotFile) -> None:
        subscribe = self.session.node.create_subscription
        take = partial(self._take_joints, messages.JointStateReader(robot.spec.joints))
        self._joint_states = subscribe(JointState, robot.config.joint_states.topic, take, qos.JOINT_STATES)
        for channel in robot.config.channels:
            for port in ports(channel):
                if port.read is not None:
                    take = partial(self._take_sample, port.sample, port.read)
                    subscribe(type(port.message), port.topic, take, qos.SENSORS)
            if not channel.punctual:
                subscribe(TimeReference, channel.time_topic, partial(self._take_time, channel.name), qos.SENSORS)

        for drive in robot.config.drives:
            take = partial(self._take_sample, drive.odometry, odometry_sample)
            subscribe(Odometry, drive.odom_topic, take, qos.SENSORS)

    def _take_joints(self, reader: messages.JointStateReader, message: JointState) -> None:
        joints = reader(message)
        if isinstance(joints, list):
            self._missing_joints = joints
        else:
            self.inbox.put_joints(messages.to_ns(message.header.stamp), joints)

    def _take_sample(self, name: str, read: Callable[[Any], Sample], message: Any) -> None:
        self.inbox.put_sample(name, read(message))

    def _take_time(self, channel: str, message: TimeReference) -> None:
        self.inbox.put_time(channel, messages.to_ns(message.header.stamp), messages.to_ns(message.time_ref))
