"""What a viewer hears of a robot: the newest of everything, kept as plain values."""

from __future__ import annotations

import contextlib
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, String
from tf2_msgs.msg import TFMessage

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.robot import NANOSECONDS
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.messages import to_ns
from ros_gym_bridge.ros.names import upward
from ros_gym_bridge.view.description import Description, read_description
from ros_gym_bridge.view.frames import Frames, matrix
from ros_gym_bridge.view.options import ViewOptions
from ros_gym_bridge.view.posture import Posture
from ros_gym_bridge.view.texts import Status


class Hearing:
    """Subscribes, and keeps.

    Args:
        node: whose namespace counts.
        options: the topics.

    Attributes:
        posture: the robot and its joints; None until it was described.
        refused: why the newest description was not taken; empty when it was.
        described: how many descriptions were taken.
        moved: joints or transforms have changed; the reader sets it back.
        clock_s: simulated time; None where nobody tells.
        factor: simulated seconds for each second; None where nobody tells.
        statuses: of `/diagnostics`, the newest of each name.
    """

    def __init__(self, node: Node, options: ViewOptions) -> None:
        own = options.namespace.strip("/")
        self._prefixes = [options.frame_prefix] if options.frame_prefix else ["", f"{own}/"] if own else [""]
        self._text = ""
        self.frames = Frames()
        self.posture: Posture | None = None
        self.refused, self.described, self.moved = "", 0, False
        self.clock_s: float | None = None
        self.factor: float | None = None
        self.statuses: dict[str, Status] = {}
        node.create_subscription(String, options.robot_description, self._describe, qos.LATCHED)
        node.create_subscription(JointState, options.joint_states, self._joints, qos.ANY)
        node.create_subscription(TFMessage, "/tf", self._transforms, qos.ANY_TRANSFORMS)
        node.create_subscription(TFMessage, "/tf_static", self._transforms, qos.LATCHED_TRANSFORMS)
        node.create_subscription(Clock, "/clock", self._time, qos.NEWEST)
        for topic in upward(node.get_namespace(), "real_time_factor"):
            node.create_subscription(Float64, topic, self._pace, qos.NEWEST)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnostics, qos.ANY)

    def _describe(self, message: String) -> None:
        if message.data == self._text:
            return
        self._text = message.data
        try:
            description: Description = read_description(message.data)
        except ModelError as error:
            self.refused = str(error)
            return
        self.posture, self.refused = Posture(description, self.frames, self._prefixes), ""
        self.described += 1
        self.moved = True

    def _joints(self, message: JointState) -> None:
        if self.posture is not None and self.posture.hear(message.name, message.position):
            self.moved = True

    def _transforms(self, message: TFMessage) -> None:
        for each in message.transforms:
            p, q = each.transform.translation, each.transform.rotation
            with contextlib.suppress(ValueError):  # what is not a pose leaves the frame where it was
                pose = matrix((p.x, p.y, p.z), (q.x, q.y, q.z, q.w))
                self.frames.set(each.child_frame_id, each.header.frame_id, pose)
        self.moved = True

    def _time(self, message: Clock) -> None:
        self.clock_s = to_ns(message.clock) / NANOSECONDS

    def _pace(self, message: Float64) -> None:
        self.factor = float(message.data)

    def _diagnostics(self, message: DiagnosticArray) -> None:
        for each in message.status:
            values = tuple((value.key, value.value) for value in each.values)
            self.statuses[each.name] = Status(_level(each.level), each.message, values)


def _level(level: Any) -> int:
    """`byte` in a message is `bytes` in Python."""
    return level[0] if isinstance(level, bytes) else int(level)
