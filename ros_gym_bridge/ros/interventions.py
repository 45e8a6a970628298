"""Topics by which somebody takes a hand in a simulation: joint states that are set, and wrenches from outside."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from geometry_msgs.msg import WrenchStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState

from ros_gym_bridge.errors import NoEntityError
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.counters import Counters
from ros_gym_bridge.ros.names import under
from ros_gym_bridge.ros.refused import CommandRefused, check_names, not_finite
from ros_gym_bridge.sim.engine import Engine
from ros_gym_bridge.sim.playback import Playback
from ros_gym_bridge.sim.simulated import SimulatedRobot
from ros_gym_bridge.sim.wrenches import Wrenches

MAX_WRENCH = 1e6  # N, N m
_REMEDY = "Nothing was changed"


class Interventions:
    """`~/set_joint_state` for each robot, and `~/external_wrench`. Bad messages are refused whole, counted, and logged
    once a second.

    Args:
        node: what subscribes.
        engine: what is changed.
        wrenches: what pushes.
        counters: what counts.
        still: whether a step is under way; then nothing may be set.
    """

    def __init__(
        self, node: Node, engine: Engine, wrenches: Wrenches, counters: Counters, still: Callable[[], bool]
    ) -> None:
        self._engine, self._wrenches, self._counters, self._still = engine, wrenches, counters, still
        simulation = engine.simulation
        for number, placed in enumerate(simulation.world_file.robots):
            topic = f"~/{under(placed.namespace, 'set_joint_state')}"
            set_joints = partial(self._set_joints, number, simulation.robots[number])
            self._hear(node, JointState, topic, set_joints)
        self._hear(node, WrenchStamped, "~/external_wrench", self._push)

    def _hear(self, node: Node, kind: Any, topic: str, obey: Callable[[Any], None]) -> None:
        def callback(message: Any) -> None:
            try:
                obey(message)
            except CommandRefused as refusal:
                self._counters.add(f"refused_{refusal.kind}", f"Refused a message on '{topic}': {refusal}")

        node.create_subscription(kind, topic, callback, qos.COMMANDS)

    def _set_joints(self, number: int, robot: SimulatedRobot, message: JointState) -> None:
        if self._engine.playback != Playback.PAUSED or self._still():
            state = "a step is under way" if self._still() else self._engine.playback.name
            raise CommandRefused(
                "not_paused",
                "joint states are set while the simulation is paused",
                got=state,
                expected="PAUSED (2)",
                remedy=_REMEDY,
            )
        names, joints = list(message.name), robot.spec.joints
        check_names(names, joints, joints)
        position, velocity = (self._values(names, message, field) for field in ("position", "velocity"))
        if not names or not (position or velocity) or len(message.effort):
            efforts = len(message.effort)
            got = f"{len(names)} names, {len(position)} positions, {len(velocity)} velocities, {efforts} efforts"
            expected = "names, and positions or velocities or both"
            raise CommandRefused("nothing_set", "no joint state", got=got, expected=expected, remedy=_REMEDY)
        indices = [joints.index(name) for name in names]
        for index, value in zip(indices, position, strict=False):
            lower, upper = float(robot.spec.lower[index]), float(robot.spec.upper[index])
            if not lower <= value <= upper:
                what = f"position for joint '{joints[index]}' is outside of its limits"
                expected = f"{lower} to {upper}"
                raise CommandRefused("outside_limits", what, got=str(value), expected=expected, remedy=_REMEDY)
        self._engine.put(number, dict(zip(indices, position, strict=False)), dict(zip(indices, velocity, strict=False)))

    def _values(self, names: list[str], message: JointState, field: str) -> list[float]:
        values: list[float] = getattr(message, field).tolist()
        if values and len(values) != len(names):
            got = f"{len(names)} names, {len(values)} values in '{field}'"
            what = "names and values of different length"
            raise CommandRefused("length", what, got=got, expected="one value for each name", remedy=_REMEDY)
        for name, value in zip(names, values, strict=False):
            if not math.isfinite(value):
                raise not_finite(f"{field} for joint '{name}'", value)
        return values

    def _push(self, message: WrenchStamped) -> None:
        force, torque = message.wrench.force, message.wrench.torque
        values = (force.x, force.y, force.z, torque.x, torque.y, torque.z)
        if not all(abs(value) <= MAX_WRENCH for value in values):
            expected = f"numbers from {-MAX_WRENCH:g} to {MAX_WRENCH:g}"
            raise CommandRefused("wrench", "a wrench out of range", got=str(values), expected=expected, remedy=_REMEDY)
        try:
            self._wrenches.apply(message.header.frame_id, values[:3], values[3:])
        except NoEntityError as error:
            raise CommandRefused("unknown_link", error.what, error.got, error.expected, _REMEDY) from error
