"""Publishes the channels of one robot."""

from __future__ import annotations

import time

from rclpy.node import Node
from sensor_msgs.msg import TimeReference

from ros_gym_bridge.channels import SensorChannel
from ros_gym_bridge.mounts import mount
from ros_gym_bridge.robot import RobotState, Sample
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.messages import to_time
from ros_gym_bridge.ros.names import under
from ros_gym_bridge.ros.sensor_ports import ports
from ros_gym_bridge.world_file import PlacedRobot

_LARGE = 100_000  # bytes
_REST_S = 0.5


class ChannelPublisher:
    """All topics of one channel.

    A sample goes out when a state shows it first, with the stamp of its reading, and again when the state is told
    again; a large one, such as a picture, twice a second at most: who asks again while it is on its way would only hold
    it up. Where a state may show another sample than the one that is due, another topic says at every state which one
    it is.

    Args:
        node: what publishes.
        placed: the robot.
        channel: of its file.
        prefix: put before the names of its frames.
        world_frame: name of the frame `world`.
    """

    def __init__(self, node: Node, placed: PlacedRobot, channel: SensorChannel, prefix: str, world_frame: str) -> None:
        robot = placed.robot
        place = mount(channel, robot.model)
        hz = robot.config.rates.control_hz
        self.name = channel.name
        self._samples, self._shown = channel.samples, dict[str, Sample]()
        self._sent_s = 0.0
        self._ports = [
            (port, node.create_publisher(type(port.message), under(placed.namespace, port.topic), qos.SENSORS))
            for port in ports(channel, prefix + place.frame, world_frame, channel.divisor(hz) / hz)
        ]
        self._times = None
        if not channel.punctual:
            topic = under(placed.namespace, channel.time_topic)
            self._times = node.create_publisher(TimeReference, topic, qos.SENSORS)
        self._time = TimeReference(source=channel.name)

    @property
    def heard(self) -> bool:
        """Whether anybody subscribes to any of it."""
        return any(publisher.get_subscription_count() for _, publisher in self._ports)

    def publish(self, state: RobotState, again: bool) -> None:
        """Tell what is new in a state, or everything."""
        now = time.monotonic()
        rests = now - self._sent_s < _REST_S
        for port, publisher in self._ports:
            sample = state.channels.get(port.sample)
            if sample is None:
                continue
            large = sample.value.nbytes > _LARGE
            if sample is not self._shown.get(port.sample) or (again and not (large and rests)):
                publisher.publish(port.fill(port.message, sample))
                self._sent_s = now if large else self._sent_s
        self._shown = {name: state.channels[name] for name in self._samples if name in state.channels}
        if self._times is not None and self.name in state.channels:
            self._time.header.stamp = to_time(state.stamp_ns)
            self._time.time_ref = to_time(state.channels[self.name].stamp_ns)
            self._times.publish(self._time)
