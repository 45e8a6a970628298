"""The command topics of the simulation node: subscribe, read, refuse or take, and answer."""

from __future__ import annotations

from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.subscription import Subscription

from ros_gym_bridge.errors import ResetNeededError
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.command_messages import Reader, command_readers
from ros_gym_bridge.ros.counters import Counters
from ros_gym_bridge.ros.graph import NAMELESS, publishers
from ros_gym_bridge.ros.messages import to_ns
from ros_gym_bridge.ros.names import under
from ros_gym_bridge.ros.refused import CommandRefused
from ros_gym_bridge.sim.engine import Engine, Verdict
from ros_gym_bridge.world_file import WorldFile

_REFUSED = {
    Verdict.UNSTAMPED: ("unstamped", "header.stamp is 0"),
    Verdict.OLD: ("old_stamp", "it answers an older state"),
    Verdict.AHEAD: ("stamp_ahead", "it answers a state that has not been"),
}


class CommandPort:
    """Everything between a command message and the engine. Bad commands are refused whole, counted, and logged once
    a second.

    Args:
        node: what subscribes.
        world: the robots.
        engine: what obeys.
        counters: what counts.
    """

    def __init__(self, node: Node, world: WorldFile, engine: Engine, counters: Counters) -> None:
        self._node, self._engine, self._counters = node, engine, counters
        self.heard = 0
        self._subscriptions: dict[str, Subscription] = {}
        for placed in world.robots:
            for name, reader in command_readers(placed.robot).items():
                topic = under(placed.namespace, name)
                callback = partial(self._receive, topic, reader)
                self._subscriptions[topic] = node.create_subscription(reader.kind, topic, callback, qos.COMMANDS)

    def close(self) -> None:
        """Hear no more commands."""
        for subscription in self._subscriptions.values():
            self._node.destroy_subscription(subscription)
        self._subscriptions = {}

    def _receive(self, topic: str, reader: Reader, message: Any) -> None:
        self.heard += 1
        try:
            order = reader(message, None if self._engine.obeys_stamps else self._engine.stamp_ns)
            self._check_alone(topic)
            stamp_ns = to_ns(message.header.stamp) if hasattr(message, "header") else 0
            self._answer(topic, stamp_ns, self._engine.command(topic, stamp_ns, order))
        except CommandRefused as refusal:
            text = f"Refused a command on '{topic}': {refusal}"
            self._counters.add(f"refused_{refusal.kind}", text, refusal.provisional)
        except ResetNeededError as error:
            self._counters.add("diverged", f"{error} Time stands still until reset_simulation.")

    def _answer(self, topic: str, stamp_ns: int, verdict: Verdict) -> None:
        if verdict is Verdict.REPEATED:
            self._counters.add("repeated", f"A command on '{topic}' came again; answered with the same state.")
            self._engine.publish()
        elif verdict in _REFUSED:
            kind, what = _REFUSED[verdict]
            raise CommandRefused(
                kind,
                f"lockstep: {what}",
                got=f"stamp {stamp_ns} ns",
                expected=f"{self._engine.stamp_ns} ns, the stamp of the current state",
                remedy="Copy header.stamp from the newest joint state into the command; nothing was stepped",
            )

    def _check_alone(self, topic: str) -> None:
        """Stamps cannot tell whose command caused a state, so in lockstep one publisher is all that a topic may
        have."""
        if not self._engine.obeys_stamps:
            return
        if self._subscriptions[topic].get_publisher_count() > 1:
            names = publishers(self._node, topic)
            raise CommandRefused(
                "two_publishers",
                "lockstep: several nodes publish commands, and nobody could tell whose command caused a state",
                got=", ".join(names),
                expected="one publisher",
                remedy="End all but one (a node that was killed leaves the graph by itself after about 2 s)",
                provisional=NAMELESS in names,
            )


def command_topics(world: WorldFile) -> dict[str, int]:
    """For each distinct command topic the number of the robot that it commands."""
    return {
        under(placed.namespace, name): number
        for number, placed in enumerate(world.robots)
        for name in command_readers(placed.robot)
    }
