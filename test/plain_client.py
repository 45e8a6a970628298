"""A client of a simulation node in plain rclpy, as a stranger would write it: it knows topics, services and messages,
and imports nothing of this package."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rcl_interfaces.srv import DescribeParameters, GetParameters, ListParameters, SetParameters
from rclpy.action import ActionClient
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState
from simulation_interfaces.srv import GetSimulationState, ResetSimulation, SetSimulationState, StepSimulation

# kilted logs an incompatible publisher by a function that is deprecated, and warnings are errors in tests
NO_EVENTS = SubscriptionEventCallbacks(use_default_callbacks=False)
RELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
DEEP = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
ASKING = ("get_", "list_", "describe_")  # services that change nothing
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def nanoseconds(stamp: Any) -> int:
    """builtin_interfaces/Time as an integer."""
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def content(state: JointState) -> tuple[int, tuple[str, ...], bytes, bytes, bytes]:
    """Everything that a state says, to the last bit."""
    values = (state.position.tobytes(), state.velocity.tobytes(), state.effort.tobytes())
    return nanoseconds(state.header.stamp), tuple(state.name), *values


class PlainClient:
    """A node in a context of its own that hears `joint_states` and speaks on `joint_command`.

    Args:
        domain_id: ROS domain.
        namespace: of this node and, since names are relative, of the simulation.
        name: of this node.
        commands: topics to publish commands on.
    """

    def __init__(
        self,
        domain_id: int,
        namespace: str = "",
        name: str = "plain_client",
        commands: Sequence[str] = ("joint_command",),
    ) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain_id, signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node(name, context=self.context, namespace=namespace, start_parameter_services=False)
        self.executor = EventsExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.states: list[JointState] = self.hear(JointState, "joint_states", DEEP)
        self.publishers = {topic: self.node.create_publisher(JointState, topic, RELIABLE) for topic in commands}
        self._clients: dict[str, Any] = {}

    def close(self) -> None:
        """Leave the graph. May be called again."""
        if self.executor is not None:
            self.executor.shutdown()
            self.executor = None
            self.node.destroy_node()
            self.context.try_shutdown()
            self.context.destroy()

    def __enter__(self) -> PlainClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- waiting

    def hear(self, kind: Any, topic: str, qos: Any = RELIABLE) -> list[Any]:
        """Subscribe; the list that messages are appended to."""
        heard: list[Any] = []
        self.node.create_subscription(kind, topic, heard.append, qos, event_callbacks=NO_EVENTS)
        return heard

    def until(self, done: Callable[[], Any], what: str, timeout_s: float = 30.0) -> Any:
        """Serve callbacks until `done()` is true, and return that."""
        deadline = time.monotonic() + timeout_s
        while not (value := done()):
            assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
            self.executor.spin_once(timeout_sec=0.02)
        return value

    def listen(self, seconds: float) -> None:
        """Serve callbacks for so long: for what must not come, and for rates."""
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0.0:
            self.executor.spin_once(timeout_sec=min(rest, 0.02))

    def connect(self) -> JointState:
        """Until a state has come and somebody hears the commands; the state."""

        def connected() -> bool:
            heard = all(publisher.get_subscription_count() for publisher in self.publishers.values())
            return heard and bool(self.states)

        self.until(connected, "a simulation")
        return self.states[-1]

    def named(self, kind: str, node: str = "sim_node", namespace: str = "/") -> dict[str, list[str]]:
        """Names and types of a node's ends: `publisher`, `subscriber` or `service`; none while it is not in the
        graph."""
        get = getattr(self.node, f"get_{kind}_names_and_types_by_node")
        there = (node, namespace) in self.node.get_node_names_and_namespaces()
        return dict(get(node, namespace)) if there else {}

    # --- topics

    @property
    def stamp(self) -> int:
        """Of the newest state, nanoseconds."""
        return nanoseconds(self.states[-1].header.stamp)

    def at(self, stamp: int) -> list[JointState]:
        """The states with this stamp."""
        return [state for state in self.states if nanoseconds(state.header.stamp) == stamp]

    def send(
        self,
        names: Sequence[str],
        position: Sequence[float] = (),
        velocity: Sequence[float] = (),
        effort: Sequence[float] = (),
        stamp: int | None = None,
        topic: str = "joint_command",
    ) -> None:
        """Publish a command; stamped with the newest state's stamp unless told otherwise."""
        message = JointState(name=list(names))
        message.position, message.velocity, message.effort = list(position), list(velocity), list(effort)
        answered = self.stamp if stamp is None else stamp
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(answered, 10**9)
        self.publishers[topic].publish(message)

    def step(self, names: Sequence[str], **values: Any) -> JointState:
        """One step in lockstep: send, and again every 0.3 s as long as nothing newer comes; the next state."""
        answered = self.stamp
        deadline = time.monotonic() + 30.0
        while self.stamp <= answered:
            assert time.monotonic() < deadline, f"no answer to the command for the state at {answered} ns"
            self.send(names, stamp=answered, **values)
            again = time.monotonic() + 0.3
            while self.stamp <= answered and time.monotonic() < again:
                self.executor.spin_once(timeout_sec=0.02)
        return self.states[-1]

    def counts(self, heard: list[DiagnosticArray], node: str = "/sim_node") -> dict[str, str]:
        """The newest facts about a node among diagnostics that were heard; empty when there are none."""
        for array in reversed(heard):
            for status in array.status:
                if status.name == f"{node}: simulation":
                    return {value.key: value.value for value in status.values}
        return {}

    def count(self, heard: list[DiagnosticArray], kind: str, at_least: int, node: str = "/sim_node") -> int:
        """Wait until a counter on `/diagnostics` has got there; its value."""
        self.until(lambda: int(self.counts(heard, node).get(kind, 0)) >= at_least, f"{kind} >= {at_least}")
        return int(self.counts(heard, node)[kind])

    # --- services

    def request(self, kind: Any, name: str, request: Any) -> Any:
        """Call a service; the future."""
        if name not in self._clients:
            self._clients[name] = self.node.create_client(kind, name)
        client = self._clients[name]
        self.until(client.service_is_ready, f"the service {client.srv_name}")
        return client.call_async(request)

    def call(self, kind: Any, name: str, request: Any, timeout_s: float = 30.0, again: bool = False) -> Any:
        """Call a service; its answer. What only asks, or may be done `again`, is asked again after 3, 6, 12 s and so
        on: the middleware of a busy machine drops an answer to somebody whom the server has not discovered within
        0.1 s."""
        began, asked = time.monotonic(), [self.request(kind, name, request)]

        def answered() -> Any:
            due_s = 1.5 * 2 ** len(asked)
            if (again or name.rsplit("/")[-1].startswith(ASKING)) and time.monotonic() - began > due_s:
                asked.append(self.request(kind, name, request))
            return next((future for future in asked if future.done()), None)

        return self.until(answered, f"the answer of {name}", timeout_s).result()

    def state(self) -> int:
        """`get_simulation_state`."""
        answer = self.call(GetSimulationState, "get_simulation_state", GetSimulationState.Request())
        assert answer.result.result == 1, answer.result
        return int(answer.state.state)

    def set_state(self, state: int) -> Any:
        """`set_simulation_state`; its result."""
        request = SetSimulationState.Request()
        request.state.state = state
        return self.call(SetSimulationState, "set_simulation_state", request).result

    def reset(self, scope: int) -> Any:
        """`reset_simulation`; its result."""
        return self.call(ResetSimulation, "reset_simulation", ResetSimulation.Request(scope=scope)).result

    def step_simulation(self, steps: int, timeout_s: float = 30.0) -> Any:
        """`step_simulation`; its result."""
        return self.call(StepSimulation, "step_simulation", StepSimulation.Request(steps=steps), timeout_s).result

    # --- actions

    def action(self, kind: Any, name: str) -> ActionClient:
        """A client of an action, when somebody serves that. It lives as long as this one: rclpy's events executor
        crashes now and then when an action client goes while messages are on their way to it."""
        if name not in self._clients:
            self._clients[name] = ActionClient(self.node, kind, name)
        self.until(self._clients[name].server_is_ready, f"the action {name}")
        return self._clients[name]

    # --- parameters

    def parameters(self, *names: str) -> dict[str, Any]:
        """Values by name."""
        answer = self.call(GetParameters, "sim_node/get_parameters", GetParameters.Request(names=list(names)))
        return {name: parameter_value_to_python(value) for name, value in zip(names, answer.values, strict=True)}

    def set_parameter(self, name: str, value: Any) -> SetParametersResult:
        """Set one; what the node says."""
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        return self.call(SetParameters, "sim_node/set_parameters", request).results[0]

    def descriptions(self) -> dict[str, ParameterDescriptor]:
        """Every parameter of the node, described."""
        names = self.call(ListParameters, "sim_node/list_parameters", ListParameters.Request()).result.names
        request = DescribeParameters.Request(names=names)
        answer = self.call(DescribeParameters, "sim_node/describe_parameters", request)
        return dict(zip(names, answer.descriptors, strict=True))
