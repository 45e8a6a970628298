"""What is told about entities: what the files say, until somebody says something else. No ROS."""

from __future__ import annotations

from typing import NamedTuple

from ros_gym_bridge.schema import Category
from ros_gym_bridge.sim.roll import Roll


class Info(NamedTuple):
    """What is told about an entity."""

    category: Category
    description: str
    tags: tuple[str, ...]


class EntityInfos:
    """The info of each entity.

    Args:
        roll: which there are.
    """

    def __init__(self, roll: Roll) -> None:
        self._roll = roll
        self._told: dict[str, Info] = {}

    def of(self, name: str) -> Info:
        """What is told about it.

        Raises:
            NoEntityError: there is none of that name.
        """
        self._roll.body(name)
        return self._told.get(name) or self._written(name)

    def set(self, name: str, info: Info) -> None:
        """Tell something else, until `forget`.

        Raises:
            NoEntityError: there is none of that name.
        """
        self._roll.body(name)
        self._told[name] = info

    def forget(self, name: str | None = None) -> None:
        """Tell again what the files say, about one entity or about all."""
        if name is None:
            self._told = {}
        self._told.pop(str(name), None)

    def _written(self, name: str) -> Info:
        """What the files say."""
        if self._roll.is_robot(name):
            return Info("robot", "", ())
        seen: Category = "static_object" if self._roll.facts[name].fixed else "dynamic_object"
        bodies = (body for body, _ in self._roll.world.world_file.bodies)
        body = next((each for each in bodies if each.name == name), None)
        return Info(seen, "", ()) if body is None else Info(body.category or seen, body.description, body.tags)
