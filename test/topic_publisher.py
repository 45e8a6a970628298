"""Publishes whatever it is told, in plain rclpy: the sensors of a robot that is not ours.

    python topic_publisher.py '[{"topic": "scan", "message": "sensor_msgs/msg/LaserScan", "values": {...}, ...}, ...]'

Further keys of a topic: `reliable` (default false), `latched` (false), `stamp` (`state`: of the newest joint states,
default; `none`; or seconds, from `state`), `relay` (a topic of the same type: what comes there is published, changed by
`values`), `hear` (subscribe instead). Lines on standard input: `silence TOPIC` and `speak TOPIC`.
"""

from __future__ import annotations

import json
import os
import select
import sys
from importlib import import_module
from typing import Any

import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState

ANY = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
PERIOD_S = 0.02


def message_class(name: str) -> Any:
    package, *_, kind = name.split("/")
    return getattr(import_module(f"{package}.msg"), kind)


def fill(message: Any, values: dict[str, Any]) -> Any:
    """Set fields, those of messages within messages too; a text for bytes is hexadecimal."""
    for name, value in values.items():
        kind = message.get_fields_and_field_types()[name]
        if isinstance(value, dict):
            fill(getattr(message, name), value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            inner = kind.removeprefix("sequence<").removesuffix(">")
            setattr(message, name, [fill(message_class(inner)(), each) for each in value])
        elif kind == "sequence<uint8>":
            setattr(message, name, bytes.fromhex(value))
        else:
            setattr(message, name, value)
    return message


def stamped(message: Any, stamp_ns: int) -> None:
    for each in getattr(message, "transforms", [message]):
        if hasattr(each, "header"):
            each.header.stamp.sec, each.header.stamp.nanosec = divmod(stamp_ns, 10**9)


class Topic:
    def __init__(self, node: Any, keys: dict[str, Any]) -> None:
        self.name, self._stamp, self.silent = keys["topic"], keys.get("stamp", "state"), keys.get("silent", False)
        kind = message_class(keys["message"])
        qos = QoSProfile(depth=10)
        qos.reliability = ReliabilityPolicy.RELIABLE if keys.get("reliable") else ReliabilityPolicy.BEST_EFFORT
        qos.durability = DurabilityPolicy.TRANSIENT_LOCAL if keys.get("latched") else DurabilityPolicy.VOLATILE
        if keys.get("hear"):
            node.create_subscription(kind, self.name, lambda _: None, qos)
            self.silent = True
            return
        self._publisher = node.create_publisher(kind, self.name, qos)
        self._values, self._once, self._relay = keys.get("values", {}), keys.get("once", False), keys.get("relay")
        self._message = fill(kind(), self._values)
        if self._relay:
            node.create_subscription(kind, self._relay, self._pass, 10)

    def _pass(self, message: Any) -> None:
        if not self.silent:
            self._publisher.publish(fill(message, self._values))

    def publish(self, state_ns: int) -> None:
        if self.silent or self._relay or (self._stamp != "none" and not state_ns):
            return
        ahead_s = self._stamp if isinstance(self._stamp, int | float) else 0
        stamped(self._message, 0 if self._stamp == "none" else state_ns + round(ahead_s * 1e9))
        self._publisher.publish(self._message)
        self.silent = self._once


def main() -> None:
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("stranger")
    topics = {keys["topic"]: Topic(node, keys) for keys in json.loads(sys.argv[1])}
    newest = [0]

    def hear(state: JointState) -> None:
        newest[0] = state.header.stamp.sec * 10**9 + state.header.stamp.nanosec

    if "joint_states" not in topics:
        node.create_subscription(JointState, "joint_states", hear, ANY)
    node.create_timer(PERIOD_S, lambda: [topic.publish(newest[0]) for topic in topics.values()])
    print("Publishing", flush=True)
    while True:
        rclpy.spin_once(node, timeout_sec=PERIOD_S)
        if select.select([sys.stdin], [], [], 0.0)[0]:
            line = os.read(sys.stdin.fileno(), 4096).decode()
            if not line:
                return
            for order in line.splitlines():
                what, name = order.split()
                topics[name].silent = what == "silence"
                print(f"{what} {name} done", flush=True)


if __name__ == "__main__":
    main()
