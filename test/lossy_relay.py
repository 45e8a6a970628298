"""A bad wire: passes messages from topic to topic, and on the way does to them what real wires do, and worse. Plain
rclpy.

    python lossy_relay.py FROM>TO ...

What happens on a wire stands in `FAULTS`. On standard input, `set NAME=VALUE ...` changes that at once, on all wires,
or with `set TO NAME=VALUE ...` on the wire to one topic; all that is not named is good again. `report` prints how many
messages passed, and how many met each fault. Chance is seeded.
"""

from __future__ import annotations

import contextlib
import math
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState

FAULTS = {
    "drop": 0.0,  # the share that is lost
    "double": 0.0,  # the share that comes twice
    "swap": 0.0,  # the share that lets the next message overtake
    "nan": 0.0,  # the share in which the first number is NaN, a position where there are some
    "delay_s": 0.0,  # of each
    "jitter_s": 0.0,  # and at most so much more, by chance
    "freeze": 0.0,  # 1: the last message before comes again and again in place of all others
    "back_s": 0.0,  # stamps are so much older
}
EITHER = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)


class Wire:
    """What happens between one topic and another.

    Args:
        send: passes a message on.
        later: does something after so many seconds.
        chance: where all randomness comes from.
    """

    def __init__(self, send: Callable[[Any], None], later: Callable[[float, Any], None], chance: random.Random) -> None:
        self._send, self._later, self._random = send, later, chance
        self.faults = dict(FAULTS)
        self.counts: Counter[str] = Counter(dict.fromkeys(("passed", *FAULTS), 0))
        self._held: Any = None
        self._last: Any = None

    def take(self, message: Any) -> None:
        """A message comes."""
        faults = self.faults
        if faults["freeze"] and self._last is not None:
            self.counts["freeze"] += 1
            message = self._last
        self._last = message
        if self._happens("drop"):
            return
        if faults["back_s"]:
            message = older(message, faults["back_s"])
            self.counts["back_s"] += 1
        if hasattr(message, "position") and self._happens("nan"):
            message = deepcopy(message)
            values = message.position or message.velocity or message.effort
            values[0] = math.nan
        for _ in range(1 + self._happens("double")):
            self._pass(message)

    def _happens(self, fault: str) -> bool:
        happens = self._random.random() < self.faults[fault]
        self.counts[fault] += happens
        return happens

    def _pass(self, message: Any) -> None:
        if self._held is None and self._happens("swap"):
            self._held = message
            return
        waiting, self._held = [message, self._held], None
        for each in (one for one in waiting if one is not None):
            delay_s = self.faults["delay_s"] + self.faults["jitter_s"] * self._random.random()
            self.counts["delay_s"] += self.faults["delay_s"] > 0.0
            self.counts["jitter_s"] += self.faults["jitter_s"] > 0.0
            self._later(delay_s, partial(self._out, each))

    def _out(self, message: Any) -> None:
        self.counts["passed"] += 1
        self._send(message)


class Relay(Node):
    """All wires, and what is on its way on them."""

    def __init__(self, names: list[str]) -> None:
        super().__init__("lossy_relay")
        self._waiting: list[tuple[float, Callable[[], None]]] = []
        self.wires = {name.partition(">")[2]: self._wire(*name.split(">"), seed) for seed, name in enumerate(names)}
        self.create_timer(0.002, self._work)

    def _wire(self, source: str, target: str, seed: int) -> Wire:
        kind = PoseStamped if target.endswith("_pose") else JointState
        wire = Wire(self.create_publisher(kind, target, 100).publish, self._later, random.Random(seed))
        self.create_subscription(kind, source, wire.take, EITHER)
        return wire

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        if delay_s <= 0.0:
            action()
        else:
            self._waiting.append((time.monotonic() + delay_s, action))

    def _work(self) -> None:
        now = time.monotonic()
        due = sorted((entry for entry in self._waiting if entry[0] <= now), key=lambda entry: entry[0])
        self._waiting = [entry for entry in self._waiting if entry[0] > now]
        for _, action in due:
            action()

    def tell(self, line: str) -> str:
        """What a line of standard input asks for; the answer."""
        word, *given = line.split()
        if word == "report":
            total: Counter[str] = Counter()
            for wire in self.wires.values():
                total.update(wire.counts)
            return "so far: " + " ".join(f"{name}={total[name]}" for name in ("passed", *FAULTS))
        chosen = [self.wires[given.pop(0)]] if given and "=" not in given[0] else list(self.wires.values())
        faults = {name: float(value) for name, _, value in (each.partition("=") for each in given)}
        if unknown := faults.keys() - FAULTS.keys():
            raise ValueError(f"unknown faults: {sorted(unknown)}")
        for wire in self.wires.values():
            wire.faults = FAULTS | faults if wire in chosen else dict(FAULTS)
        return f"now: {line.strip()}"


def older(message: Any, seconds: float) -> Any:
    """A copy whose stamp is so much earlier."""
    copy = deepcopy(message)
    stamp = copy.header.stamp
    now_ns = stamp.sec * 10**9 + stamp.nanosec - round(seconds * 1e9)
    stamp.sec, stamp.nanosec = divmod(max(1, now_ns), 10**9)
    return copy


def _listen(relay: Relay) -> None:
    for line in sys.stdin:
        print(relay.tell(line), flush=True)


def main() -> None:
    """Relay until SIGTERM."""
    rclpy.init(args=[])
    relay = Relay(sys.argv[1:])
    threading.Thread(target=_listen, args=(relay,), daemon=True).start()
    print("relaying", *sys.argv[1:], flush=True)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(relay)


if __name__ == "__main__":
    main()
