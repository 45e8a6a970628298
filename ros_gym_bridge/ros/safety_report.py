"""How the safety node is doing: `/diagnostics` (REP 107), once a second of wall time."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from rclpy.subscription import Subscription

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.counters import Counters
from ros_gym_bridge.ros.graph import publishers
from ros_gym_bridge.ros.guard import Guard, Mode

PERIOD_S = 1.0

_LEVELS = {
    Mode.WAITING: DiagnosticStatus.WARN,
    Mode.IDLE: DiagnosticStatus.OK,
    Mode.PASSING: DiagnosticStatus.OK,
    Mode.SILENT: DiagnosticStatus.WARN,
    Mode.STALE: DiagnosticStatus.ERROR,
    Mode.LATCHED: DiagnosticStatus.ERROR,
}


class SafetyReport:
    """Publishes what the guard does, how old things are, what was refused and what was limited.

    Attributes:
        stop_topic: of the robot file.

    Args:
        node: what publishes.
        robot: the robot file.
        guard: as above.
        counters: what happened how often.
        inlets: the subscriptions to the agent's commands, by command topic.
    """

    def __init__(
        self, node: Node, robot: RobotFile, guard: Guard, counters: Counters, inlets: Mapping[str, Subscription]
    ) -> None:
        self._node, self._guard, self._counters, self._inlets = node, guard, counters, inlets
        self._hardware = robot.config.name
        self.stop_topic = robot.config.safety.stop_topic
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", qos.FACTS)

    def publish(self) -> None:
        """Tell it now."""
        mode = self._guard.mode
        status = DiagnosticStatus(
            name=f"{self._node.get_fully_qualified_name()}: safety",
            hardware_id=self._hardware,
            level=_LEVELS[mode],
            message=f"{mode.value}{f', {self._guard.latched}' if self._guard.latched else ''}",
        )
        others = self._others()
        if others:
            status.level, status.message = DiagnosticStatus.ERROR, f"commands go past this node: {others}"
            self._counters.add("bypassed", f"Commands go past this node: {others}. Let everybody command through it.")
        facts = [*self._ages(), *self._counters.items()]
        status.values = [KeyValue(key=key, value=str(value)) for key, value in facts]
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def _ages(self) -> list[tuple[str, object]]:
        now_s = time.monotonic()
        told: list[tuple[str, object]] = [("joint_states_age_s", _seconds(self._guard.states_age_s))]
        for topic, part in self._guard.parts.items():
            agents = self._inlets[topic].get_publisher_count()
            told += [
                (f"{topic}: age_s", _seconds(now_s - part.heard_s)),
                (f"{topic}: agents", agents),
                (f"{topic}: limited", part.limited),
            ]
        return told

    def _others(self) -> str:
        """Who else publishes commands to the robot, in words."""
        own = self._node.get_fully_qualified_name()
        found = []
        for topic in self._inlets:
            names = publishers(self._node, topic)
            if own in names:
                names.remove(own)
            found += [f"{name} publishes on '{topic}'" for name in names]
        return ", ".join(found)


def _seconds(age_s: float) -> str:
    return "never" if math.isinf(age_s) else f"{age_s:.3f}"
