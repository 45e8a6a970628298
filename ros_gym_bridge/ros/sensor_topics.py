"""The sensors that are on the graph, by the types of their topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import Image, LaserScan, PointCloud2

from ros_gym_bridge.ros import qos

KINDS = {
    "sensor_msgs/msg/LaserScan": LaserScan,
    "sensor_msgs/msg/PointCloud2": PointCloud2,
    "sensor_msgs/msg/Image": Image,
    "geometry_msgs/msg/PoseStamped": PoseStamped,
    "nav_msgs/msg/Odometry": Odometry,
}

_PICTURE_S = 0.1  # a picture is costly to send, and browsers take time to open it


@dataclass
class SensorTopic:
    """One topic. `newest` is its last message, until the reader takes it away."""

    topic: str
    kind: str
    newest: Any = None
    subscription: Any = None
    taken_at: float = 0.0

    def take(self, now: float) -> Any:
        """The newest message, once; None when none has come since, or when it is not yet time for another picture.

        Args:
            now: wall-clock seconds.
        """
        if self.newest is None or (KINDS[self.kind] is Image and now - self.taken_at < _PICTURE_S):
            return None
        self.taken_at = now
        message, self.newest = self.newest, None
        return message

    def hear(self, message: Any) -> None:
        """Keep this one only."""
        self.newest = message


class SensorTopics:
    """Finds sensors, and listens to those that are wanted.

    Args:
        node: who listens.
        namespace: absolute; only topics below it count. Empty: all.
    """

    def __init__(self, node: Node, namespace: str) -> None:
        self._node, self._below = node, namespace.rstrip("/") + "/"
        self.found: dict[str, SensorTopic] = {}

    def look(self) -> list[SensorTopic]:
        """Those that are new since the last look; they are listened to from now on."""
        new = []
        for topic, types in sorted(self._node.get_topic_names_and_types()):
            kind = next((name for name in types if name in KINDS), None)
            if kind is None or topic in self.found or not topic.startswith(self._below):
                continue
            if self._node.count_publishers(topic):
                self.found[topic] = SensorTopic(topic, kind)
                self.listen(topic, True)
                new.append(self.found[topic])
        return new

    def listen(self, topic: str, wanted: bool) -> None:
        """Subscribe, or stop: what nobody wants to see costs nothing."""
        sensor = self.found[topic]
        if wanted and sensor.subscription is None:
            sensor.subscription = self._node.create_subscription(KINDS[sensor.kind], topic, sensor.hear, qos.NEWEST)
        elif not wanted and sensor.subscription is not None:
            self._node.destroy_subscription(sensor.subscription)
            sensor.subscription = sensor.newest = None
