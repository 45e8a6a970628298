"""A robot that is not ours: behaves as one under ros2_control and imports nothing of this package.

    python robot_driver.py FILE.json [--set KEY=JSON ...] [--ros-args ...]

FILE.json (`-`: standard input) holds `joints` (see `driver_plant.Joint`), `controllers` (each a `kind` of
`driver_controllers.CONTROLLERS` with its keywords), and any of the keys of `OPTIONS`; those of `LIVE` are ROS
parameters of the node too, so they change while it runs. What the hardware does not bear stops it, until the service
`~/clear_fault` is called; the log and `/diagnostics` say so. The service `~/halt` forgets all commands.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import math
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from nav_msgs.msg import Odometry
from rcl_interfaces.msg import SetParametersResult
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage

from driver_controllers import CONTROLLERS, DiffDrive, Refused, transform
from driver_plant import Joint, Plant

OPTIONS: dict[str, Any] = {
    "node_name": "robot_driver",
    "namespace": "",
    "joint_states": "joint_states",
    "reliable": False,  # of the joint states
    "shuffle": True,  # joints in another order in each message
    "publish_clock": False,  # the robot's clock on /clock
    "description": "",  # a URDF file for robot_description
    "tf": True,  # transforms of odometry
    "seed": 0,  # of losses, jitter and noise
}
LIVE: dict[str, Any] = {
    "rate_hz": 250.0,
    "command_delay_s": 0.0,
    "command_jitter_s": 0.0,
    "command_drop": 0.0,
    "state_delay_s": 0.0,
    "state_jitter_s": 0.0,
    "state_drop": 0.0,
    "position_noise": 0.0,
    "velocity_noise": 0.0,
    "clock_offset_s": 0.0,  # of the robot's clock from the computer's; change it and the clock jumps
    "clock_scale": 1.0,
    "stuck": "",  # a joint that does not move
}
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class RobotClock:
    """The robot's own time: that of the computer, displaced and scaled by `clock_offset_s` and `clock_scale`."""

    def __init__(self, live: dict[str, Any]) -> None:
        self._live = live
        self._base_ns, self._base_s = time.time_ns(), time.monotonic()

    def now_ns(self) -> int:
        """Nanoseconds."""
        gone = (time.monotonic() - self._base_s) * self._live["clock_scale"] + self._live["clock_offset_s"]
        return self._base_ns + round(gone * 1e9)


