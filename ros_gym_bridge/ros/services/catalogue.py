"""What a client can choose from: `get_spawnables`, `get_named_poses`, `get_named_pose_bounds`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from simulation_interfaces.msg import NamedPose, Result, SimulatorFeatures, Spawnable
from simulation_interfaces.srv import GetNamedPoseBounds, GetNamedPoses, GetSpawnables

from ros_gym_bridge import schema
from ros_gym_bridge.errors import BridgeError
from ros_gym_bridge.geometry import quaternion
from ros_gym_bridge.model import RobotModel, read_model
from ros_gym_bridge.ros.services import entity_messages as convert
from ros_gym_bridge.ros.services import wire
from ros_gym_bridge.ros.services.answers import Refused, shortened
from ros_gym_bridge.ros.services.desk import Desk
from ros_gym_bridge.ros.services.resources import check_sources
from ros_gym_bridge.ros.services.tags import check_tags_filter, has_tags
from ros_gym_bridge.uris import resolve_folder

FEATURES = (SimulatorFeatures.SPAWNABLES, SimulatorFeatures.NAMED_POSES, SimulatorFeatures.POSE_BOUNDS)

MAX_MODELS, MAX_DEPTH, MAX_FOLDERS = 500, 3, 2000
_DEFAULT = ("package://ros_gym_bridge/urdf", "pybullet_data://")
_LEFT_OUT = ("random_urdfs",)  # a thousand of one kind: ask for pybullet_data://random_urdfs


class CatalogueServices:
    """Models and places.

    Args:
        desk: where they are offered.
        folders: further ones with models.
    """

    def __init__(self, desk: Desk, folders: Iterable[str]) -> None:
        self._desk, self._folders = desk, list(folders)
        desk.offer_aside(GetSpawnables, "get_spawnables", self._spawnables)
        desk.offer(GetNamedPoses, "get_named_poses", self._poses)
        desk.offer(GetNamedPoseBounds, "get_named_pose_bounds", self._bounds)

    def _spawnables(self, request: Any, response: Any) -> None:
        """URDFs of the package, of pybullet_data, of the node's folders and of those that the request names."""
        check_sources(request.sources)
        found: dict[str, Spawnable] = {}
        problems: list[str] = []
        for source in (*_DEFAULT, *self._folders, *request.sources):
            try:
                found |= dict(_models_in(source, problems))
            except BridgeError as error:
                problems.append(str(error))
        response.spawnables = list(found.values())
        response.result.error_message = shortened(" ".join(problems))

    def _poses(self, request: Any, response: Any) -> None:
        check_tags_filter(request.tags)
        poses = self._desk.stage().world.poses
        response.poses = [_message(pose) for pose in poses if has_tags(request.tags, pose.tags)]

    def _bounds(self, request: Any, response: Any) -> None:
        poses = {pose.name: pose for pose in self._desk.stage().world.poses}
        if request.name not in poses:
            known = ", ".join(poses) or "none: this world has no named poses"
            text = f"no such named pose; got '{request.name[:200]}'; expected one of {known}"
            raise Refused(Result.RESULT_NOT_FOUND, text)
        box = poses[request.name].bounds
        convert.fill_bounds(response.bounds, None if box is None else (np.array(box.lower), np.array(box.upper)))


def _message(pose: schema.NamedPose) -> NamedPose:
    message = NamedPose(name=pose.name, description=pose.description, tags=list(pose.tags))
    convert.fill_pose(message.pose, (pose.position, quaternion(pose.rpy)))
    return message


def _models_in(source: str, problems: list[str]) -> Iterator[tuple[str, Spawnable]]:
    """The URDFs of a folder that can be spawned, by URI.

    Raises:
        ModelError: there is no such folder.
    """
    folder = resolve_folder(source)
    named = "://" in source and not source.startswith("file://")
    for count, path in enumerate(_urdfs(folder)):
        if count >= MAX_MODELS:
            problems.append(f"'{source}' holds more than {MAX_MODELS} models: the others are left out.")
            return
        model = _model(path, path.stat().st_mtime_ns)
        if model is not None:
            message = Spawnable(description=f"{model.name}: {len(model.links)} links, {len(model.movable)} joints")
            below = path.relative_to(folder).as_posix()
            uri = f"{source.rstrip('/')}{'//' if source.endswith('://') else '/'}{below}" if named else path.as_uri()
            wire.set_uri(message, uri)
            yield uri, message


def _urdfs(folder: Path) -> Iterator[Path]:
    """In it and some way below, sorted."""
    for visited, (place, folders, files) in enumerate(os.walk(folder)):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT) if depth < MAX_DEPTH else []
        yield from (Path(place) / name for name in sorted(files) if name.endswith(".urdf"))
        if visited >= MAX_FOLDERS:
            return


@lru_cache(maxsize=4096)
def _model(path: Path, _changed: int) -> RobotModel | None:
    """None for a file that is not fit to be spawned."""
    try:
        return read_model(path)
    except BridgeError:
        return None
