"""Worlds: `get_available_worlds`, `load_world`, `unload_world`, `get_current_world`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from simulation_interfaces.msg import Result, SimulatorFeatures, WorldResource
from simulation_interfaces.srv import GetAvailableWorlds, GetCurrentWorld, LoadWorld, UnloadWorld

from ros_gym_bridge.errors import BridgeError, MissingFileError, UnknownKeyError, UnsupportedFileError
from ros_gym_bridge.ros.services import wire
from ros_gym_bridge.ros.services.answers import Refused, shortened
from ros_gym_bridge.ros.services.background import Background
from ros_gym_bridge.ros.services.desk import Desk
from ros_gym_bridge.ros.services.resources import check_resource, check_sources
from ros_gym_bridge.ros.services.tags import check_tags_filter, has_tags
from ros_gym_bridge.sim.playback import Playback
from ros_gym_bridge.uris import resolve_folder, resolve_uri
from ros_gym_bridge.world_file import WorldFile
from ros_gym_bridge.worlds import Tolerance, load_world, world_config, world_from_text, world_names, worlds_directory

FEATURES = (
    SimulatorFeatures.WORLD_LOADING,
    SimulatorFeatures.WORLD_RESOURCE_STRING,
    SimulatorFeatures.WORLD_TAGS,
    SimulatorFeatures.WORLD_UNLOADING,
    SimulatorFeatures.WORLD_INFO_GETTING,
    SimulatorFeatures.AVAILABLE_WORLDS,
)

MAX_WORLDS = 500  # of one folder
_ENDINGS = (".yaml", ".yml")
_Code = LoadWorld.Response


class WorldServices:
    """Which world stands, and which could.

    Args:
        desk: where they are offered.
        robot: what stands in a world that names no robots.
        folders: further ones with world files.
    """

    def __init__(self, desk: Desk, robot: str, folders: Iterable[str]) -> None:
        self._desk, self._host, self._robot, self._folders = desk, desk.host, robot, list(folders)
        desk.offer_aside(GetAvailableWorlds, "get_available_worlds", self._available)
        desk.offer(GetCurrentWorld, "get_current_world", self._current)
        self._loading = desk.offer_late(LoadWorld, "load_world", self._load)
        self._unloading = desk.offer_late(UnloadWorld, "unload_world", self._unload)

    def _current(self, _: Any, response: Any) -> None:
        if self._host.stage is None:
            raise Refused(GetCurrentWorld.Response.NO_WORLD_LOADED, "no world is loaded; call load_world first")
        _describe(response.world, self._host.stage.world)

    def _load(self, request: Any, response: Any) -> None:
        self._check_still()
        resource = wire.resource_of(request)
        tolerance = Tolerance(
            unknown_keys=not request.fail_on_unsupported_element, assets=request.ignore_missing_or_unsupported_assets
        )
        check_resource(resource, _Code)
        self._host.job = Background(
            "load_world",
            Playback.LOADING_WORLD,
            self._loading.keep(response),
            lambda: _read(resource, self._robot, tolerance),
            lambda world: self._put(world, response),
        )

    def _put(self, world: WorldFile, response: Any) -> None:
        """The new world stands still; a world that cannot be loaded leaves the old one as it is."""
        seed = int(self._desk.node.get_parameter("seed").value)
        stage = self._host.load(world, seed if seed >= 0 else None)
        stage.engine.playback = Playback.STOPPED
        stage.engine.publish()
        _describe(response.world, world)
        response.result.error_message = " ".join(f"Left out: {text}" for text in world.left_out)

    def _unload(self, _: Any, response: Any) -> None:
        if self._host.stage is None:
            raise Refused(UnloadWorld.Response.NO_WORLD_LOADED, "no world is loaded")
        self._check_still()
        kept = self._unloading.keep(response)
        self._host.job = Background("unload_world", None, kept, lambda: None, lambda _: self._host.unload())

    def _check_still(self) -> None:
        self._desk.check_idle(Result.RESULT_INCORRECT_STATE)
        if self._host.playback == Playback.PLAYING:
            text = "the simulation is PLAYING; set_simulation_state to STOPPED (0) or PAUSED (2) first"
            raise Refused(Result.RESULT_INCORRECT_STATE, text)

    def _available(self, request: Any, response: Any) -> None:
        """Worlds of the package, of the node's folders and of those that the request names. All are local."""
        check_tags_filter(request.filter)
        check_sources(request.additional_sources)
        found: dict[Path, WorldResource] = {}
        failures: list[str] = []
        for folder in (str(worlds_directory()), *self._folders):
            found |= _worlds_in(folder, failures)
        default_failures = len(failures)
        for source in request.additional_sources:
            found |= _worlds_in(source, failures)
        if failures and not (request.continue_on_error and found):
            default = GetAvailableWorlds.Response.DEFAULT_SOURCES_FAILED
            raise Refused(default if default_failures else Result.RESULT_OPERATION_FAILED, " ".join(failures))
        response.worlds = [each for each in found.values() if has_tags(request.filter, each.tags)]
        response.result.error_message = shortened(" ".join(failures))


