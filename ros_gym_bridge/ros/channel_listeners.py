"""Hears the channels of a robot, and says what is missing of them and why."""

from __future__ import annotations

from functools import partial
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import TimeReference

from ros_gym_bridge.channel_readings import Reading, readings
from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.message_types import MessageRefused, MessageType
from ros_gym_bridge.robot import Sample
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.inbox import StateInbox
from ros_gym_bridge.ros.listener import Listener
from ros_gym_bridge.ros.messages import to_ns
from ros_gym_bridge.ros.transforms import TransformListener
from ros_gym_bridge.topic_channels import TopicChannel, TransformChannel


class ChannelListeners:
    """A subscription for each sample of a robot file, and those for transforms where a channel is one.

    Args:
        node: who hears.
        robot: the robot file.
        inbox: where samples go.

    Raises:
        MissingDependencyError: a message type that is not installed.
    """

    def __init__(self, node: Node, robot: RobotFile, inbox: StateInbox) -> None:
        self._node, self._inbox = node, inbox
        self._readings = readings(robot.config)
        self._listeners = {each.sample: self._listen(each) for each in self._readings if each.message}
        for channel in robot.config.sensors:
            if not channel.punctual:
                take = partial(self._take_time, channel.name)
                node.create_subscription(TimeReference, channel.time_topic, take, qos.SENSORS)
        transforms = [each for each in robot.config.channels if isinstance(each, TransformChannel)]
        self._transforms = TransformListener(node, inbox.touch) if transforms else None
        for each in transforms:
            assert self._transforms is not None
            inbox.watch(each.name, partial(self._transforms.transforms.find, each.parent, each.child))

    def missing(self) -> list[str]:
        """What should have come and has not, in words, each with the reason as far as the graph tells it. Subscriptions
        are made here, to suit who publishes."""
        return [self._trouble(reading) for reading in self._readings if self._lacks(reading)]

    def settle(self) -> None:
        """Those that nobody publishes yet are heard when somebody does."""
        for listener in self._listeners.values():
            listener.settle()

    def topics(self) -> list[str]:
        """The topics of all samples, by full name."""
        return list(dict.fromkeys(listener.topic for listener in self._listeners.values()))

    def _listen(self, reading: Reading) -> Listener:
        stamped = not (isinstance(reading.channel, TopicChannel) and reading.channel.stamps == "arrival")
        take = partial(self._take, reading.sample, reading.read, stamped)
        return Listener(self._node, reading.message, reading.topic, take, qos.SENSORS)

    def _lacks(self, reading: Reading) -> bool:
        """Whether a sample must be there and is not. Even an optional one is a mistake where its topic is another's."""
        if self._inbox.has(reading.sample):
            return False
        required = reading.channel is None or reading.channel.required
        listener = self._listeners.get(reading.sample)
        if listener is None:
            return required
        listener.adapt()
        return required or listener.mistaken

    def _trouble(self, reading: Reading) -> str:
        channel, name = reading.channel, reading.sample
        if isinstance(channel, TransformChannel):
            assert self._transforms is not None
            why = self._transforms.trouble(channel.parent, channel.child)
            return f"the transform of '{name}' from {channel.parent} to {channel.child}: {why}"
        listener = self._listeners[name]
        if name in self._inbox.refused:
            count, why = self._inbox.refused[name]
            return f"a good message of '{name}' on {listener.topic}: {count} refused, the last one for {why}"
        return f"a message of '{name}' on {listener.trouble()}"

    def _take(self, name: str, read: MessageType, stamped: bool, message: Any) -> None:
        """A message that tells no time is as old as the newest state."""
        try:
            value = read(message)
        except MessageRefused as error:
            self._inbox.refuse(name, str(error))
            return
        stamp_ns = to_ns(message.header.stamp) if stamped and hasattr(message, "header") else 0
        self._inbox.put_sample(name, Sample(stamp_ns or self._inbox.newest_ns, value))

    def _take_time(self, channel: str, message: TimeReference) -> None:
        self._inbox.put_time(channel, to_ns(message.header.stamp), to_ns(message.time_ref))
