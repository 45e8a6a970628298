"""The safety node: stands between an agent and a robot, in a process of its own, and outlives both."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.subscription import Subscription
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from ros_gym_bridge.config import load_robot
from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.ros import messages, qos
from ros_gym_bridge.ros.command_messages import Reader, command_readers
from ros_gym_bridge.ros.command_writers import command_writers
from ros_gym_bridge.ros.counters import Counters
from ros_gym_bridge.ros.deadman import Deadman
from ros_gym_bridge.ros.graph import NAMELESS, publishers
from ros_gym_bridge.ros.guard import Guard, Joints, Mode
from ros_gym_bridge.ros.names import is_relative, names_only
from ros_gym_bridge.ros.parameters import Parameter, declare, leave_simulated_time, without_effect
from ros_gym_bridge.ros.program import run_program
from ros_gym_bridge.ros.refused import CommandRefused
from ros_gym_bridge.ros.safety_report import PERIOD_S, SafetyReport
from ros_gym_bridge.ros.session import Session
from ros_gym_bridge.ros.stop import Stop

NODE_NAME = "safety_node"

SAFETY_PARAMETERS = (
    Parameter("robot", "panda", "Robot file: the name of one that comes with the package, or a path."),
    Parameter("agent_prefix", "agent", "Put before each command topic for that on which the agent publishes."),
    Parameter("deadman", True, "A second process stops the robot when this node is killed or hangs."),
)

_NO_EVENTS = SubscriptionEventCallbacks(use_default_callbacks=False)  # some would say that they hear nothing
_TICK_S = 0.01  # a watchdog that looks more often would only cost
_PRESSED_S = 1.0  # a button that said true within this time is still pressed
_LAST_WORDS_S = 0.1


class SafetyNode:
    """Hears an agent's commands and the robot's joint states, and publishes what may reach the robot.

    Args:
        session: an open session whose node gets the parameters, publishers, subscriptions and services.
        arguments: the ROS arguments of that session.

    Raises:
        BridgeError: a parameter or robot file that cannot be used.
    """

    def __init__(self, session: Session, arguments: Sequence[str]) -> None:
        self._session = session
        node = self._node = session.node
        values = declare(node, SAFETY_PARAMETERS)
        self._prefix = str(values["agent_prefix"]).strip("/")
        if not is_relative(self._prefix):
            raise OptionError(
                "parameter 'agent_prefix'", got=repr(values["agent_prefix"]), expected="a relative name such as agent"
            )
        robot = load_robot(str(values["robot"]))
        safety, spec = robot.config.safety, robot.spec
        self._guard = Guard(robot)
        self._counters = Counters(node.get_logger().warning)
        self._read_joints = messages.JointStateReader(spec.joints)
        self._outlets = {
            topic: (node.create_publisher(writer.kind, topic, qos.COMMANDS), writer)
            for topic, writer in command_writers(robot, realtime=True).items()
        }
        self._inlets: dict[str, Subscription] = {
            topic: node.create_subscription(
                reader.kind, f"{self._prefix}/{topic}", partial(self._hear, topic, reader), qos.COMMANDS
            )
            for topic, reader in command_readers(robot).items()
        }
        node.create_subscription(JointState, robot.config.joint_states.topic, self._hear_joints, qos.ANY)
        for profile in (qos.FACTS, qos.LATCHED, qos.ANY):  # to hear whoever publishes, as well as can be
            node.create_subscription(Bool, safety.stop_topic, self._hear_stop, profile, event_callbacks=_NO_EVENTS)
        node.create_service(Trigger, safety.stop_service, self._stop)
        node.create_service(Trigger, safety.reset_service, self._reset)
        self._heartbeat = node.create_publisher(Bool, safety.heartbeat_topic, qos.FACTS)
        self._report = SafetyReport(node, robot, self._guard, self._counters, self._inlets)
        self._deadman = Deadman(str(robot.path), names_only(arguments)) if values["deadman"] else None
        self._pressed_s = -_PRESSED_S
        self._beat_s, self._tick_s = 1.0 / safety.heartbeat_hz, max(_TICK_S, 1.0 / spec.control_hz)
        self._mode = Mode.IDLE
        self.quitting = False
        self._warn()
        node.get_logger().info(
            f"Guarding '{spec.name}': commands on {', '.join(f'{self._prefix}/{topic}' for topic in self._inlets)} are "
            f"passed on to {', '.join(self._outlets)}; ROS domain {session.domain_id}."
        )

    def run(self) -> None:
        """Serve until somebody asks to quit."""
        clock = time.monotonic
        tick, beat, report = (clock(),) * 3
        while not self.quitting:
            self._session.executor.spin_once(timeout_sec=max(0.0, min(tick, beat, report) - clock()))
            now = clock()
            if now >= tick:
                tick = now + self._tick_s
                self._publish(self._guard.tick(), 0)
                self._say_mode()
            if now >= beat:
                beat = now + self._beat_s
                self._beat()
            if now >= report:
                report = now + PERIOD_S
                self._report.publish()

    def quit(self) -> None:
        """End the loop; may be called from a signal handler or another thread."""
        self.quitting = True

    def close(self) -> None:
        """Leave no command standing."""
        self._publish(self._guard.stop("safety_node has ended"), 0)
        self._session.spin_until(lambda: False, _LAST_WORDS_S)
        if self._deadman is not None:
            self._deadman.close()

    def _beat(self) -> None:
        self._heartbeat.publish(Bool(data=self._guard.mode in (Mode.IDLE, Mode.PASSING)))
        if self._deadman is not None and not self._deadman.beat():
            self._counters.add("deadman_ended", "The deadman's process had ended; it was started again.")

    def _hear(self, topic: str, reader: Reader, message: Any) -> None:
        try:
            order = reader(message, self._guard.stamp_ns)
            self._check_alone(topic)
            self._publish(self._guard.command(topic, order), _stamp_ns(message))
            self._counters.count("passed")
        except CommandRefused as refusal:
            text = f"Refused a command on '{self._prefix}/{topic}': {refusal}"
            self._counters.add(f"refused_{refusal.kind}", text, refusal.provisional)

    def _hear_joints(self, message: JointState) -> None:
        joints = self._read_joints(message)
        if isinstance(joints, list):
            self._counters.add("missing_joints", f"Joints {', '.join(joints)} are not in the joint states.")
        else:
            self._guard.hear_joints(_stamp_ns(message), Joints(*joints))

    def _check_alone(self, topic: str) -> None:
        """Two agents at once would pull the robot to and fro."""
        if self._inlets[topic].get_publisher_count() > 1:
            names = publishers(self._node, f"{self._prefix}/{topic}")
            raise CommandRefused(
                "two_publishers",
                "several nodes publish commands",
                got=", ".join(names),
                expected="one agent",
                remedy="End all but one (a node that was killed leaves the graph by itself after about 2 s)",
                provisional=NAMELESS in names,
            )

    def _publish(self, topics: Iterable[str], stamp_ns: int) -> None:
        for topic in topics:
            publisher, write = self._outlets[topic]
            publisher.publish(write(self._guard.applied, stamp_ns))

    def _hear_stop(self, message: Bool) -> None:
        if message.data:
            self._pressed_s = time.monotonic()
            self._latch(f"'{self._node.resolve_topic_name(self._report.stop_topic)}' said true")

    def _stop(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._latch("the stop service was called")
        response.success, response.message = True, f"stopped: {self._guard.latched}"
        return response

    def _latch(self, why: str) -> None:
        self._publish(self._guard.stop(why), 0)
        self._say_mode()

    def _reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if time.monotonic() - self._pressed_s < _PRESSED_S:
            response.success, response.message = False, "the emergency stop is still asked for; release it first"
            return response
        was = self._guard.latched
        self._guard.reset()
        response.success, response.message = True, f"no longer stopped: {was}" if was else "there was no emergency stop"
        self._say_mode()
        return response

    def _say_mode(self) -> None:
        """Log what has changed."""
        mode = self._guard.mode
        if mode is self._mode:
            return
        self._mode = mode
        text = f"Now {mode.value}{f' ({self._guard.latched})' if self._guard.latched else ''}."
        if mode in (Mode.IDLE, Mode.PASSING):
            self._node.get_logger().info(text)
        else:
            self._node.get_logger().warning(text)

    def _warn(self) -> None:
        log = self._node.get_logger()
        for sentence in without_effect(self._node):
            log.warning(sentence)
        if leave_simulated_time(self._node):
            log.warning("This node watches the wall clock: use_sim_time is false here.")


def _stamp_ns(message: Any) -> int:
    return messages.to_ns(message.header.stamp) if hasattr(message, "header") else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM. Exit code 0, 1 for a failure, 2 for a user's mistake."""
    given = list(sys.argv[1:] if arguments is None else arguments)

    def make(session: Session, stop: Stop) -> SafetyNode:
        node = SafetyNode(session, given)
        stop.then(node.quit)
        return node

    return run_program(NODE_NAME, given, make)


if __name__ == "__main__":
    sys.exit(main())
