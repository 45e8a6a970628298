"""Commands of the viewer's sliders, by joint name and without a stamp."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import JointState

from ros_gym_bridge.ros import qos


class SliderCommands:
    """Is a publisher while the user wishes it, and no longer: two of them would stop a simulator in lockstep.

    Args:
        node: what publishes.
        topic: of the commands.
    """

    def __init__(self, node: Node, topic: str) -> None:
        self._node, self.topic = node, topic
        self._publisher: Publisher | None = None
        self._targets: dict[str, float] = {}

    @property
    def on(self) -> bool:
        """Whether this is a publisher."""
        return self._publisher is not None

    @property
    def waiting(self) -> bool:
        """Whether a command is kept until somebody hears it."""
        return bool(self._targets)

    def turn(self, on: bool) -> None:
        """Be a publisher from now on, or no longer; what was kept is forgotten then."""
        if on and self._publisher is None:
            self._publisher = self._node.create_publisher(JointState, self.topic, qos.COMMANDS)
        elif not on and self._publisher is not None:
            self._node.destroy_publisher(self._publisher)
            self._publisher, self._targets = None, {}

    def set(self, joint: str, position: float) -> None:
        """Where a joint is wished to be, rad or m."""
        self._targets[joint] = position

    def send(self) -> None:
        """Everything that was set since, in one message, once somebody hears it."""
        if self._publisher is not None and self._targets and self._publisher.get_subscription_count():
            names, positions = list(self._targets), list(self._targets.values())
            self._publisher.publish(JointState(name=names, position=positions))
            self._targets = {}
