"""Where entities are, how they move, and putting them somewhere. No ROS."""

from __future__ import annotations

from typing import NamedTuple

from ros_gym_bridge.errors import EntityError
from ros_gym_bridge.robot import NANOSECONDS
from ros_gym_bridge.sim.frames import Pose, Vector, added, cross, rotated
from ros_gym_bridge.sim.roll import Roll

WORLD_BOUNDS_M = 10_000.0  # no entity is put further away from the origin, along any axis


class Twist(NamedTuple):
    """Velocities or accelerations of a frame's origin in the world frame: m and rad, per second or per second
    squared."""

    linear: Vector
    angular: Vector


class State(NamedTuple):
    """Ground truth about the root link of an entity in the world frame. The acceleration is the mean between the newest
    two published states, and 0 where there are none to compare: at rest, or just spawned, set or reset."""

    pose: Pose
    twist: Twist
    acceleration: Twist


STILL = Twist((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


class EntityStates:
    """The state of each entity.

    Args:
        roll: which there are.
    """

    def __init__(self, roll: Roll) -> None:
        self._roll, self._world = roll, roll.world
        self._motions: list[tuple[int, dict[str, Twist]]] = []

    # --- pose and twist

    def of(self, name: str) -> State:
        """All that is known about how it moves.

        Raises:
            NoEntityError: there is none of that name.
        """
        return State(self.pose(name), self.twist(name), self._acceleration(name))

    def pose(self, name: str) -> Pose:
        """Of its root link, in the world frame.

        Raises:
            NoEntityError: there is none of that name.
        """
        return self._world.body_pose(self._roll.body(name))

    def twist(self, name: str) -> Twist:
        """Of its root link, in the world frame.

        Raises:
            NoEntityError: there is none of that name.
        """
        body = self._roll.body(name)
        return STILL if self._roll.facts[name].fixed else self._twist(name, body)

    def set(self, name: str, pose: Pose | None, twist: Twist | None) -> None:
        """Put it somewhere, or let it move at once. What is None stays.

        Raises:
            EntityError: there is none of that name, or a fixed one shall move.
        """
        body, fixed = self._roll.body(name), self._roll.facts[name].fixed
        if twist is not None and fixed and any(any(part) for part in twist):
            raise EntityError(
                f"entity '{name}' is fixed and cannot move", got="a twist that is not 0", remedy="Leave the twist at 0"
            )
        twist = None if fixed else twist or self._twist(name, body)
        if pose is not None:
            self._world.place_body(body, pose)
        if twist is not None:
            self._set_twist(name, body, twist)
        self.forget(name)

    def _twist(self, name: str, body: int) -> Twist:
        """PyBullet tells the velocity of the centre of mass."""
        linear, angular = self._world.client.getBaseVelocity(body)
        if any(self._roll.facts[name].offset):
            linear = added(linear, cross(angular, self._arm(name, body)), -1.0)
        return Twist(linear, angular)

    def _set_twist(self, name: str, body: int, twist: Twist) -> None:
        linear = added(twist.linear, cross(twist.angular, self._arm(name, body)))
        self._world.client.resetBaseVelocity(body, linear, twist.angular)

    def _arm(self, name: str, body: int) -> Vector:
        """From the root link's origin to its centre of mass, in the world frame."""
        return rotated(self._world.body_pose(body)[1], self._roll.facts[name].offset)

    # --- acceleration

    def observe(self, stamp_ns: int) -> None:
        """The state at this stamp is being published: remember how everything moves."""
        if self._motions and self._motions[-1][0] == stamp_ns:
            return
        bodies, facts = self._roll.bodies(), self._roll.facts
        moving = {name: self._twist(name, body) for name, body in bodies.items() if not facts[name].fixed}
        self._motions = [*self._motions[-1:], (stamp_ns, moving)]

    def forget(self, name: str | None = None) -> None:
        """One entity, or every one, was moved by hand: no acceleration follows from that."""
        if name is None:
            self._motions = []
        for _, moving in self._motions:
            moving.pop(str(name), None)

    def _acceleration(self, name: str) -> Twist:
        if len(self._motions) < 2 or name not in self._motions[0][1] or name not in self._motions[1][1]:
            return STILL
        (then_ns, before), (now_ns, after) = self._motions
        rate = NANOSECONDS / (now_ns - then_ns)
        (v0, w0), (v1, w1) = before[name], after[name]
        return Twist(_difference(v0, v1, rate), _difference(w0, w1, rate))


def _difference(before: Vector, after: Vector, rate: float) -> Vector:
    x, y, z = added(after, before, -1.0)
    return x * rate, y * rate, z * rate