def _read(resource: wire.Resource, robot: str, tolerance: Tolerance) -> WorldFile:
    path = _find(resource.uri) if resource.uri else None
    try:
        return load_world(path, robot, tolerance) if path else world_from_text(resource.text, robot, tolerance)
    except BridgeError as error:
        raise Refused(_code(error), str(error)) from error


def _find(uri: str) -> Path:
    """The file behind a URI, a path, or the name of a world of the package."""
    if uri in world_names():
        return worlds_directory() / f"{uri}.yaml"
    if not uri.lower().endswith(_ENDINGS):
        text = f"'{uri[:200]}' is no world file; expected a name that ends in {' or '.join(_ENDINGS)}"
        raise Refused(_Code.UNSUPPORTED_FORMAT, text)
    try:
        return resolve_uri(uri, worlds_directory())
    except MissingFileError as error:
        raise Refused(_Code.NO_RESOURCE, str(error)) from error
    except BridgeError as error:
        raise Refused(_Code.RESOURCE_PARSE_ERROR, str(error)) from error


def _code(error: BaseException) -> int:
    """The most specific code for what is wrong with a world: what caused the error says more than the error."""
    codes = {
        MissingFileError: _Code.MISSING_ASSETS,
        UnsupportedFileError: _Code.UNSUPPORTED_ASSETS,
        UnknownKeyError: _Code.UNSUPPORTED_ELEMENTS,
    }
    for each in _causes(error):
        for kind, code in codes.items():
            if isinstance(each, kind):
                return int(code)
    return int(_Code.RESOURCE_PARSE_ERROR)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _describe(message: WorldResource, world: WorldFile) -> None:
    message.name, message.description, message.tags = world.name, world.description, list(world.tags)
    if world.path is not None:
        message.world_resource.uri = world.path.as_uri()
    else:
        message.world_resource.resource_string = world.text


def _worlds_in(source: str, failures: list[str]) -> dict[Path, WorldResource]:
    """The worlds of a folder by path; what is wrong with it is added to `failures`."""
    found = {}
    try:
        paths = sorted(path.resolve() for path in resolve_folder(source).iterdir() if path.suffix in _ENDINGS)
    except (BridgeError, OSError) as error:
        failures.append(str(error))
        return {}
    if len(paths) > MAX_WORLDS:
        failures.append(f"'{source}' holds more than {MAX_WORLDS} files: the others are left out.")
    for path in paths[:MAX_WORLDS]:
        try:
            config = world_config(path)
        except BridgeError as error:
            failures.append(str(error))
            continue
        if config is not None:
            message = WorldResource(name=config.name, description=config.description, tags=list(config.tags))
            message.world_resource.uri = path.as_uri()
            found[path] = message
    return found
