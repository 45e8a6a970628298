"""One end of a robot's topics and services: what an adapter publishes, hears and calls."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from functools import partial

from sensor_msgs.msg import JointState

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.ros import messages, qos
from ros_gym_bridge.ros.channel_listeners import ChannelListeners
from ros_gym_bridge.ros.command_writers import TrajectoryWriter, command_writers
from ros_gym_bridge.ros.inbox import JOINT_STATES, StateInbox
from ros_gym_bridge.ros.listener import Listener, message_name, publish, untaken
from ros_gym_bridge.ros.live_inbox import LiveInbox
from ros_gym_bridge.ros.names import under
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
        command_prefix: before the command topics.
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
        command_prefix: str,
        realtime: bool,
        services: tuple[str, ...],
        timeout_s: float,
        ending: Callable[[], str],
    ) -> None:
        name = f"gym_adapter_{os.getpid()}_{next(_numbers)}"
        self.session = Session(name, namespace, domain_id, ros_arguments, quiet=True)
        self.inbox = LiveInbox(robot) if realtime else StateInbox(robot)
        self._unstamped = False
        self._commands = [
            (publish(self.session.node, writer.kind, under(command_prefix, topic), qos.COMMANDS), writer)
            for topic, writer in command_writers(robot, realtime).items()
        ]
        self._missing_joints: list[str] = []
        take = partial(self._take_joints, messages.JointStateReader(robot.spec.joints))
        message, topic = message_name(JointState), robot.config.joint_states.topic
        self._joint_states = Listener(self.session.node, message, topic, take, qos.JOINT_STATES)
        self._channels = ChannelListeners(self.session.node, robot, self.inbox)
        self.simulator = SimulatorClient(self.session, simulator, services, timeout_s, ending)

    def close(self) -> None:
        """Leave the graph. May be called again."""
        self.simulator.close()
        self.session.close()

    def send(self, command: FloatArray, stamp_ns: int) -> None:
        """Publish a command `(n_command,)` on its topics, stamped with the state that it answers."""
        for publisher, write in self._commands:
            publisher.publish(write(command, stamp_ns))

    def send_on_the_way(self, command: FloatArray, stamp_ns: int) -> None:
        """The same, but for the groups that follow what `send_path` told them."""
        for publisher, write in self._commands:
            if not isinstance(write, TrajectoryWriter):
                publisher.publish(write(command, stamp_ns))

    def send_path(self, times_s: Sequence[float], commands: Sequence[FloatArray], speeds: Sequence[FloatArray]) -> None:
        """Tell a whole way to the groups that take one; see `TrajectoryWriter.path`."""
        for publisher, write in self._commands:
            if isinstance(write, TrajectoryWriter):
                publisher.publish(write.path(times_s, commands, speeds))

    def absent(self) -> list[str]:
        """What should be there and is not, in words, each with the reason as far as the graph tells it."""
        absent = [f"a subscriber of {topic}" for topic in self.untaken()]
        return absent + self.unheard() + [f"the service {name}" for name in self.simulator.missing()]

    def untaken(self) -> list[str]:
        """The topics of commands that nobody takes, each with the reason as far as the graph tells it."""
        return [
            untaken(self.session.node, publisher.topic_name, publisher.qos_profile, message_name(writer.kind))
            for publisher, writer in self._commands
            if not publisher.get_subscription_count()
        ]

    def unheard(self) -> list[str]:
        """The part of it that is messages. Subscriptions are made here, to suit who publishes."""
        if not self.silent:
            return self._channels.missing()
        self._joint_states.adapt()
        return [self._lacking(), *self._channels.missing()]

    def _lacking(self) -> str:
        """What the joint states lack, in words."""
        topic = self._joint_states.topic
        if self._missing_joints:
            return f"joints {', '.join(self._missing_joints)} in {topic}"
        if isinstance(self.inbox, LiveInbox) and self.inbox.gaps.positions:
            return f"positions (there is NaN) of {', '.join(self.inbox.gaps.positions)} in {topic}"
        if JOINT_STATES in self.inbox.refused:
            return f"a good message on {topic}{self.inbox.refusals(JOINT_STATES)}"
        return f"a stamp other than 0 in {topic}" if self._unstamped else f"a message on {self._joint_states.trouble()}"

    def settle(self) -> None:
        """Connected: what is still missing may be, and is heard when it comes."""
        self._channels.settle()

    @property
    def silent(self) -> bool:
        """Whether no joint states have been heard."""
        return not self.inbox.newest_ns

    @property
    def speechless(self) -> bool:
        """Whether no joint states have been heard at all, of no robot."""
        return self.silent and not self._missing_joints

    def command_topics(self) -> list[str]:
        """Where commands are published, by full name."""
        return [publisher.topic_name for publisher, _ in self._commands]

    def topics(self) -> list[str]:
        """The topics without which there is no robot, by full name."""
        return [*self.command_topics(), self._joint_states.topic, *self._channels.topics()]

    def seen(self) -> str:
        """Who is there, and what came last."""
        count = self.session.node.count_publishers
        there = [
            f"{p.topic_name}: {p.get_subscription_count()} subscribers, {count(p.topic_name)} publishers"
            for p, _ in self._commands
        ]
        return f"{', '.join(there)}; newest state at {self.inbox.newest_ns} ns"

    def extra_publishers(self) -> dict[str, float]:
        """How many nodes besides this one command the robot now, and how many besides one tell its joint states."""
        count = self.session.node.count_publishers
        commanders = max((count(publisher.topic_name) for publisher, _ in self._commands), default=1)
        return {"other_commanders": commanders - 1, "other_robots": max(0, count(self._joint_states.topic) - 1)}

    def _take_joints(self, reader: messages.JointStateReader, message: JointState) -> None:
        joints, stamp_ns = reader(message), messages.to_ns(message.header.stamp)
        if isinstance(joints, list):
            self._missing_joints = joints
        elif stamp_ns:
            self.inbox.put_joints(stamp_ns, joints)
        else:
            self._unstamped = True
