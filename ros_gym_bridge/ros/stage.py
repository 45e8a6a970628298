"""One world on ROS: its simulation, the engine that moves it, and every topic of its robots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.subscription import Subscription

from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.robot import RobotState
from ros_gym_bridge.ros.commands import CommandPort, command_topics
from ros_gym_bridge.ros.counters import Counters
from ros_gym_bridge.ros.facts import facts, unstamped
from ros_gym_bridge.ros.interventions import Interventions
from ros_gym_bridge.ros.model_notes import about, about_all
from ros_gym_bridge.ros.names import fact_name
from ros_gym_bridge.ros.pacing import Pacer
from ros_gym_bridge.ros.robot_ports import RobotPorts, Transforms
from ros_gym_bridge.sim.engine import Engine
from ros_gym_bridge.sim.entities import Entities
from ros_gym_bridge.sim.renderer import NAMES
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.sim.wrenches import Wrenches
from ros_gym_bridge.world_file import SpawnedBody, WorldFile


@dataclass(frozen=True)
class Settings:
    """What every world of a node has in common.

    Attributes:
        lockstep: commands move time.
        transforms: which are published.
    """

    lockstep: bool
    transforms: Transforms

    def check(self, world: WorldFile) -> None:
        """Refuse a world that cannot be run so.

        Raises:
            OptionError: in lockstep, commands without a stamp.
        """
        for placed in world.robots:
            if self.lockstep and (text := unstamped(placed.robot)):
                raise OptionError(
                    "mode 'lockstep' needs commands with a stamp",
                    got=text,
                    expected="mode 'realtime', which can also be paused and stepped by step_simulation",
                    remedy="Start with mode:=realtime, or choose another 'message' for the group",
                )


class Stage:
    """A world with its publishers, subscriptions and facts; made and closed as a whole.

    Attributes:
        simulation: what moves; it belongs to the stage from now on.
        engine: what moves it.
        entities: everything in it that has a name.
        wrenches: what pushes from outside.
        commands: what is heard.
        pacer: when the next control period ends.

    Args:
        node: what publishes and subscribes.
        simulation: as above.
        settings: of the node.
        counters: what counts refused commands.
        published: called with the stamp of every state that was published, nanoseconds.
        still: whether time waits for something else.
    """

    def __init__(
        self,
        node: Node,
        simulation: Simulation,
        settings: Settings,
        counters: Counters,
        published: Callable[[int], None],
        still: Callable[[], bool],
    ) -> None:
        self.simulation = simulation
        self._node, self._published = node, published
        self._ends, self._facts, self._said = _Ends(node), list[str](), set[str]()
        world = simulation.world_file
        self.entities = Entities(simulation)
        self.wrenches = Wrenches(simulation, self.entities)
        self.pacer = Pacer(world.steps_per_period / world.physics_hz)
        self.engine = Engine(simulation, command_topics(world), settings.lockstep, self._publish)
        try:
            with self._ends:
                self._declare_facts()
                if simulation.world.renderer:
                    node.get_logger().info(f"Cameras are drawn by {NAMES[simulation.world.renderer]}.")
                for text in about_all(world):
                    self._say(text)
                self.commands = CommandPort(node, world, self.engine, counters)
                Interventions(node, self.engine, self.wrenches, counters, still)
                self._ports = [
                    RobotPorts(node, placed, robot, settings.transforms)
                    for placed, robot in zip(world.robots, simulation.robots, strict=True)
                ]
        except BaseException:
            self.close()
            raise

    @property
    def world(self) -> WorldFile:
        """What stands on it."""
        return self.simulation.world_file

    def move_robot(self) -> None:
        """A robot was put somewhere, so that it is in another state: that takes another stamp, one control period
        on."""
        self.engine.renew()
        self._tell_bases()

    def spawn(self, body: SpawnedBody) -> str:
        """Put a body into the world. What is to be said of its model, which is logged once; empty for nothing.

        Raises:
            EntityError, ModelError: see `Entities.spawn`.
        """
        self.entities.spawn(body)
        text = about(body.model)
        self._say(text)
        return text

    def reset(self, seed: int | None, strict: bool) -> None:
        """Start an episode."""
        self.entities.states.forget()
        self.wrenches.clear()
        self.engine.reset(seed, strict)
        self._tell_bases()

    def close(self) -> None:
        """Leave the graph and give the physics back. Not from within a callback of the node."""
        self._ends.destroy()
        for name in self._facts:
            self._node.describe_parameter(name).read_only = False
            self._node.undeclare_parameter(name)
        self.entities.close()
        self.simulation.close()

    def _declare_facts(self) -> None:
        """What a client compares with its own robot file, as read-only parameters."""
        for placed in self.world.robots:
            for fact in facts(placed.source):
                name = fact_name(placed.namespace, fact.name)
                descriptor = ParameterDescriptor(description=fact.description, read_only=True)
                self._node.declare_parameter(name, fact.value, descriptor, True)
                self._facts.append(name)

    def _say(self, text: str) -> None:
        """What is worth knowing about a model, once; empty for nothing."""
        if text and text not in self._said:
            self._said.add(text)
            self._node.get_logger().warning(text)

    def _tell_bases(self) -> None:
        for ports in self._ports:
            ports.tell_base()

    def _publish(self, states: Sequence[RobotState]) -> None:
        for ports in self._ports:
            ports.publish()
        self.entities.states.observe(states[0].stamp_ns)
        self._published(states[0].stamp_ns)


class _Ends:
    """The publishers and subscriptions that a node gets while this is open.

    Args:
        node: as above.
    """

    def __init__(self, node: Node) -> None:
        self._node, self._mine = node, list[Any]()

    def __enter__(self) -> _Ends:
        self._others = {id(each) for each in self._all()}
        return self

    def __exit__(self, *_: object) -> None:
        self._mine = [each for each in self._all() if id(each) not in self._others]

    def destroy(self) -> None:
        """Take them away. The executor still calls back for messages that have arrived before, so nobody listens."""
        for each in self._mine:
            if isinstance(each, Subscription):
                each.callback = _ignore
            self._node.destroy_publisher(each)
            self._node.destroy_subscription(each)
        self._mine = []

    def _all(self) -> list[Any]:
        return [*self._node.publishers, *self._node.subscriptions]


def _ignore(_: Any) -> None:
    """A message to a world that is gone."""
