"""What the safety node adds to a command's way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from over_topics import environment
from sensor_msgs.msg import JointState
from turns import Effort, cost, in_turns

from ros_gym_bridge import load_robot
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.messages import to_time
from ros_gym_bridge.ros.own_node import PrivateDomain
from ros_gym_bridge.ros.session import Session

_START_S = 60.0  # on a busy machine
_PERIOD_NS = 40_000_000


class Ends:
    """An agent and a robot in one process, and a safety node that stands between them in another.

    Each command bears the stamp of the joint states that were told just before, by which it is known again.
    """

    def __init__(self) -> None:
        self._domain = PrivateDomain()
        settings = ["--ros-args", "-p", "robot:=panda", "-p", "deadman:=false", "--log-level", "error"]
        command = [sys.executable, "-m", "ros_gym_bridge.ros.safety_node", *settings]
        self._node = subprocess.Popen(command, env=environment(self._domain.domain_id))
        self._agent, self._robot = (
            Session(name, domain_id=self._domain.domain_id, quiet=True) for name in ("agent", "robot")
        )
        spec = load_robot("panda").spec
        names = [entry.joint for entry in spec.commands]
        self._command = JointState(name=names, position=spec.command_home.tolist())
        self._state = JointState(name=list(spec.joints), position=spec.home.tolist())
        publish = self._agent.node.create_publisher
        self._ways = {way: publish(JointState, way, qos.COMMANDS) for way in ("joint_command", "agent/joint_command")}
        self._states = self._robot.node.create_publisher(JointState, "joint_states", qos.JOINT_STATES)
        self._heard = self._now = 0
        self._robot.node.create_subscription(JointState, "joint_command", self._hear, qos.COMMANDS)
        for way in self._ways:
            assert self._robot.spin_until(lambda way=way: self._reaches(way), _START_S), f"nothing came by {way}"

    def send(self, way: str) -> None:
        """A command from the agent to the robot."""
        assert self._robot.spin_until(self._sent(way), 5.0), f"a command by {way} did not come within 5 s"

    def close(self) -> None:
        """End the other process."""
        self._node.terminate()
        self._node.wait(30.0)
        self._agent.close()
        self._robot.close()
        self._domain.release()

    def _sent(self, way: str) -> Callable[[], bool]:
        self._now += _PERIOD_NS
        stamp = to_time(self._now)
        self._state.header.stamp = self._command.header.stamp = stamp
        self._states.publish(self._state)
        self._ways[way].publish(self._command)
        sent = stamp.nanosec
        return lambda: self._heard == sent

    def _reaches(self, way: str) -> bool:
        self._sent(way)
        return self._robot.spin_until(lambda: self._heard == self._now % 10**9, 0.1)

    def _hear(self, message: JointState) -> None:
        self._heard = message.header.stamp.nanosec


def added(effort: Effort) -> dict[str, float]:
    """Microseconds from an agent to a robot by way of the safety node, less those of the way without it."""
    ends = Ends()
    calls = {"through": lambda: ends.send("agent/joint_command"), "straight": lambda: ends.send("joint_command")}
    rates = in_turns(calls, effort)
    ends.close()
    return {"safety_node_added_us": 1e6 * cost(rates["through"], rates["straight"])}
