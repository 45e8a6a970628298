"""Bodies that come and go while a world runs: `spawn_entities`, `spawn_entity`, `delete_entity`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from simulation_interfaces.msg import Result, SimulatorFeatures, SpawnResult
from simulation_interfaces.srv import DeleteEntity, SpawnEntities, SpawnEntity

from ros_gym_bridge.errors import BridgeError
from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.ros.publishers import WORLD_FRAME
from ros_gym_bridge.ros.services import entity_messages as convert
from ros_gym_bridge.ros.services import wire
from ros_gym_bridge.ros.services.answers import Refused, tell
from ros_gym_bridge.ros.services.background import Background
from ros_gym_bridge.ros.services.desk import Desk
from ros_gym_bridge.ros.services.resources import check_resource, is_quick, model_of
from ros_gym_bridge.ros.stage import Stage
from ros_gym_bridge.world_file import SpawnedBody

FEATURES = (
    SimulatorFeatures.SPAWNING,
    SimulatorFeatures.SPAWNING_ENTITIES,
    SimulatorFeatures.SPAWNING_RESOURCE_STRING,
    SimulatorFeatures.DELETING,
    SimulatorFeatures.SIMULATION_RESET_SPAWNED,
)

MAX_BATCH = 200
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-/]{0,199}")
_NAMESPACE = re.compile(r"/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")
_LONGEST_NAMESPACE = 200

Model = RobotModel | Refused


class SpawningServices:
    """Each request of a batch stands for itself: the good ones are done, and each has its own result.

    Args:
        desk: where they are offered.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._batches = desk.offer_late(SpawnEntities, "spawn_entities", self._spawn_all)
        self._single = desk.offer_late(SpawnEntity, "spawn_entity", self._spawn_one)
        desk.offer(DeleteEntity, "delete_entity", self._delete)

    def _spawn_all(self, request: Any, response: Any) -> None:
        stage = self._desk.idle_stage()
        wanted = list(request.spawn_requests)
        if not 1 <= len(wanted) <= MAX_BATCH:
            text = f"{len(wanted)} spawn_requests; expected 1 to {MAX_BATCH}"
            raise Refused(Result.RESULT_OPERATION_FAILED, text)
        finish = partial(self._put_all, stage, wanted, response)
        if all(is_quick(wire.resource_of(each)) for each in wanted):
            finish(_read(wanted))
        else:
            kept = self._batches.keep(response)
            self._desk.host.job = Background("spawn_entities", None, kept, lambda: _read(wanted), finish)

    def _put_all(self, stage: Stage, wanted: Sequence[Any], response: Any, models: list[Model]) -> None:
        response.results = [_put(stage, each, model) for each, model in zip(wanted, models, strict=True)]
        failed = [each for each in response.results if each.result.result != Result.RESULT_OK]
        if failed:
            text = f"{len(failed)} of {len(wanted)} failed; see their results"
            raise Refused(SpawnEntities.Response.ENTITIES_SPAWN_FAILED, text)

    def _spawn_one(self, request: Any, response: Any) -> None:
        stage = self._desk.idle_stage()
        finish = partial(self._put_one, stage, request, response)
        if is_quick(wire.resource_of(request)):
            finish(_read([request]))
        else:
            kept = self._single.keep(response)
            self._desk.host.job = Background("spawn_entity", None, kept, lambda: _read([request]), finish)

    def _put_one(self, stage: Stage, request: Any, response: Any, models: list[Model]) -> None:
        (model,) = models
        answered = _put(stage, request, model)
        response.entity_name = answered.entity_name
        tell(response.result, Result.RESULT_OK, answered.result.error_message)
        if answered.result.result != Result.RESULT_OK:
            raise Refused(answered.result.result, answered.result.error_message)

    def _delete(self, request: Any, _: Any) -> None:
        self._desk.idle_stage().entities.delete(request.entity)


def _read(wanted: Sequence[Any]) -> list[Model]:
    """The model of each request, or why there is none."""
    models: list[Model] = []
    for each in wanted:
        try:
            models.append(model_of(wire.resource_of(each)))
        except Refused as refusal:
            models.append(refusal)
    return models


def _put(stage: Stage, wanted: Any, model: Model) -> SpawnResult:
    """One entity, whose model was read."""
    answered = SpawnResult()
    try:
        check_resource(wire.resource_of(wanted))
        if isinstance(model, Refused):
            raise model
        body = _body(stage, wanted, model)
        remarks = stage.spawn(body)
        answered.entity_name = body.name
        tell(answered.result, Result.RESULT_OK, remarks)
    except Refused as refusal:
        tell(answered.result, refusal.code, refusal.text)
    except BridgeError as error:
        tell(answered.result, Result.RESULT_OPERATION_FAILED, str(error))
    return answered


class _Wanted(NamedTuple):
    name: str
    may_rename: bool
    namespace: str


def _body(stage: Stage, wanted: Any, model: RobotModel) -> SpawnedBody:
    """Where it appears, and under which name. What cannot move by its model is fixed: a root link `world` in a URDF,
    a static model in SDF, a body without a free joint in MJCF."""
    namespace = wanted.entity_namespace
    if namespace and not (_NAMESPACE.fullmatch(namespace) and len(namespace) <= _LONGEST_NAMESPACE):
        text = f"invalid entity_namespace '{namespace[:200]}'; expected names of letters, digits and _ with / between"
        raise Refused(SpawnResult.NAMESPACE_INVALID, text)
    name = _name(_Wanted(wanted.name, wanted.allow_renaming, namespace.strip("/")), model, stage.entities.taken())
    code = SpawnResult.INVALID_POSE
    told = convert.pose_of(wanted.initial_pose.pose, code)
    position, orientation = convert.in_world(stage.entities, wanted.initial_pose.header.frame_id, told, code)
    fixed = model.floating is False or model.root == WORLD_FRAME
    return SpawnedBody(name, model, position, orientation, fixed)


def _name(wanted: _Wanted, model: RobotModel, taken: list[str]) -> str:
    """The name that was asked for, else that of the model, after the namespace; made up where that is allowed."""
    before = f"{wanted.namespace}/" if wanted.namespace else ""
    name = before + (wanted.name or model.name)
    if not _NAME.fullmatch(name) or name == WORLD_FRAME:
        if not wanted.may_rename:
            text = f"invalid name '{name[:200]}'; expected letters, digits and _ . - / after a letter, and not 'world'"
            raise Refused(SpawnResult.NAME_INVALID, text)
        name = before + "entity_" + re.sub(r"[^A-Za-z0-9_]", "_", (wanted.name or model.name))[:100]
    if name not in taken:
        return name
    if not wanted.may_rename:
        text = f"the name '{name}' is taken; choose another, or set allow_renaming"
        raise Refused(SpawnResult.NAME_NOT_UNIQUE, text)
    numbered = (f"{name[:190]}_{number}" for number in range(1, len(taken) + 2))
    return next(each for each in numbered if each not in taken)
