"""Entities: which there are, what is known about them, and where they are put."""

from __future__ import annotations

from typing import Any

from simulation_interfaces.msg import EntityState, Result, SimulatorFeatures
from simulation_interfaces.srv import (
    GetEntities,
    GetEntitiesStates,
    GetEntityBounds,
    GetEntityInfo,
    GetEntityState,
    SetEntityInfo,
    SetEntityState,
)

from ros_gym_bridge.ros.services import entity_messages as convert
from ros_gym_bridge.ros.services import wire
from ros_gym_bridge.ros.services.answers import Refused
from ros_gym_bridge.ros.services.desk import Desk
from ros_gym_bridge.ros.stage import Stage
from ros_gym_bridge.sim.entity_states import Twist
from ros_gym_bridge.sim.frames import Pose

FEATURES = (
    SimulatorFeatures.ENTITY_TAGS,
    SimulatorFeatures.ENTITY_BOUNDS,
    SimulatorFeatures.ENTITY_BOUNDS_BOX,
    SimulatorFeatures.ENTITY_CATEGORIES,
    SimulatorFeatures.ENTITY_STATE_GETTING,
    SimulatorFeatures.ENTITY_STATE_SETTING,
    SimulatorFeatures.ENTITY_INFO_GETTING,
    SimulatorFeatures.ENTITY_INFO_SETTING,
)


class EntityServices:
    """Seven services about what stands in the world.

    Args:
        desk: where they are offered.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        desk.offer(GetEntities, "get_entities", self._names)
        desk.offer(GetEntitiesStates, "get_entities_states", self._states)
        desk.offer(GetEntityState, "get_entity_state", self._state)
        desk.offer(SetEntityState, "set_entity_state", self._set_state)
        desk.offer(GetEntityInfo, "get_entity_info", self._info)
        desk.offer(SetEntityInfo, "set_entity_info", self._set_info)
        desk.offer(GetEntityBounds, "get_entity_bounds", self._bounds)

    def _names(self, request: Any, response: Any) -> None:
        response.entities = convert.matching(self._desk.stage().entities, request.filters)

    def _states(self, request: Any, response: Any) -> None:
        stage = self._desk.stage()
        names = convert.matching(stage.entities, request.filters)
        response.states = [self._filled(stage, name, EntityState()) for name in names]
        response.entities = names

    def _state(self, request: Any, response: Any) -> None:
        self._filled(self._desk.stage(), request.entity, response.state)

    def _filled(self, stage: Stage, name: str, message: EntityState) -> EntityState:
        return convert.fill_state(message, stage.entities.states.of(name), stage.engine.stamp_ns)

    def _set_state(self, request: Any, response: Any) -> None:
        """All is checked before anything is set."""
        stage = self._desk.idle_stage()
        name, state, wanted = request.entity, request.state, wire.wanted(request)
        stage.entities.body(name)
        pose = self._pose(stage, state) if wanted.pose else None
        twist = self._twist(stage, name, pose, state) if wanted.twist else None
        if wanted.acceleration and convert.moves(state.acceleration):
            if stage.entities.is_fixed(name):
                text = f"entity '{name}' is fixed and cannot move; got an acceleration that is not 0"
                raise Refused(Result.RESULT_OPERATION_FAILED, text)
            response.result.error_message = "the acceleration was ignored: it follows from forces"
        if not any(wanted):
            response.result.error_message = "none of set_pose, set_twist and set_acceleration: nothing was set"
        if wanted.pose or wanted.twist:
            stage.entities.states.set(name, pose, twist)
            if stage.entities.is_robot(name):
                stage.move_robot()

    def _pose(self, stage: Stage, state: EntityState) -> Pose:
        code = SetEntityState.Response.INVALID_POSE
        return convert.in_world(stage.entities, state.header.frame_id, convert.pose_of(state.pose, code), code)

    def _twist(self, stage: Stage, name: str, pose: Pose | None, state: EntityState) -> Twist:
        position, _ = pose or stage.entities.states.pose(name)
        twist = convert.twist_of(state.twist)
        return convert.moving_in_world(stage.entities, state.header.frame_id, position, twist)

    def _info(self, request: Any, response: Any) -> None:
        convert.fill_info(response.info, self._desk.stage().entities.infos.of(request.entity))

    def _set_info(self, request: Any, _: Any) -> None:
        entities = self._desk.stage().entities
        entities.body(request.entity)
        entities.infos.set(request.entity, convert.info_of(request.info))

    def _bounds(self, request: Any, response: Any) -> None:
        convert.fill_bounds(response.bounds, self._desk.stage().entities.bounds(request.entity))
