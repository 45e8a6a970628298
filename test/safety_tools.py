"""What the tests of the safety node share: the node in a process of its own, and a client on both of its sides."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from adapter_tools import Process, running
from plain_client import RELIABLE, PlainClient

EITHER = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)


@contextlib.contextmanager
def safety_node(domain_id: int, robot: str | Path, deadman: bool = False) -> Iterator[Process]:
    """A safety node that stands."""
    settings = ["-p", f"robot:={robot}", "-p", f"deadman:={str(deadman).lower()}"]
    command = [sys.executable, "-m", "ros_gym_bridge.ros.safety_node", "--ros-args", *settings]
    with running(Process(command, ROS_DOMAIN_ID=domain_id)) as process:
        process.says("Guarding '")
        yield process


class Onlooker:
    """Speaks for an agent, hears what the robot is told and tells, and presses the button.

    Args:
        client: a plain node without publishers of its own.
        topics: message type by command topic.
    """

    def __init__(self, client: PlainClient, topics: dict[str, Any]) -> None:
        self.client, self.node = client, client.node
        self.told = {topic: client.hear(kind, topic) for topic, kind in topics.items()}
        self.joints: list[JointState] = client.hear(JointState, "joint_states", EITHER)
        self.beats: list[Bool] = client.hear(Bool, "safety/heartbeat")
        self.diagnostics: list[DiagnosticArray] = client.hear(DiagnosticArray, "/diagnostics")
        self._agent = {t: self.node.create_publisher(kind, f"agent/{t}", RELIABLE) for t, kind in topics.items()}
        client.until(lambda: self.joints and self.beats, "joint states and a heartbeat")
        client.until(lambda: all(p.get_subscription_count() for p in self._agent.values()), "the safety node")

    def say(self, topic: str, message: Any) -> None:
        """As an agent."""
        self._agent[topic].publish(message)

    def leave(self) -> None:
        """The agent is gone."""
        for publisher in self._agent.values():
            self.node.destroy_publisher(publisher)

    def trigger(self, service: str) -> tuple[bool, str]:
        """Call `safety/stop` or `safety/reset`; what was answered."""
        answer = self.client.call(Trigger, service, Trigger.Request())
        return bool(answer.success), str(answer.message)

    def value(self, joint: str, what: str = "position") -> float:
        """Of a joint, as told last."""
        state = self.joints[-1]
        assert joint in state.name, f"{state.header.frame_id}: {state.name}; {self.node.get_node_names()}"
        return float(getattr(state, what)[list(state.name).index(joint)])

    def facts(self) -> dict[str, str]:
        """The newest of what the safety node says on /diagnostics, with its message as `message`."""
        for array in reversed(self.diagnostics):
            for status in array.status:
                if status.name.endswith(": safety"):
                    return {"message": status.message, **{each.key: each.value for each in status.values}}
        return {}

    def until_fact(self, key: str, value: str) -> None:
        """Wait until the node says so."""
        try:
            self.client.until(lambda: value in self.facts().get(key, ""), f"{key} {value}")
        except AssertionError as error:
            raise AssertionError(f"{error}; the newest facts: {json.dumps(self.facts())}") from error
