"""Forces and torques from outside, each for one control period. No ROS."""

from __future__ import annotations

from ros_gym_bridge.sim.frames import Vector, rotated
from ros_gym_bridge.sim.roll import Roll
from ros_gym_bridge.sim.simulation import Simulation


class Wrenches:
    """What pushes on links at present.

    Args:
        simulation: what is pushed.
        roll: names its links.
    """

    def __init__(self, simulation: Simulation, roll: Roll) -> None:
        self._simulation, self._roll = simulation, roll
        self._client = simulation.world.client
        self._left: dict[str, tuple[int, Vector, Vector]] = {}

    def apply(self, link: str, force: Vector, torque: Vector) -> None:
        """Push on a link during as many physics steps as a control period has, from the next one on; in the place of
        what pushes on it already.

        Args:
            link: see `Entities.link`.
            force: N, on the origin of the link's frame, in its axes, which may turn meanwhile.
            torque: N m, in its axes.

        Raises:
            NoEntityError: there is no such link.
        """
        self._roll.link(link)
        self._left[link] = (self._simulation.steps_per_period, force, torque)
        self._simulation.before_step = [self._push]

    def clear(self) -> None:
        """Nothing pushes any more."""
        self._left = {}
        self._simulation.before_step = []

    def _push(self) -> None:
        left, self._left = self._left, {}
        for link, (steps, force, torque) in left.items():
            if not self._roll.has_link(link):
                continue  # it was deleted
            body, index = self._roll.link(link)
            position, orientation = self._roll.link_pose(body, index)
            frame = self._client.WORLD_FRAME
            self._client.applyExternalForce(body, index, rotated(orientation, force), position, frame)
            self._client.applyExternalTorque(body, index, rotated(orientation, torque), frame)
            if steps > 1:
                self._left[link] = (steps - 1, force, torque)
        if not self._left:
            self._simulation.before_step = []
