"""Every result code of the standard that can occur, provoked on the real node by a plain client."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from geometry_msgs.msg import Twist, Vector3
from simulation_interfaces import srv
from simulation_interfaces.action import SimulateSteps
from simulation_interfaces.msg import (
    Bounds,
    EntityCategory,
    EntityFilters,
    EntityInfo,
    EntityState,
    Result,
    SpawnResult,
    TagsFilter,
)
from simulation_interfaces.msg import SpawnEntity as Wanted

from conftest import node_and_client
from plain_client import PlainClient
from standard_calls import (
    BRICK,
    codes,
    constants,
    delete,
    fill_resource,
    fresh,
    load,
    pose,
    put,
    simulate_steps,
    spawn,
    stepping,
    unload,
)

PLAYING, PAUSED = 1, 2
LINK = BRICK.replace('<box size="0.2 0.1 0.05"/>', '<mesh filename="{}"/>')
BODY = "name: w\nbodies: [{{name: b, file: {}}}]"
NUMBERS = "{name: arm, message: std_msgs/msg/Float64MultiArray, joints: [shoulder_pan_joint]}"
RAW = f"extends: arm\nactuators: [{NUMBERS}]\n"  # commands without a stamp

Answer = Result | Any  # a Result, or what holds one
Provoke = Callable[["Room"], Answer]


class Room:
    """A node with the world `table`, paused; a client of it; and a folder of worlds that the node looks into."""

    def __init__(self, client: PlainClient, folder: Path) -> None:
        self.client, self.folder = client, folder

    def prepare(self) -> None:
        """As it was."""
        fresh(self.client, "table")

    def call(self, kind: Any, **fields: Any) -> Any:
        """A service by its type; its name is that of the type with small letters."""
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).strip("_")
        return self.client.call(kind, name, kind.Request(**fields))

    def without_world(self, provoke: Provoke) -> Answer:
        assert unload(self.client).result.result == Result.RESULT_OK
        return provoke(self)

    def playing(self, provoke: Provoke) -> Answer:
        assert self.client.set_state(PLAYING).result == Result.RESULT_OK
        return provoke(self)

    def busy(self, provoke: Provoke) -> Answer:
        """While a long step is under way."""
        with stepping(self.client):
            return provoke(self)

    def without_folder(self, provoke: Provoke) -> Answer:
        away = self.folder.rename(self.folder.with_name("away"))
        try:
            return provoke(self)
        finally:
            away.rename(self.folder)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = (tmp_path_factory.mktemp("codes") / "mine").resolve()
    folder.mkdir()
    (folder / "raw.yaml").write_text(RAW)
    parameters = {"robot": "arm", "world": "table", "mode": "lockstep", "resource_path": str(folder)}
    with node_and_client(tmp_path_factory, start_paused=True, **parameters) as (_, client):
        yield Room(client, folder)


def filtered(kind: Any) -> dict[str, Provoke]:
    """Of `get_entities` and `get_entities_states`."""
    return {
        "OK": lambda r: r.call(kind),
        "FEATURE_UNSUPPORTED": lambda r: r.call(kind, filters=EntityFilters(bounds=Bounds(type=2))),
        "INCORRECT_STATE": lambda r: r.without_world(lambda r: r.call(kind)),
        "OPERATION_FAILED": lambda r: r.call(kind, filters=EntityFilters(filter="(")),
    }


def named(kind: Any) -> dict[str, Provoke]:
    """Of services that tell something about one entity."""
    return {
        "OK": lambda r: r.call(kind, entity="cube_left"),
        "NOT_FOUND": lambda r: r.call(kind, entity="nobody"),
        "INCORRECT_STATE": lambda r: r.without_world(lambda r: r.call(kind, entity="cube_left")),
    }


def spawning(how: Callable[..., Provoke]) -> dict[str, Provoke]:
    """Of `spawn_entity` and of each result of `spawn_entities`."""
    return {
        "OK": how(text=BRICK),
        "NAME_NOT_UNIQUE": how(name="arm"),
        "NAME_INVALID": how(name="9"),
        "UNSUPPORTED_FORMAT": how(text="<usd/>"),
        "NO_RESOURCE": how(text=""),
        "NAMESPACE_INVALID": how(entity_namespace="a b"),
        "RESOURCE_PARSE_ERROR": how(text="<robot"),
        "MISSING_ASSETS": how(text=LINK.format("package://nobody/x.obj")),
        "UNSUPPORTED_ASSETS": how(text=LINK.format("/x.fbx")),
        "INVALID_POSE": how(initial_pose=pose(0, 0, 1e5)),
    }


def one(text: str = BRICK, **fields: Any) -> Provoke:
    return lambda r: spawn(r.client, "", text, **fields)


def batch(*wanted: Wanted) -> Provoke:
    return lambda r: r.call(srv.SpawnEntities, spawn_requests=list(wanted))


def first_of_batch(text: str = BRICK, **fields: Any) -> Provoke:
    wanted = fill_resource(Wanted(**{"initial_pose": pose(), **fields}), "", text)
    return lambda r: batch(wanted)(r).results[0]


def crowded(room: Room, provoke: Provoke) -> Answer:
    """With as many spawned bodies as there may be."""
    dot = BRICK.replace("<collision><geometry><box size=\"0.2 0.1 0.05\"/></geometry></collision>", "")
    wanted = [fill_resource(Wanted(name="x", allow_renaming=True, initial_pose=pose()), "", dot)] * 200
    for _ in range(5):
        assert batch(*wanted)(room).result.result == Result.RESULT_OK
    try:
        return provoke(room)
    finally:
        assert room.client.reset(4).result == Result.RESULT_OK


def steps(how: Callable[[Room, int], Answer]) -> dict[str, Provoke]:
    return {"OK": lambda r: how(r, 1), "OPERATION_FAILED": lambda r: how(r, 0)}


def state(target: int) -> Provoke:
    return lambda r: r.client.set_state(target)


def world(**fields: Any) -> Provoke:
    return lambda r: load(r.client, **fields)


MOVING = EntityState(pose=pose().pose, twist=Twist(linear=Vector3(x=1.0)))
UNKNOWN = EntityInfo(category=EntityCategory(category=9))
STRANGE = TagsFilter(filter_mode=9)

CODES: dict[Any, dict[str, Provoke]] = {
    srv.GetEntities: filtered(srv.GetEntities),
    srv.GetEntitiesStates: filtered(srv.GetEntitiesStates),
    srv.GetEntityState: named(srv.GetEntityState),
    srv.GetEntityInfo: named(srv.GetEntityInfo),
    srv.GetEntityBounds: named(srv.GetEntityBounds),
    srv.SetEntityInfo: {
        **named(srv.SetEntityInfo),
        "OPERATION_FAILED": lambda r: r.call(srv.SetEntityInfo, entity="floor", info=UNKNOWN),
    },
    srv.SetEntityState: {
        "OK": lambda r: put(r.client, "cube_left", MOVING),
        "NOT_FOUND": lambda r: put(r.client, "nobody", MOVING),
        "INCORRECT_STATE": lambda r: r.busy(lambda r: put(r.client, "cube_left", MOVING)),
        "OPERATION_FAILED": lambda r: put(r.client, "floor", MOVING),
        "INVALID_POSE": lambda r: put(r.client, "cube_left", EntityState(pose=pose(0, 0, 1e5).pose)),
    },
    srv.DeleteEntity: {
        "OK": lambda r: delete(r.client, "cube_left"),
        "NOT_FOUND": lambda r: delete(r.client, "nobody"),
        "INCORRECT_STATE": lambda r: r.busy(lambda r: delete(r.client, "cube_left")),
        "OPERATION_FAILED": lambda r: delete(r.client, "arm"),
    },
    srv.SpawnEntity: {**spawning(one), "INCORRECT_STATE": lambda r: r.busy(one())},
    SpawnResult: {
        **spawning(first_of_batch),
        "OPERATION_FAILED": lambda r: crowded(r, first_of_batch(name="one_more")),
    },
    srv.SpawnEntities: {
        "OK": batch(fill_resource(Wanted(initial_pose=pose()), "", BRICK)),
        "INCORRECT_STATE": lambda r: r.busy(batch(Wanted())),
        "OPERATION_FAILED": batch(),
        "ENTITIES_SPAWN_FAILED": batch(Wanted()),
    },
    srv.GetSpawnables: {"OK": lambda r: r.call(srv.GetSpawnables)},
    srv.GetNamedPoses: {
        "OK": lambda r: r.call(srv.GetNamedPoses),
        "INCORRECT_STATE": lambda r: r.without_world(lambda r: r.call(srv.GetNamedPoses)),
        "OPERATION_FAILED": lambda r: r.call(srv.GetNamedPoses, tags=STRANGE),
    },
    srv.GetNamedPoseBounds: {
        "OK": lambda r: r.call(srv.GetNamedPoseBounds, name="table_centre"),
        "NOT_FOUND": lambda r: r.call(srv.GetNamedPoseBounds, name="nowhere"),
        "INCORRECT_STATE": lambda r: r.without_world(lambda r: r.call(srv.GetNamedPoseBounds, name="table_centre")),
    },
    srv.GetSimulationState: {"OK": lambda r: r.call(srv.GetSimulationState)},
    srv.SetSimulationState: {
        "OK": state(PLAYING),
        "ALREADY_IN_TARGET_STATE": state(PAUSED),
        "STATE_TRANSITION_ERROR": lambda r: r.busy(state(PLAYING)),
        "INCORRECT_TRANSITION": lambda r: r.without_world(state(PLAYING)),
    },
    srv.ResetSimulation: {
        "OK": lambda r: r.client.reset(0),
        "FEATURE_UNSUPPORTED": lambda r: r.client.reset(8),
        "INCORRECT_STATE": lambda r: r.busy(lambda r: r.client.reset(0)),
    },
    srv.StepSimulation: steps(lambda r, count: r.client.step_simulation(count)),
    SimulateSteps: steps(lambda r, count: simulate_steps(r.client, count)[0]),
    srv.GetAvailableWorlds: {
        "OK": lambda r: r.call(srv.GetAvailableWorlds),
        "OPERATION_FAILED": lambda r: r.call(srv.GetAvailableWorlds, additional_sources=["/nowhere"]),
        "DEFAULT_SOURCES_FAILED": lambda r: r.without_folder(lambda r: r.call(srv.GetAvailableWorlds)),
    },
    srv.GetCurrentWorld: {
        "OK": lambda r: r.call(srv.GetCurrentWorld),
        "NO_WORLD_LOADED": lambda r: r.without_world(lambda r: r.call(srv.GetCurrentWorld)),
    },
    srv.LoadWorld: {
        "OK": world(uri="empty"),
        "INCORRECT_STATE": lambda r: r.playing(world(uri="empty")),
        "OPERATION_FAILED": lambda r: world(text=f"name: w\nrobots: [{{robot: {r.folder}/raw.yaml}}]")(r),
        "UNSUPPORTED_FORMAT": world(uri="w.sdf"),
        "NO_RESOURCE": world(),
        "RESOURCE_PARSE_ERROR": world(text="name: 7"),
        "MISSING_ASSETS": world(text=BODY.format("lost.urdf")),
        "UNSUPPORTED_ASSETS": lambda r: world(text=BODY.format(strange(r)))(r),
        "UNSUPPORTED_ELEMENTS": world(text="name: w\nsky: blue", fail_on_unsupported_element=True),
    },
    srv.UnloadWorld: {
        "OK": lambda r: unload(r.client),
        "INCORRECT_STATE": lambda r: r.playing(lambda r: unload(r.client)),
        "NO_WORLD_LOADED": lambda r: r.without_world(lambda r: unload(r.client)),
    },
}


def strange(room: Room) -> Path:
    """A model with a mesh that nobody can read."""
    path = room.folder / "strange.urdf"
    path.write_text(LINK.format("strange.fbx"))
    return path


def test_every_service_and_every_code_of_its_own_is_in_the_table() -> None:
    """A code that a newer version of the package brings fails here."""
    services = {kind for _, kind in inspect.getmembers(srv, inspect.isclass) if hasattr(kind, "Request")}
    assert set(CODES) | {srv.GetSimulatorFeatures} == services | {SimulateSteps, SpawnResult}
    for kind, provoked in CODES.items():
        general = {name.removeprefix("RESULT_") for name in constants(Result)}
        assert set(provoked) - general == set(codes(kind)) - general, kind
        assert "OK" in provoked


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
def test_codes(room: Room, kind: Any) -> None:
    for name, provoke in CODES[kind].items():
        room.prepare()
        answered = provoke(room)
        result = answered if isinstance(answered, Result) else answered.result
        assert (name, result.result) == (name, codes(kind)[name]), result.error_message
        assert bool(result.error_message) is (name != "OK"), (name, result.error_message)
