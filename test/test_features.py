"""Every feature that `get_simulator_features` advertises, tried one by one by a plain client on the real node; and what
is not advertised answers so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from geometry_msgs.msg import Vector3
from simulation_interfaces.msg import (
    Bounds,
    EntityCategory,
    EntityFilters,
    EntityInfo,
    EntityState,
    Result,
    SimulatorFeatures,
    TagsFilter,
)
from simulation_interfaces.msg import SpawnEntity as Wanted
from simulation_interfaces.srv import (
    GetAvailableWorlds,
    GetCurrentWorld,
    GetEntities,
    GetEntityBounds,
    GetEntityInfo,
    GetEntityState,
    GetNamedPoseBounds,
    GetNamedPoses,
    GetSimulatorFeatures,
    GetSpawnables,
    SetEntityInfo,
    SpawnEntities,
)

from conftest import node_and_client
from plain_client import PlainClient
from standard_calls import (
    BRICK,
    CUBE,
    constants,
    delete,
    fill_resource,
    fresh,
    load,
    names,
    pose,
    put,
    simulate_steps,
    spawn,
    stepping,
    unload,
    uri_of,
)

STOPPED, PLAYING, PAUSED, NO_WORLD = 0, 1, 2, 4
OK, UNSUPPORTED = Result.RESULT_OK, Result.RESULT_FEATURE_UNSUPPORTED
TIME, STATE, SPAWNED = 1, 2, 4
PERIOD, STEP = 40_000_000, 2_000_000  # of the arm: 25 Hz, 500 Hz

Client = PlainClient


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with node_and_client(tmp_path_factory, robot="arm", world="table", mode="lockstep", start_paused=True) as shared:
        yield shared[1]


@pytest.fixture
def client(node: Client) -> Client:
    """The world `table`, paused at its first stamp, as it was loaded."""
    fresh(node, "table")
    node.until(lambda: node.stamp == PERIOD, "the first state")
    return node


def good(answered: Any) -> Any:
    """An answer that says OK and nothing else."""
    assert (answered.result.result, answered.result.error_message) == (OK, "")
    return answered


def call(client: Client, kind: Any, name: str, /, **fields: Any) -> Any:
    return good(client.call(kind, name, kind.Request(**fields)))


def filtered(client: Client, **filters: Any) -> list[str]:
    return list(call(client, GetEntities, "get_entities", filters=EntityFilters(**filters)).entities)


def box(kind: int = Bounds.TYPE_BOX) -> Bounds:
    """Around the cube on the left."""
    return Bounds(type=kind, points=[Vector3(x=0.52, y=0.22, z=0.1), Vector3(x=0.48, y=0.18, z=0.0)])


def height(client: Client, entity: str) -> float:
    return float(call(client, GetEntityState, "get_entity_state", entity=entity).state.pose.position.z)


# --- one for each feature


def spawning(client: Client) -> None:
    assert good(spawn(client, name="one")).entity_name == "one"
    assert "one" in names(client)
    assert height(client, "one") == pytest.approx(1.0)


def deleting(client: Client) -> None:
    good(delete(client, "cube_right"))
    assert "cube_right" not in names(client)


def named_poses(client: Client) -> None:
    found = call(client, GetNamedPoses, "get_named_poses").poses
    assert [each.name for each in found] == ["table_centre", "table_corner", "beside_table"]
    tagged = call(client, GetNamedPoses, "get_named_poses", tags=TagsFilter(tags=["floor"])).poses
    assert [each.name for each in tagged] == ["beside_table"]


def pose_bounds(client: Client) -> None:
    found = call(client, GetNamedPoseBounds, "get_named_pose_bounds", name="table_centre").bounds
    assert (found.type, found.points[0].y) == (Bounds.TYPE_BOX, 0.3)


def entity_tags(client: Client) -> None:
    both = TagsFilter(tags=["cube", "graspable"], filter_mode=TagsFilter.FILTER_MODE_ALL)
    assert filtered(client, tags=both) == ["cube_left", "cube_middle", "cube_right", "cube_on_top"]
    assert "big_cube" in filtered(client, tags=TagsFilter(tags=["cube", "graspable"]))


def entity_bounds(client: Client) -> None:
    found = call(client, GetEntityBounds, "get_entity_bounds", entity="big_cube").bounds
    assert (found.type, len(found.points)) == (Bounds.TYPE_BOX, 2)
    assert found.points[0].x == pytest.approx(0.05, abs=2e-3)
    sphere = Bounds(type=Bounds.TYPE_SPHERE, points=[Vector3(x=0.5, y=0.2), Vector3(x=0.01)])
    assert filtered(client, bounds=sphere) == ["cube_left"], "spheres are supported by all that filter by bounds"


def entity_bounds_box(client: Client) -> None:
    assert filtered(client, bounds=box()) == ["cube_left"]


def entity_categories(client: Client) -> None:
    robots = EntityCategory(category=EntityCategory.CATEGORY_ROBOT)
    assert filtered(client, categories=[robots]) == ["arm"]
    info = EntityInfo(category=EntityCategory(category=EntityCategory.CATEGORY_HUMAN))
    call(client, SetEntityInfo, "set_entity_info", entity="floor", info=info)
    assert filtered(client, categories=[info.category]) == ["floor"]


def spawning_resource_string(client: Client) -> None:
    assert good(spawn(client, "", BRICK)).entity_name == "brick"
    assert "brick" in names(client)


def entity_state_getting(client: Client) -> None:
    assert client.step_simulation(20).result == OK
    state = call(client, GetEntityState, "get_entity_state", entity="cube_left").state
    assert (state.header.frame_id, state.header.stamp.nanosec) == ("world", 2 * PERIOD)
    assert state.pose.position.y == pytest.approx(0.2, abs=1e-3)


def entity_state_setting(client: Client) -> None:
    good(put(client, "cube_left", EntityState(pose=pose(0, 1, 3).pose)))
    assert height(client, "cube_left") == pytest.approx(3.0)


def entity_info_getting(client: Client) -> None:
    info = call(client, GetEntityInfo, "get_entity_info", entity="table").info
    assert (info.description, list(info.tags)) == ("Its top is 1.5 m by 1 m", ["furniture"])


def entity_info_setting(client: Client) -> None:
    told = EntityInfo(description="Mine", tags=["red"])
    call(client, SetEntityInfo, "set_entity_info", entity="table", info=told)
    assert call(client, GetEntityInfo, "get_entity_info", entity="table").info == told


def spawnables(client: Client) -> None:
    found = call(client, GetSpawnables, "get_spawnables").spawnables
    uris = [uri_of(each) for each in found]
    assert CUBE in uris
    good(spawn(client, uris[0], name="first"))


def simulation_reset(client: Client) -> None:
    good(spawn(client, name="one"))
    assert client.step_simulation(100).result == OK
    assert client.reset(0).result == OK
    client.until(lambda: client.stamp == PERIOD, "time turned back")
    assert "one" not in names(client)


def reset_time(client: Client) -> None:
    good(put(client, "cube_left", EntityState(pose=pose(0, 1, 3).pose)))
    assert client.step_simulation(100).result == OK
    fallen = height(client, "cube_left")
    assert client.reset(TIME).result == OK
    client.until(lambda: client.stamp == PERIOD, "time turned back")
    assert height(client, "cube_left") == fallen < 3.0


def reset_state(client: Client) -> None:
    good(put(client, "cube_left", EntityState(pose=pose(0, 1, 3).pose)))
    assert client.step_simulation(20).result == OK
    assert client.reset(STATE).result == OK
    client.until(lambda: client.stamp == 3 * PERIOD, "time that goes on")
    assert height(client, "cube_left") == pytest.approx(0.0)


def reset_spawned(client: Client) -> None:
    good(spawn(client, name="one"))
    good(put(client, "cube_left", EntityState(pose=pose(0, 1, 3).pose)))
    assert client.reset(SPAWNED).result == OK
    assert "one" not in names(client)
    assert height(client, "cube_left") == pytest.approx(3.0)


def state_getting(client: Client) -> None:
    assert client.state() == PAUSED


def state_setting(client: Client) -> None:
    for state in (PLAYING, STOPPED):
        assert client.set_state(state).result == OK
        assert client.state() == state


def state_pause(client: Client) -> None:
    client.set_state(PLAYING)
    assert client.set_state(PAUSED).result == OK
    assert client.state() == PAUSED
    client.send(["shoulder_pan_joint"], position=[0.1])
    assert client.state() == PAUSED
    assert client.stamp == PERIOD, "commands do not step"


def step_single(client: Client) -> None:
    assert client.step_simulation(1).result == OK
    client.until(lambda: client.stamp == PERIOD + STEP, "one physics step")


def step_multiple(client: Client) -> None:
    assert client.step_simulation(7).result == OK
    client.until(lambda: client.stamp == PERIOD + 7 * STEP, "seven physics steps")
    assert client.state() == PAUSED


def step_action(client: Client) -> None:
    result, heard = simulate_steps(client, 3)
    assert (result.result, result.error_message, heard) == (OK, "", [(1, 2), (2, 1), (3, 0)])
    client.until(lambda: client.stamp == PERIOD + 3 * STEP, "three physics steps")
    with stepping(client):
        assert client.state() == PAUSED
    assert client.state() == PAUSED


def world_loading(client: Client) -> None:
    assert good(load(client, "empty")).world.name == "empty"
    assert client.state() == STOPPED
    assert names(client) == ["arm", "floor"]


def world_resource_string(client: Client) -> None:
    assert good(load(client, text="name: typed")).world.world_resource.resource_string == "name: typed"
    assert names(client) == ["arm"]


def world_tags(client: Client) -> None:
    flat = call(client, GetAvailableWorlds, "get_available_worlds", filter=TagsFilter(tags=["flat"])).worlds
    assert [each.name for each in flat] == ["empty"]
    assert list(flat[0].tags) == ["flat"]


def world_unloading(client: Client) -> None:
    good(unload(client))
    assert client.state() == NO_WORLD


def world_info_getting(client: Client) -> None:
    world = call(client, GetCurrentWorld, "get_current_world").world
    assert (world.name, list(world.tags)) == ("table", ["table", "manipulation"])


def available_worlds(client: Client) -> None:
    worlds = call(client, GetAvailableWorlds, "get_available_worlds").worlds
    assert [each.name for each in worlds] == ["empty", "table", "two_arms"]
    assert load(client, worlds[0].world_resource.uri).world.name == "empty"


def spawning_entities(client: Client) -> None:
    requests = [Wanted(name=name, initial_pose=pose(2, y, 1)) for y, name in enumerate(("a", "b"))]
    requests = [fill_resource(each, CUBE, "") for each in requests]
    results = call(client, SpawnEntities, "spawn_entities", spawn_requests=requests).results
    assert [each.entity_name for each in results] == ["a", "b"]
    assert names(client)[-2:] == ["a", "b"]


WORKS: dict[str, Callable[[Client], None]] = {
    "SPAWNING": spawning,
    "DELETING": deleting,
    "NAMED_POSES": named_poses,
    "POSE_BOUNDS": pose_bounds,
    "ENTITY_TAGS": entity_tags,
    "ENTITY_BOUNDS": entity_bounds,
    "ENTITY_BOUNDS_BOX": entity_bounds_box,
    "ENTITY_CATEGORIES": entity_categories,
    "SPAWNING_RESOURCE_STRING": spawning_resource_string,
    "ENTITY_STATE_GETTING": entity_state_getting,
    "ENTITY_STATE_SETTING": entity_state_setting,
    "ENTITY_INFO_GETTING": entity_info_getting,
    "ENTITY_INFO_SETTING": entity_info_setting,
    "SPAWNABLES": spawnables,
    "SIMULATION_RESET": simulation_reset,
    "SIMULATION_RESET_TIME": reset_time,
    "SIMULATION_RESET_STATE": reset_state,
    "SIMULATION_RESET_SPAWNED": reset_spawned,
    "SIMULATION_STATE_GETTING": state_getting,
    "SIMULATION_STATE_SETTING": state_setting,
    "SIMULATION_STATE_PAUSE": state_pause,
    "STEP_SIMULATION_SINGLE": step_single,
    "STEP_SIMULATION_MULTIPLE": step_multiple,
    "STEP_SIMULATION_ACTION": step_action,
    "WORLD_LOADING": world_loading,
    "WORLD_RESOURCE_STRING": world_resource_string,
    "WORLD_TAGS": world_tags,
    "WORLD_UNLOADING": world_unloading,
    "WORLD_INFO_GETTING": world_info_getting,
    "AVAILABLE_WORLDS": available_worlds,
    "SPAWNING_ENTITIES": spawning_entities,
}


# --- one for each feature that is not there


def convex_hull(client: Client) -> Result:
    filters = EntityFilters(bounds=box(Bounds.TYPE_CONVEX_HULL))
    return client.call(GetEntities, "get_entities", GetEntities.Request(filters=filters)).result


MISSING: dict[str, Callable[[Client], Result]] = {"ENTITY_BOUNDS_CONVEX": convex_hull}


def test_what_is_advertised_is_what_is_tried(client: Client) -> None:
    """Complete against the constants of the message that is installed: a new one fails here."""
    known = constants(SimulatorFeatures)
    assert sorted(known) == sorted([*WORKS, *MISSING])
    found = client.call(GetSimulatorFeatures, "get_simulator_features", GetSimulatorFeatures.Request()).features
    assert list(found.features) == sorted(known[name] for name in WORKS)


@pytest.mark.parametrize("name", WORKS)
def test_it_works(client: Client, name: str) -> None:
    WORKS[name](client)


@pytest.mark.parametrize("name", MISSING)
def test_it_says_that_it_does_not(client: Client, name: str) -> None:
    result = MISSING[name](client)
    assert result.result == UNSUPPORTED
    assert "not supported; expected" in result.error_message