class Wire:
    """What is on its way: actions by the steady time at which they are due."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()

    def put(self, due_s: float, action: Callable[[], None]) -> None:
        """Do this then."""
        heapq.heappush(self._waiting, (due_s, next(self._number), action))

    def next_s(self) -> float:
        """When the next one is due; infinite when nothing is."""
        return self._waiting[0][0] if self._waiting else math.inf

    def pop(self) -> Callable[[], None]:
        """The next one."""
        return heapq.heappop(self._waiting)[2]


class Driver:
    """The node, its plant and its controllers."""

    def __init__(self, config: dict[str, Any], arguments: list[str]) -> None:
        self._options = {key: config.pop(key, default) for key, default in OPTIONS.items()}
        self.live = {key: type(default)(config.pop(key, default)) for key, default in LIVE.items()}
        self.plant = Plant([Joint.of(joint) for joint in config.pop("joints")])
        self.controllers = [CONTROLLERS[each.pop("kind")](self.plant, **each) for each in config.pop("controllers", [])]
        self.plant.stuck = self.live["stuck"]
        if config:
            raise ValueError(f"unknown keys: {sorted(config)}")
        self._random = random.Random(self._options["seed"])
        self.clock, self._wire = RobotClock(self.live), Wire()
        self._inbound, self._outbound = partial(self._carry, "command"), partial(self._carry, "state")
        self.counts = Counter(dict.fromkeys(("commands", "refused", "ignored", "dropped", "states"), 0))
        self._moved_s = time.monotonic()
        self._reported = ""
        self._open(arguments)

    def _open(self, arguments: list[str]) -> None:
        options = self._options
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.ALL)
        self.node = node = Node(options["node_name"], namespace=options["namespace"])
        self._executor = EventsExecutor()
        self._executor.add_node(node)
        reliability = ReliabilityPolicy.RELIABLE if options["reliable"] else ReliabilityPolicy.BEST_EFFORT
        quality = QoSProfile(depth=5, reliability=reliability)
        self._states = node.create_publisher(JointState, options["joint_states"], quality)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._clock = node.create_publisher(Clock, "/clock", 1) if options["publish_clock"] else None
        self._drives = [
            (each, node.create_publisher(Odometry, each.odom_topic, 10))
            for each in self.controllers
            if isinstance(each, DiffDrive)
        ]
        self._tf = node.create_publisher(TFMessage, "/tf", 100) if self._drives and options["tf"] else None
        for each in self.controllers:
            node.create_subscription(each.kind, each.topic, partial(self._hear, each), 10)
        if options["description"]:
            self._description = node.create_publisher(String, "robot_description", LATCHED)
            self._description.publish(String(data=Path(options["description"]).read_text()))
        node.create_service(Trigger, "~/clear_fault", self._clear)
        node.create_service(Trigger, "~/halt", self._halt)
        for key, value in self.live.items():
            node.declare_parameter(key, value)
        node.add_on_set_parameters_callback(self._set)

    def run(self) -> None:
        """States at their rate on a steady clock, until the context ends."""
        self.node.get_logger().info(f"Driving {len(self.plant.names)} joints at {self.live['rate_hz']:g} Hz")
        due_s, diagnosed_s = time.monotonic(), 0.0
        while self.node.context.ok():
            due_s = max(due_s + 1.0 / self.live["rate_hz"], time.monotonic() - 0.1)
            while (now := time.monotonic()) < due_s and self.node.context.ok():
                self._executor.spin_once(timeout_sec=min(due_s, max(now, self._wire.next_s())) - now)
                self._work(time.monotonic())
            self._work(time.monotonic())
            self._tell()
            if now - diagnosed_s > 1.0 or self.plant.fault != self._reported:
                self._diagnose()
                diagnosed_s = now

    def _work(self, now_s: float) -> None:
        """Move up to now, with what arrives on the way taken at its time."""
        while self._wire.next_s() <= now_s:
            self._move(self._wire.next_s())
            self._wire.pop()()
        self._move(now_s)

    def _move(self, to_s: float) -> None:
        while self._moved_s < to_s:
            piece = min(0.002, to_s - self._moved_s)
            if not self.plant.fault:
                for each in self.controllers:
                    each.update(self._moved_s)
            self.plant.step(piece)
            self._moved_s += piece

    def _carry(self, way: str, action: Callable[[], None]) -> None:
        """A message goes through the wire: it may be lost, and takes its time."""
        live = self.live
        if self._random.random() < live[f"{way}_drop"]:
            self.counts["dropped"] += 1
            return
        delay_s = live[f"{way}_delay_s"] + self._random.random() * live[f"{way}_jitter_s"]
        if delay_s > 0.0:
            self._wire.put(time.monotonic() + delay_s, action)
        else:
            action()

    # --- commands

    def _hear(self, controller: Any, message: Any) -> None:
        self._inbound(partial(self._take, controller, message))

    def _take(self, controller: Any, message: Any) -> None:
        self.counts["commands"] += 1
        if self.plant.fault:
            self.counts["ignored"] += 1
            return
        try:
            controller.take(message, self._moved_s, self.clock.now_ns())
        except Refused as error:
            self.counts["refused"] += 1
            self.node.get_logger().warning(f"Refused on {controller.topic}: {error}", throttle_duration_sec=1.0)

    def _clear(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = bool(self.plant.fault), self.plant.fault or "there is no fault"
        self._halt(request, Trigger.Response())
        self.plant.clear()
        return response

    def _halt(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        for each in self.controllers:
            each.halt()
        self.plant.hold()
        response.success = True
        return response

    def _set(self, parameters: list[Any]) -> SetParametersResult:
        for each in parameters:
            if each.name == "stuck" and each.value and each.value not in self.plant.names:
                return SetParametersResult(successful=False, reason=f"there is no joint '{each.value}'")
        self.live.update({each.name: each.value for each in parameters if each.name in LIVE})
        self.plant.stuck = self.live["stuck"]
        return SetParametersResult(successful=True)

    # --- states

    def _tell(self) -> None:
        stamp = self._stamp(self.clock.now_ns())
        measured = self.plant.measured()
        for row, key in enumerate(("position_noise", "velocity_noise")):
            if self.live[key]:
                measured[row] += [self._random.gauss(0.0, self.live[key]) for _ in self.plant.names]
        order = list(range(len(self.plant.names)))
        if self._options["shuffle"]:
            self._random.shuffle(order)
        message = JointState(name=[self.plant.names[i] for i in order])
        message.header.stamp = stamp
        message.position, message.velocity, message.effort = measured[:, order].tolist()
        self._outbound(partial(self._states.publish, message))
        self.counts["states"] += 1
        if self._clock is not None:
            self._clock.publish(Clock(clock=stamp))
        for drive, publisher in self._drives:
            odometry = drive.odometry(stamp)
            self._outbound(partial(publisher.publish, odometry))
            if self._tf is not None:
                self._outbound(partial(self._tf.publish, TFMessage(transforms=[transform(odometry)])))

    def _stamp(self, nanoseconds: int) -> Any:
        stamp = JointState().header.stamp
        stamp.sec, stamp.nanosec = divmod(max(0, nanoseconds), 10**9)
        return stamp

    def _diagnose(self) -> None:
        fault = self.plant.fault
        if fault and fault != self._reported:
            self.node.get_logger().error(f"Fault: {fault}")
        self._reported = fault
        status = DiagnosticStatus(
            name=f"{self.node.get_fully_qualified_name()}: hardware",
            hardware_id=self._options["node_name"],
            level=DiagnosticStatus.ERROR if fault else DiagnosticStatus.OK,
            message=fault or "running",
            values=[KeyValue(key=key, value=str(count)) for key, count in self.counts.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._stamp(time.time_ns())
        self._diagnostics.publish(array)

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown()


def main() -> None:
    """Drive until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="JSON file; -: standard input")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=JSON", help="in place of the file's")
    given, rest = parser.parse_known_args()
    config = json.loads(sys.stdin.read() if given.file == "-" else Path(given.file).read_text())
    for text in given.set:
        key, _, value = text.partition("=")
        config[key] = json.loads(value)
    driver = Driver(config, rest)
    try:
        driver.run()
    finally:
        driver.close()


if __name__ == "__main__":
    main()
