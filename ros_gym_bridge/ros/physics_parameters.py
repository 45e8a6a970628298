"""Physics as parameters of the simulation node: what simulation_interfaces has no field for."""

from __future__ import annotations

import dataclasses
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.ros.host import Host
from ros_gym_bridge.ros.parameters import Parameter, check, declare
from ros_gym_bridge.schema_parts import MAX_GRAVITY
from ros_gym_bridge.sim.physics import Physics

PHYSICS_PARAMETERS = (
    Parameter(
        "gravity",
        (0.0, 0.0, -9.81),
        "Gravity in the world frame; a world that is loaded brings its own.",
        unit="m/s^2",
        low=-MAX_GRAVITY,
        high=MAX_GRAVITY,
        run_time=True,
    ),
    Parameter(
        "solver_iterations",
        50,
        "Iterations of the constraint solver in each physics step.",
        low=1,
        high=10_000,
        run_time=True,
    ),
    Parameter(
        "friction_scale",
        1.0,
        "Factor on every link's coefficient of friction, as its model states it.",
        low=0.0,
        high=100.0,
        run_time=True,
    ),
)


class PhysicsParameters:
    """They are applied at once, and kept through resets and by worlds that are loaded later, all but gravity.

    Args:
        node: whose parameters.
        host: whose world.

    Raises:
        OptionError: a value that cannot be.
    """

    def __init__(self, node: Node, host: Host) -> None:
        self._node, self._host = node, host
        stage = host.stage
        assert stage is not None
        gravity = dataclasses.replace(PHYSICS_PARAMETERS[0], default=tuple(stage.world.gravity))
        declare(node, (gravity, *PHYSICS_PARAMETERS[1:]))
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._changed)
        self._apply()

    def take_world(self) -> None:
        """Another world was loaded."""
        stage = self._host.stage
        if stage is not None:
            self._node.set_parameters([RosParameter("gravity", value=list(stage.world.gravity))])
            self._apply()

    def _check(self, given: list[RosParameter]) -> SetParametersResult:
        by_name = {each.name: each for each in PHYSICS_PARAMETERS}
        if self._host.stage is None and any(each.name == "gravity" for each in given):
            return SetParametersResult(successful=False, reason="no world is loaded; each brings its own gravity")
        try:
            for each in given:
                if each.name in by_name:
                    check(by_name[each.name], each.value)
        except OptionError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _changed(self, given: list[RosParameter]) -> None:
        if {each.name for each in given} & {each.name for each in PHYSICS_PARAMETERS}:
            self._apply()

    def _apply(self) -> None:
        def value(name: str) -> Any:
            return self._node.get_parameter(name).value

        stage = self._host.stage
        physics = Physics(tuple(value("gravity")), int(value("solver_iterations")), float(value("friction_scale")))
        if stage is not None and physics != stage.simulation.world.physics.now:
            stage.simulation.world.physics.set(physics)
