"""Entities of a simulation: which there are, their states and infos, how large they are; coming and going. No ROS."""

from __future__ import annotations

from collections.abc import Iterable

from ros_gym_bridge.errors import EntityError
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.sim.entity_infos import EntityInfos
from ros_gym_bridge.sim.entity_states import EntityStates
from ros_gym_bridge.sim.measure import Box, MeasuringRoom, touches_box, touches_sphere
from ros_gym_bridge.sim.roll import Roll
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.world_file import SpawnedBody

MAX_SPAWNED = 1000


class Entities(Roll):
    """The entities of a simulation, by name.

    Attributes:
        states: where they are, and how they move.
        infos: what is told about them.

    Args:
        simulation: where they are.
    """

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation.world)
        self._simulation = simulation
        self._room = MeasuringRoom(simulation.world)
        self._spawned: list[str] = []
        self.states, self.infos = EntityStates(self), EntityInfos(self)

    # --- size

    def bounds(self, name: str) -> Box | None:
        """See `MeasuringRoom.box`.

        Raises:
            NoEntityError: there is none of that name.
        """
        return self._room.box(self.body(name), *self.facts[name][:2])

    def in_box(self, names: Iterable[str], low: FloatArray, high: FloatArray) -> list[str]:
        """Those of which a link's box along the axes of the world overlaps with a box, m in the world frame."""
        bodies, client = self.bodies(), self.world.client
        return [name for name in names if touches_box(client, bodies[name], low, high)]

    def in_sphere(self, names: Iterable[str], centre: FloatArray, radius: float) -> list[str]:
        """The same for a sphere."""
        bodies, client = self.bodies(), self.world.client
        return [name for name in names if touches_sphere(client, bodies[name], centre, radius)]

    # --- coming and going

    def spawn(self, body: SpawnedBody) -> None:
        """Let a body appear.

        Raises:
            ModelError: PyBullet refuses the model; nothing has changed.
            EntityError: too many are there.
        """
        if len(self._spawned) >= MAX_SPAWNED:
            raise EntityError("too many entities", expected=f"at most {MAX_SPAWNED} that were spawned")
        self.world.spawn(body)
        self._spawned.append(body.name)
        self.enter(body.name, body.model)

    def delete(self, name: str) -> None:
        """Take a body away. One of the world file comes back when the state is reset.

        Raises:
            EntityError: there is none of that name, it is a robot, or a sensor sits on it.
        """
        self.body(name)
        if self.is_robot(name):
            raise EntityError(
                f"robot '{name}' cannot be deleted", got=repr(name), expected="a body", remedy="Load another world"
            )
        if any(name in robot.sensors.bodies for robot in self._simulation.robots):
            remedy = "Take the channel out of the robot file"
            raise EntityError(f"entity '{name}' cannot be deleted: a sensor sits on it", got=repr(name), remedy=remedy)
        self.world.remove(name)
        if name in self._spawned:
            self._spawned.remove(name)
            self.infos.forget(name)
        self.states.forget(name)

    def delete_spawned(self) -> None:
        """Take everything away that was spawned."""
        for name in list(self._spawned):
            self.delete(name)

    def close(self) -> None:
        """May be called again."""
        self._room.close()
