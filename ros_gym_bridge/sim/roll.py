"""Names: of everything in a world, and of its links. No ROS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ros_gym_bridge.errors import NoEntityError
from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.sim.frames import Pose, Vector
from ros_gym_bridge.sim.world import World


class Facts(NamedTuple):
    """What does not change about an entity, also when it is loaded anew.

    Attributes:
        model, scale: what was loaded, and the factor on its lengths.
        fixed: its root link cannot move by itself.
        offset: its centre of mass in the frame of the root link, m.
    """

    model: RobotModel
    scale: float
    fixed: bool
    offset: Vector


class Roll:
    """Everything in a world that has a name: robots first, then the bodies of the world file, then what was spawned.

    Attributes:
        world: where they are.
        facts: by name; also of those that are gone.

    Args:
        world: as above.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.facts: dict[str, Facts] = {}
        for placed in world.world_file.robots:
            self.enter(placed.name, placed.robot.model)
        for placed_body in world.world_file.bodies:
            self.enter(placed_body.body.name, placed_body.model, placed_body.body.scale)

    def enter(self, name: str, model: RobotModel, scale: float = 1.0) -> None:
        """A body has come."""
        info = self.world.client.getDynamicsInfo(self.body(name), -1)
        self.facts[name] = Facts(model, scale, info[0] == 0.0, info[3])

    # --- entities

    def bodies(self) -> dict[str, int]:
        """PyBullet's number of each, by name."""
        world = self.world
        robots = zip(world.world_file.robots, world.robots, strict=True)
        return {**{placed.name: body.id for placed, body in robots}, **world.scene, **world.spawned}

    def names(self) -> list[str]:
        """Of all."""
        return list(self.bodies())

    def taken(self) -> list[str]:
        """What nothing new may be called: the names of all, and of what was deleted and comes back with a reset."""
        return list({**self.bodies(), **{body.name: 0 for body, _ in self.world.world_file.bodies}})

    def body(self, name: str) -> int:
        """PyBullet's number of it.

        Raises:
            NoEntityError: there is none of that name.
        """
        bodies = self.bodies()
        if name not in bodies:
            raise NoEntityError("no such entity", got=repr(name[:200]), expected=f"one of {_listed(bodies)}")
        return bodies[name]

    def is_robot(self, name: str) -> bool:
        """Whether it is one of the world's robots."""
        return any(placed.name == name for placed in self.world.world_file.robots)

    def is_fixed(self, name: str) -> bool:
        """Whether its root link cannot move by itself.

        Raises:
            NoEntityError: there is none of that name.
        """
        self.body(name)
        return self.facts[name].fixed

    # --- links

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
            expected = f"an entity ({_listed(self.bodies())}), ENTITY/LINK, or a link of the robot that is alone"
            raise NoEntityError("no such link", got=repr(name[:200]), expected=expected)
        return found

    def link_pose(self, body: int, link: int) -> Pose:
        """Of a link's frame in the world frame."""
        if link < 0:
            return self.world.body_pose(body)
        state = self.world.client.getLinkState(body, link, computeForwardKinematics=1)
        return state[4], state[5]

    def _find_link(self, name: str) -> tuple[int, int] | None:
        bodies = self.bodies()
        if name in bodies:
            return bodies[name], -1
        links = {entity: name.removeprefix(f"{entity}/") for entity in bodies if name.startswith(f"{entity}/")}
        links |= {placed.name: name for placed in self.world.world_file.robots if not placed.namespace and not links}
        for entity, link in links.items():
            if link in self.facts[entity].model.links:
                return bodies[entity], self._link_number(bodies[entity], link)
        return None

    def _link_number(self, body: int, link: str) -> int:
        client = self.world.client
        names = [client.getJointInfo(body, joint)[12].decode() for joint in range(client.getNumJoints(body))]
        return names.index(link) if link in names else -1


def _listed(names: Iterable[str]) -> str:
    """Some of them."""
    names = list(names)
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
