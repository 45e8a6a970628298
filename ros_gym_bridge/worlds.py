"""World files: found by name, read, and put together with the robots and models that they name."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ros_gym_bridge.config import load_robot, read_model_file
from ros_gym_bridge.errors import MissingFileError, ModelError, RobotFileError, UnknownKeyError, UnsupportedFileError
from ros_gym_bridge.mounts import mount
from ros_gym_bridge.paths import share_directory
from ros_gym_bridge.schema import SceneBody, WorldConfig, WorldRobot
from ros_gym_bridge.world_file import PlacedBody, PlacedRobot, WorldFile, world_of
from ros_gym_bridge.yaml_file import find_file, names_in, read_mapping, refusal, validate

_ROBOT_KEYS = {"model", "joints", "actuators", "rates", "extends"}
_ASSET_PROBLEMS = (MissingFileError, UnsupportedFileError)


@dataclass(frozen=True)
class Tolerance:
    """What is ignored instead of refused, and said in `WorldFile.left_out`.

    Attributes:
        unknown_keys: keys that mean nothing.
        assets: bodies whose files are missing or of a kind that is not read.
    """

    unknown_keys: bool = False
    assets: bool = False


STRICT = Tolerance()


def worlds_directory() -> Path:
    """The folder of the worlds that come with the package."""
    return share_directory() / "config" / "worlds"


def world_names() -> list[str]:
    """The worlds that come with the package."""
    return names_in(worlds_directory())


def find_world_file(world: str | Path) -> Path:
    """The path of a world file, from its name or path.

    Raises:
        RobotFileError: there is no such file; the message lists the names that there are.
    """
    return find_file("world", world, worlds_directory())


def load_world(world: str | Path, robot: str | Path, tolerance: Tolerance = STRICT) -> WorldFile:
    """Read a world file, or a robot file with its scene, and everything that it names.

    Args:
        world: the name of a world of the package (`table`), or the path of a world or robot file.
        robot: what stands in a world that names no robots.
        tolerance: what is ignored instead of refused.

    Raises:
        RobotFileError: names the file, the key, the value, what was expected and what to do.
    """
    path = find_world_file(world)
    content = _read(path)
    if is_robot_file(content):
        return world_of(load_robot(path))
    return dataclasses.replace(_Reader(path, tolerance).world(content, robot), path=path)


def world_from_text(text: str, robot: str | Path, tolerance: Tolerance = STRICT) -> WorldFile:
    """A world from the text of a world file. Relative paths are as in a world that comes with the package.

    Raises:
        RobotFileError: see `load_world`.
    """
    path = worlds_directory() / "<text>"
    world = _Reader(path, tolerance).world(_read(path, text), robot)
    return dataclasses.replace(world, text=text)


def world_config(path: Path) -> WorldConfig | None:
    """What a world file says, without reading the files that it names; None for a file that is no world's.

    Raises:
        RobotFileError: it is meant as a world and cannot be used.
    """
    content = _read(path)
    if is_robot_file(content) or not content.keys() & WorldConfig.model_fields.keys() - {"name", "description"}:
        return None
    return validate(WorldConfig, path, content)


def is_robot_file(content: dict[str, Any]) -> bool:
    """Whether these are the keys of a robot file."""
    return bool(content.keys() & _ROBOT_KEYS)


def _read(path: Path, text: str | None = None) -> dict[str, Any]:
    return read_mapping(path, text, "world", "name, robots, bodies")


class _Reader:
    """Reads one file, and keeps what was left out."""

    def __init__(self, path: Path, tolerance: Tolerance) -> None:
        self._path, self._tolerance = path, tolerance
        self._left_out: list[str] = []

    def world(self, content: dict[str, Any], robot: str | Path) -> WorldFile:
        config = self._config(content)
        places = config.robots or (WorldRobot(robot=str(robot)),)
        robots = tuple(self._robot(i, place, bool(config.robots)) for i, place in enumerate(places))
        bodies = tuple(found for i, body in enumerate(config.bodies) if (found := self._body(i, body)) is not None)
        self._check_robots(robots)
        self._check_names(config, robots)
        self._check_sensors([placed.body.name for placed in bodies], robots)
        return WorldFile(
            name=config.name,
            robots=robots,
            bodies=bodies,
            gravity=config.gravity,
            description=config.description,
            tags=config.tags,
            poses=config.poses,
            left_out=tuple(self._left_out),
        )

    def _config(self, content: dict[str, Any]) -> WorldConfig:
        while True:
            try:
                return validate(WorldConfig, self._path, content)
            except UnknownKeyError as error:
                if not self._tolerance.unknown_keys:
                    raise
                self._left_out.append(str(error))
                _remove(content, error.location)

    def _robot(self, i: int, place: WorldRobot, named: bool) -> PlacedRobot:
        is_path = named and place.robot.endswith((".yaml", ".yml"))
        try:
            source = load_robot(self._path.parent / place.robot if is_path else place.robot)
        except RobotFileError as error:
            if not named:
                raise
            what = f"{self._path}: robots[{i}].robot: {error.what}"
            raise RobotFileError(what, got=error.got, expected=error.expected, remedy=error.remedy) from error
        model = source.config.model
        pose = {"base_position": place.base_position, "base_rpy": place.base_rpy}
        model = model.model_copy(update={key: value for key, value in pose.items() if value is not None})
        config = source.config.model_copy(update={"model": model, "scene": (), "poses": ()})
        return PlacedRobot(dataclasses.replace(source, config=config, scene=()), place.namespace, source)

    def _body(self, i: int, body: SceneBody) -> PlacedBody | None:
        try:
            return PlacedBody(body, read_model_file(body, self._path.parent))
        except ModelError as error:
            what = f"{self._path}: bodies[{i}].file: {error.what}"
            got = error.got or repr(body.file)
            refused = RobotFileError(what, got=got, expected=error.expected, remedy=error.remedy)
            if not (self._tolerance.assets and isinstance(error, _ASSET_PROBLEMS)):
                raise refused from error
        self._left_out.append(str(refused))
        return None

    def _check_robots(self, robots: tuple[PlacedRobot, ...]) -> None:
        """Each in its namespace, all at the same rates."""
        namespaces = [placed.namespace for placed in robots]
        for i, placed in enumerate(robots):
            key, first = f"robots[{i}]", robots[0].robot.config
            if len(robots) > 1 and (not placed.namespace or placed.namespace in namespaces[:i]):
                expected = "a namespace of its own for each robot of several"
                raise refusal(self._path, f"{key}.namespace", placed.namespace, expected, "Name each one differently")
            if placed.robot.config.rates != first.rates:
                rates = placed.robot.config.rates
                raise RobotFileError(
                    f"{self._path}: {key}: robots of different rates in one world",
                    got=f"'{placed.robot.config.name}' at {rates.physics_hz} and {rates.control_hz} Hz",
                    expected=f"physics_hz: {first.rates.physics_hz}, control_hz: {first.rates.control_hz} as "
                    f"'{first.name}'",
                    remedy="Write robot files that extend these, with the same rates",
                )

    def _check_names(self, config: WorldConfig, robots: tuple[PlacedRobot, ...]) -> None:
        for key, names in (
            ("bodies", ["world", *(placed.name for placed in robots), *(body.name for body in config.bodies)]),
            ("poses", [pose.name for pose in config.poses]),
        ):
            twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
            if twice is not None:
                raise refusal(self._path, key, twice, "every name once", f"Rename one '{twice}'")

    def _check_sensors(self, bodies: list[str], robots: tuple[PlacedRobot, ...]) -> None:
        """The scene of a robot file does not come along, but its sensors do."""
        for i, placed in enumerate(robots):
            for body in (mount(c, placed.robot.model) for c in placed.robot.config.sensors):
                if not body.on_robot and body.link not in bodies:
                    what = f"{self._path}: robots[{i}]: a sensor of '{placed.robot.config.name}' sits on a body"
                    expected = f"one of the bodies of this world: {', '.join(bodies) or 'none'}"
                    remedy = "Add a body of that name, or take a robot file without that channel"
                    raise RobotFileError(what, got=repr(body.link), expected=expected, remedy=remedy)


def _remove(content: Any, location: tuple[int | str, ...]) -> None:
    """Take a key away, wherever it stands."""
    for part in location[:-1]:
        content = content[part]
    del content[location[-1]]
