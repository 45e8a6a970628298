"""How the simulation is doing: `/diagnostics` (REP 107) and `real_time_factor`, once a second of wall time."""

from __future__ import annotations

import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from std_msgs.msg import Float64

from ros_gym_bridge.robot import NANOSECONDS
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.costs import costs
from ros_gym_bridge.ros.counters import Counters
from ros_gym_bridge.ros.graph import publishers
from ros_gym_bridge.ros.host import Host

PERIOD_S = 1.0


class Health:
    """Publishes rates, the real-time factor reached, what was refused, and what sensors cost.

    Args:
        node: what publishes.
        host: the simulation.
        counters: what happened how often.
    """

    def __init__(self, node: Node, host: Host, counters: Counters, clock: bool) -> None:
        self._node, self._host, self._counters, self._clock = node, host, counters, clock
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", qos.FACTS)
        self._factor = node.create_publisher(Float64, "real_time_factor", qos.FACTS)
        self._mark = (time.monotonic(), self._stamp_ns)

    @property
    def _stamp_ns(self) -> int:
        return 0 if self._host.stage is None else self._host.stage.engine.stamp_ns

    def report(self) -> None:
        """Publish now. The factor is measured since the last report; a reset that turned time back starts it anew."""
        now, stamp_ns = time.monotonic(), self._stamp_ns
        then, before_ns = self._mark
        self._mark = (now, stamp_ns)
        factor = max(0.0, (stamp_ns - before_ns) / NANOSECONDS / max(now - then, 1e-9))
        self._factor.publish(Float64(data=factor))
        self._publish(factor)

    def _publish(self, factor: float) -> None:
        stage = self._host.stage
        status = DiagnosticStatus(
            name=f"{self._node.get_fully_qualified_name()}: simulation",
            hardware_id="" if stage is None else stage.world.name,
            level=DiagnosticStatus.OK,
            message=self._host.playback.name.lower(),
        )
        facts: list[tuple[str, object]] = [("real_time_factor", f"{factor:.3f}"), *self._counters.items()]
        if stage is not None:
            mode = "lockstep" if stage.engine.lockstep else "realtime"
            facts = [("mode", mode), ("simulated_s", f"{self._stamp_ns / NANOSECONDS:.3f}"), *facts]
            newest = costs(stage.simulation)
            facts += [(f"cost_ms {topic}", f"{cost.spent_ns / 1e6:.3f}") for topic, cost in newest.items()]
        if stage is not None and stage.simulation.diverged:
            status.level, status.message = DiagnosticStatus.ERROR, "the physics has diverged; call reset_simulation"
        others = self._other_clocks()
        if others:
            status.level, status.message = DiagnosticStatus.ERROR, f"another /clock publisher: {', '.join(others)}"
            text = f"Time is published on /clock by {', '.join(others)} as well"
            remedy = "end it, use another ROS_DOMAIN_ID, or set publish_clock to false"
            self._counters.add("second_clock", f"{text}: {remedy}.")
        status.values = [KeyValue(key=key, value=str(value)) for key, value in facts]
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    def _other_clocks(self) -> list[str]:
        if not self._clock:
            return []
        names = publishers(self._node, "/clock")
        own = self._node.get_fully_qualified_name()
        if own in names:
            names.remove(own)
        return names
