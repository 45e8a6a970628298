"""A bad wire: passes messages from topic to topic, and on the way loses, doubles and delays some. Plain rclpy.

Usage: lossy_relay.py --drop=0.2 --double=0.1 --delay-s=0.05 FROM>TO ... ; `report` on standard input prints the counts.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import threading
import time
from functools import partial
from typing import Any

import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import JointState


class Relay(Node):
    """One subscription and one publisher for each wire; a message is delayed by a random time, so some overtake."""

    def __init__(self, wires: list[str], drop: float, double: float, delay_s: float) -> None:
        super().__init__("lossy_relay")
        self._drop, self._double, self._delay_s = drop, double, delay_s
        self._random = random.Random(1)
        self._waiting: list[tuple[float, Any, Any]] = []
        self.counts = [0, 0, 0]  # passed, dropped, doubled
        for wire in wires:
            source, target = wire.split(">")
            kind = PoseStamped if target.endswith("_pose") else JointState
            publisher = self.create_publisher(kind, target, 10)
            self.create_subscription(kind, source, partial(self._take, publisher), 10)
        self.create_timer(0.002, self._send)

    def _take(self, publisher: Any, message: Any) -> None:
        if self._random.random() < self._drop:
            self.counts[1] += 1
            return
        copies = 2 if self._random.random() < self._double else 1
        self.counts[2] += copies - 1
        for _ in range(copies):
            due = time.monotonic() + self._delay_s * self._random.random()
            self._waiting.append((due, publisher, message))
        if not self._delay_s:
            self._send()

    def _send(self) -> None:
        now = time.monotonic()
        for entry in [entry for entry in self._waiting if entry[0] <= now]:
            self._waiting.remove(entry)
            entry[1].publish(entry[2])
            self.counts[0] += 1


def _answer(relay: Relay) -> None:
    for _ in sys.stdin:
        print("so far:", *relay.counts)


def main() -> None:
    """Relay until SIGTERM."""
    parser = argparse.ArgumentParser()
    for name in ("--drop", "--double", "--delay-s"):
        parser.add_argument(name, type=float, default=0.0)
    parser.add_argument("wires", nargs="+")
    given = parser.parse_args()
    rclpy.init(args=[])
    relay = Relay(given.wires, given.drop, given.double, given.delay_s)
    threading.Thread(target=_answer, args=(relay,), daemon=True).start()
    print("relaying", *given.wires)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(relay)


if __name__ == "__main__":
    main()
