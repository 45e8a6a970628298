"""All services together. `get_simulator_features` advertises exactly what works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulation_interfaces.srv import GetSimulatorFeatures

from ros_gym_bridge.ros.host import Host
from ros_gym_bridge.ros.services import catalogue, entities, playback, spawning, stepping, worlds
from ros_gym_bridge.ros.services.desk import Desk
from ros_gym_bridge.ros.services.resources import formats
from ros_gym_bridge.ros.session import Session

CUSTOM_INFO = (
    "PyBullet rigid-body physics by ros_gym_bridge; docs/nodes.md and docs/architecture.md describe it. One step is "
    "one physics step. What the standard has no field for: parameters seed, strict_reset, real_time_factor, gravity, "
    "solver_iterations, friction_scale; topics ~/set_joint_state (sensor_msgs/JointState, while paused) and "
    "~/external_wrench (geometry_msgs/WrenchStamped, for one control period). "
    "reset_simulation: 0, 255 and any scope with SCOPE_TIME turn time back; SCOPE_STATE alone does not."
)


class SimulationServices:
    """Everything that is offered, relative to the node's namespace.

    Args:
        session: whose node serves.
        host: what obeys.
        robot: what stands in a world that names no robots.
        folders: further ones with worlds and models.
    """

    def __init__(self, session: Session, host: Host, robot: str, folders: Sequence[str]) -> None:
        desk = Desk(session.node, host)
        self._stepping = stepping.SteppingServices(desk, session.executor)
        self._groups = [
            playback.PlaybackServices(desk),
            entities.EntityServices(desk),
            spawning.SpawningServices(desk),
            catalogue.CatalogueServices(desk, folders),
            worlds.WorldServices(desk, robot, folders),
        ]
        groups = (playback, stepping, entities, spawning, catalogue, worlds)
        self._features = sorted(feature for group in groups for feature in group.FEATURES)
        session.node.create_service(GetSimulatorFeatures, "get_simulator_features", self._get_features)

    @property
    def unanswered(self) -> bool:
        """Whether somebody waits for the result of an action."""
        return self._stepping.unanswered

    def close(self) -> None:
        """Before the node goes. May be called again."""
        self._stepping.close()

    def _get_features(self, _: Any, response: Any) -> Any:
        response.features.features = self._features
        response.features.spawn_formats = formats()
        response.features.custom_info = CUSTOM_INFO
        return response
