"""Everything in a world that has a name: robots, the bodies of the world file, and what was spawned. No ROS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ros_gym_bridge.errors import EntityError, NoEntityError
from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.robot import NANOSECONDS, FloatArray
from ros_gym_bridge.schema import Category
from ros_gym_bridge.sim.frames import Pose, Vector, added, cross, rotated
from ros_gym_bridge.sim.measure import Box, MeasuringRoom, touches_box, touches_sphere
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.world_file import SpawnedBody

WORLD_BOUNDS_M = 10_000.0  # no entity is put further away from the origin, along any axis
MAX_SPAWNED = 1000


class Info(NamedTuple):
    """What is told about an entity."""

    category: Category
    description: str
    tags: tuple[str, ...]


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


class Entities:
    """The entities of a simulation, by name: robots first, then the bodies of the world file, then what was spawned.

    Args:
        simulation: where they are.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation, self._world = simulation, simulation.world
        self._room = MeasuringRoom(simulation.world)
        self._models: dict[str, tuple[RobotModel, float]] = {}
        self._fixed: dict[str, bool] = {}
        self._offsets: dict[str, Vector] = {}
        self._infos: dict[str, Info] = {}
        self._motions: list[tuple[int, dict[str, Twist]]] = []
        self._spawns: dict[str, SpawnedBody] = {}
        for placed in simulation.world_file.robots:
            self._take(placed.name, placed.robot.model, 1.0)
        for placed_body in simulation.world_file.bodies:
            self._take(placed_body.body.name, placed_body.model, placed_body.body.scale)
        self.forget_infos()

    def names(self) -> list[str]:
        """Of all."""
        return list(self._bodies())

    def is_robot(self, name: str) -> bool:
        """Whether it is one of the world's robots."""
        return any(placed.name == name for placed in self._world.world_file.robots)

    def is_fixed(self, name: str) -> bool:
        """Whether its root link cannot move by itself.

        Raises:
            NoEntityError: there is none of that name.
        """
        self.body(name)
        return self._fixed[name]

    def body(self, name: str) -> int:
        """PyBullet's number of it.

        Raises:
            NoEntityError: there is none of that name.
        """
        bodies = self._bodies()
        if name not in bodies:
            raise NoEntityError("no such entity", got=repr(name[:200]), expected=f"one of {_listed(bodies)}")
        return bodies[name]

    def _bodies(self) -> dict[str, int]:
        world = self._world
        robots = zip(world.world_file.robots, world.robots, strict=True)
        return {**{placed.name: body.id for placed, body in robots}, **world.scene, **world.spawned}

    def has_link(self, name: str) -> bool:
        """Whether `link` finds one."""
        return self._find_link(name) is not None

    def link(self, name: str) -> tuple[int, int]:
        """PyBullet's numbers of a body and of a link of it.

        Args:
            name: of an entity, which means its root link; `ENTITY/LINK`, which for a robot in a namespace is the name
                of the link's frame; or a link of a robot that is alone.

        Raises:
            NoEntityError: there is no such link.
        """
        found = self._find_link(name)
        if found is None:
            expected = f"an entity ({_listed(self._bodies())}), ENTITY/LINK, or a link of the robot that is alone"
            raise NoEntityError("no such link", got=repr(name[:200]), expected=expected)
        return found

    def link_pose(self, body: int, link: int) -> Pose:
        """Of a link's frame in the world frame."""
        if link < 0:
            return self._world.body_pose(body)
        state = self._world.client.getLinkState(body, link, computeForwardKinematics=1)
        return state[4], state[5]

    def _find_link(self, name: str) -> tuple[int, int] | None:
        bodies = self._bodies()
        if name in bodies:
            return bodies[name], -1
        links = {entity: name.removeprefix(f"{entity}/") for entity in bodies if name.startswith(f"{entity}/")}
        links |= {placed.name: name for placed in self._world.world_file.robots if not placed.namespace and not links}
        for entity, link in links.items():
            if link in self._models[entity][0].links:
                return bodies[entity], self._link_number(bodies[entity], link)
        return None

    def _link_number(self, body: int, link: str) -> int:
        client = self._world.client
        names = [client.getJointInfo(body, joint)[12].decode() for joint in range(client.getNumJoints(body))]
        return names.index(link) if link in names else -1

    # --- info

    def info(self, name: str) -> Info:
        """What is told about it.

        Raises:
            NoEntityError: there is none of that name.
        """
        self.body(name)
        return self._infos[name]

    def set_info(self, name: str, info: Info) -> None:
        """Tell something else, until the world or the entity is gone, or everything is reset.

        Raises:
            NoEntityError: there is none of that name.
        """
        self.body(name)
        self._infos[name] = info

    def forget_infos(self) -> None:
        """Tell again what the files say."""
        world_file = self._world.world_file
        self._infos = {name: self._default_info(name) for name in self._world.spawned}
        self._infos |= {placed.name: Info("robot", "", ()) for placed in world_file.robots}
        for body, _ in world_file.bodies:
            category = body.category or self._default_info(body.name).category
            self._infos[body.name] = Info(category, body.description, body.tags)

    def _default_info(self, name: str) -> Info:
        return Info("static_object" if self._fixed[name] else "dynamic_object", "", ())

    # --- state

    def pose(self, name: str) -> Pose:
        """Of its root link, in the world frame.

        Raises:
            NoEntityError: there is none of that name.
        """
        return self._world.body_pose(self.body(name))

    def twist(self, name: str) -> Twist:
        """Of its root link, in the world frame.

        Raises:
            NoEntityError: there is none of that name.
        """
        body = self.body(name)
        return STILL if self._fixed[name] else self._twist(name, body)

    def state(self, name: str) -> State:
        """All that is known about how it moves.

        Raises:
            NoEntityError: there is none of that name.
        """
        return State(self.pose(name), self.twist(name), self._acceleration(name))

    def set_state(self, name: str, pose: Pose | None, twist: Twist | None) -> None:
        """Put it somewhere, or let it move at once. What is None stays.

        Raises:
            EntityError: there is none of that name, or a fixed one shall move.
        """
        body = self.body(name)
        if twist is not None and self._fixed[name] and any(any(part) for part in twist):
            raise EntityError(
                f"entity '{name}' is fixed and cannot move", got="a twist that is not 0", remedy="Leave the twist at 0"
            )
        twist = None if self._fixed[name] else twist or self._twist(name, body)
        if pose is not None:
            self._world.place_body(body, pose)
        if twist is not None:
            self._set_twist(name, body, twist)
        self.forget_motions(name)

    def _twist(self, name: str, body: int) -> Twist:
        """PyBullet tells the velocity of the centre of mass."""
        linear, angular = self._world.client.getBaseVelocity(body)
        if any(self._offsets[name]):
            linear = added(linear, cross(angular, self._arm(name, body)), -1.0)
        return Twist(linear, angular)

    def _set_twist(self, name: str, body: int, twist: Twist) -> None:
        linear = added(twist.linear, cross(twist.angular, self._arm(name, body)))
        self._world.client.resetBaseVelocity(body, linear, twist.angular)

    def _arm(self, name: str, body: int) -> Vector:
        """From the root link's origin to its centre of mass, in the world frame."""
        return rotated(self._world.body_pose(body)[1], self._offsets[name])

    # --- acceleration

    def observe(self, stamp_ns: int) -> None:
        """The state at this stamp is being published: remember how everything moves."""
        if self._motions and self._motions[-1][0] == stamp_ns:
            return
        bodies = self._bodies()
        moving = {name: self._twist(name, body) for name, body in bodies.items() if not self._fixed[name]}
        self._motions = [*self._motions[-1:], (stamp_ns, moving)]

    def forget_motions(self, name: str | None = None) -> None:
        """One entity, or every one, was moved by hand."""
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

    # --- size

    def bounds(self, name: str) -> Box | None:
        """See `MeasuringRoom.box`.

        Raises:
            NoEntityError: there is none of that name.
        """
        return self._room.box(self.body(name), *self._models[name])

    def in_box(self, names: Iterable[str], low: FloatArray, high: FloatArray) -> list[str]:
        """Those of which a link's box along the axes of the world overlaps with a box, m in the world frame."""
        bodies, client = self._bodies(), self._world.client
        return [name for name in names if touches_box(client, bodies[name], low, high)]

    def in_sphere(self, names: Iterable[str], centre: FloatArray, radius: float) -> list[str]:
        """The same for a sphere."""
        bodies, client = self._bodies(), self._world.client
        return [name for name in names if touches_sphere(client, bodies[name], centre, radius)]

    # --- coming and going

    def spawn(self, body: SpawnedBody) -> None:
        """Let a body appear.

        Raises:
            ModelError: PyBullet refuses the model; nothing has changed.
            EntityError: too many are there.
        """
        if len(self._spawns) >= MAX_SPAWNED:
            raise EntityError("too many entities", expected=f"at most {MAX_SPAWNED} that were spawned")
        self._world.spawn(body)
        self._spawns[body.name] = body
        self._take(body.name, body.model, 1.0)
        self._infos[body.name] = self._default_info(body.name)

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
        self._world.remove(name)
        if self._spawns.pop(name, None) is not None:
            self._infos.pop(name)
        self.forget_motions(name)

    def delete_spawned(self) -> None:
        """Take everything away that was spawned."""
        for name in list(self._spawns):
            self.delete(name)

    def close(self) -> None:
        """May be called again."""
        self._room.close()

    def _take(self, name: str, model: RobotModel, scale: float) -> None:
        """Facts about a body that do not change, also when it is loaded anew."""
        self._models[name] = (model, scale)
        info = self._world.client.getDynamicsInfo(self.body(name), -1)
        self._fixed[name], self._offsets[name] = info[0] == 0.0, info[3]


def _difference(before: Vector, after: Vector, rate: float) -> Vector:
    x, y, z = added(after, before, -1.0)
    return x * rate, y * rate, z * rate


def _listed(names: Iterable[str]) -> str:
    """Some of them."""
    names = list(names)
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
