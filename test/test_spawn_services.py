"""Spawning, deleting, and what can be chosen from, over services: on the real node, by a plain rclpy client."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from geometry_msgs.msg import PoseStamped
from simulation_interfaces.msg import Bounds, Resource, Result, SpawnResult, TagsFilter
from simulation_interfaces.msg import SpawnEntity as Wanted
from simulation_interfaces.srv import (
    DeleteEntity,
    GetCurrentWorld,
    GetEntities,
    GetEntityInfo,
    GetEntityState,
    GetNamedPoseBounds,
    GetNamedPoses,
    GetSimulatorFeatures,
    GetSpawnables,
    SpawnEntities,
    StepSimulation,
    UnloadWorld,
)

from conftest import NodeProcess, node_and_client
from plain_client import PlainClient, content
from standard_calls import load, uri_of
from standard_calls import spawn as spawn_one

PLAYING, PAUSED = 1, 2
OK, NOT_FOUND, INCORRECT_STATE, FAILED = 1, 2, 3, 4
BATCH_FAILED = SpawnEntities.Response.ENTITIES_SPAWN_FAILED
TIME, STATE, SPAWNED = 1, 2, 4
PERIOD = 40_000_000  # of the arm: 25 Hz
PAN = "shoulder_pan_joint"
CUBE = "package://ros_gym_bridge/urdf/cube.urdf"
OWN = ["arm", "floor"]  # what stands in the world `empty`

LINK = '<inertial><mass value="1"/><inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/></inertial>'
URDF = (
    f'<robot name="brick"><link name="brick">{LINK}<collision><geometry>{{shape}}</geometry></collision></link></robot>'
)
BRICK = URDF.format(shape='<box size="0.2 0.1 0.05"/>')
XACRO = BRICK.replace("<robot ", '<robot xmlns:xacro="http://www.ros.org/wiki/xacro" ').replace(
    "0.2 0.1", "${2*0.1} 0.1"
)
SDF = """<sdf version="1.9"><model name="ball"><link name="ball"><inertial><mass>1</mass></inertial>
<collision name="c"><geometry><sphere><radius>0.1</radius></sphere></geometry></collision></link></model></sdf>"""
STATIC = SDF.replace('<model name="ball">', '<model name="ball"><static>true</static>')
MJCF = """<mujoco model="top"><worldbody><body name="top"><freejoint/><geom type="sphere" size="0.1" mass="1"/></body>
</worldbody></mujoco>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models").resolve()
    (path / "deep" / "deeper").mkdir(parents=True)
    (path / "brick.urdf").write_text(BRICK)
    (path / "deep" / "deeper" / "a brick.urdf").write_text(BRICK)
    (path / "broken.urdf").write_text("<robot")
    (path / "ball.sdf").write_text(SDF)
    (path / "strange.urdf").write_text(URDF.format(shape='<mesh filename="strange.fbx"/>'))
    return path


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[tuple[NodeProcess, PlainClient]]:
    parameters = {"robot": "arm", "world": "empty", "mode": "lockstep", "resource_path": str(folder)}
    with node_and_client(tmp_path_factory, start_paused=True, **parameters) as shared:
        yield shared


@pytest.fixture
def shared(hall: tuple[NodeProcess, PlainClient]) -> PlainClient:
    """The shared client; the world `empty` with nothing spawned, paused at its first stamp."""
    client = hall[1]
    client.set_state(PAUSED)
    if client.call(GetCurrentWorld, "get_current_world", GetCurrentWorld.Request()).world.name != "empty":
        assert load(client, "empty").result.result == OK
        client.set_state(PAUSED)
    assert client.reset(0).result == OK
    client.until(lambda: client.stamp == PERIOD, "the first state")
    assert names(client) == OWN
    return client


def names(client: PlainClient) -> list[str]:
    return list(client.call(GetEntities, "get_entities", GetEntities.Request()).entities)


def pose(at: Any = (2.0, 0.0, 1.0), turned: Any = (0.0, 0.0, 0.0, 1.0), frame: str = "") -> PoseStamped:
    message = PoseStamped()
    message.header.frame_id = frame
    message.pose.position.x, message.pose.position.y, message.pose.position.z = map(float, at)
    q = message.pose.orientation
    q.x, q.y, q.z, q.w = map(float, turned)
    return message


def wanted(name: str = "one", uri: str = CUBE, text: str = "", **more: Any) -> Wanted:
    where = {key: more.pop(key) for key in ("at", "turned", "frame") if key in more}
    resource = Resource(uri="" if text else uri, resource_string=text)
    return Wanted(name=name, entity_resource=resource, initial_pose=pose(**where), **more)


def spawn(client: PlainClient, *requests: Wanted) -> Any:
    return client.call(SpawnEntities, "spawn_entities", SpawnEntities.Request(spawn_requests=list(requests)), 30.0)


def single(client: PlainClient, request: Wanted) -> Any:
    """`spawn_entity`, with the same fields."""
    fields = ("name", "allow_renaming", "entity_namespace", "initial_pose")
    resource = request.entity_resource
    same = {field: getattr(request, field) for field in fields}
    return spawn_one(client, resource.uri, resource.resource_string, **same)


def spawned(client: PlainClient, *requests: Wanted) -> list[str]:
    """Spawn; the names that they got."""
    answered = spawn(client, *requests)
    assert [(each.result.result, each.result.error_message) for each in answered.results] == [(OK, "")] * len(requests)
    assert answer(answered.result) == (OK, "")
    return [each.entity_name for each in answered.results]


def delete(client: PlainClient, entity: str) -> Result:
    return client.call(DeleteEntity, "delete_entity", DeleteEntity.Request(entity=entity)).result


def position(client: PlainClient, entity: str) -> tuple[float, float, float]:
    answered = client.call(GetEntityState, "get_entity_state", GetEntityState.Request(entity=entity))
    assert answered.result.result == OK, answered.result
    p = answered.state.pose.position
    return p.x, p.y, p.z


def category(client: PlainClient, entity: str) -> int:
    answered = client.call(GetEntityInfo, "get_entity_info", GetEntityInfo.Request(entity=entity))
    return int(answered.info.category.category)


def answer(result: Result) -> tuple[int, str]:
    return int(result.result), str(result.error_message)


# --- from where


@pytest.mark.parametrize(
    "uri",
    [CUBE, "urdf/cube.urdf", "pybullet_data://cube_small.urdf", "file://{folder}/brick.urdf", "{folder}/brick.urdf"],
)
def test_from_an_address(shared: PlainClient, folder: Path, uri: str) -> None:
    assert spawned(shared, wanted(uri=uri.replace("{folder}", str(folder)))) == ["one"]
    assert names(shared) == [*OWN, "one"]
    assert position(shared, "one") == pytest.approx((2, 0, 1))
    assert category(shared, "one") == 4


@pytest.mark.parametrize(
    ("text", "fixed"),
    [(BRICK, False), (XACRO, False), (SDF, False), (STATIC, True), (MJCF, False)],
    ids=["urdf", "xacro", "sdf", "static sdf", "mjcf"],
)
def test_from_a_text(shared: PlainClient, text: str, fixed: bool) -> None:
    assert spawned(shared, wanted(text=text)) == ["one"]
    assert shared.step_simulation(50).result == OK
    fallen = position(shared, "one")[2]
    assert fallen == pytest.approx(1.0 if fixed else 1.0 - 0.5 * 9.81 * 0.1 * 0.102)
    assert category(shared, "one") == (5 if fixed else 4)


def test_every_advertised_format_was_tried(shared: PlainClient) -> None:
    answered = shared.call(GetSimulatorFeatures, "get_simulator_features", GetSimulatorFeatures.Request())
    assert list(answered.features.spawn_formats) == ["urdf", "xacro", "sdf", "mjcf"]


def test_the_uri_counts_when_there_is_a_text_too(shared: PlainClient) -> None:
    request = wanted(name="")
    request.entity_resource.resource_string = BRICK
    assert spawned(shared, request) == ["cube"]


# --- where, and under which name


def test_in_the_frame_of_another_entity_of_the_same_batch(shared: PlainClient) -> None:
    half = math.sqrt(0.5)
    below = wanted("below", at=(3, 0, 1), turned=(0, 0, half, half))
    spawned(shared, below, wanted("above", at=(0.5, 0, 1), frame="below"), wanted("third", frame="world"))
    assert position(shared, "above") == pytest.approx((3, 0.5, 2))
    assert position(shared, "third") == pytest.approx((2, 0, 1))


@pytest.mark.parametrize(
    ("name", "namespace", "rename", "expected"),
    [
        ("", "", False, "cube"),
        ("", "left", False, "left/cube"),
        ("x", "/a/b", False, "a/b/x"),
        ("floor", "", True, "floor_1"),
        ("arm", "", True, "arm_1"),
        ("9 lives", "", True, "entity_9_lives"),
        ("world", "", True, "entity_world"),
        ("x" * 1000, "", True, "entity_" + "x" * 100),
    ],
)
def test_names(shared: PlainClient, name: str, namespace: str, rename: bool, expected: str) -> None:
    request = wanted(name, entity_namespace=namespace, allow_renaming=rename)
    assert spawned(shared, request) == [expected]
    assert delete(shared, expected).result == OK
    answered = single(shared, request)
    assert (answer(answered.result), answered.entity_name) == ((OK, ""), expected)
    assert names(shared)[-1] == expected


def test_a_name_again_and_again(shared: PlainClient) -> None:
    requests = [wanted("x", at=(i, 5, 1), allow_renaming=True) for i in range(4)]
    assert spawned(shared, *requests) == ["x", "x_1", "x_2", "x_3"]


# --- what is refused

NOWHERE = "urdf/lost.urdf"
REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "name of a robot": (
        {"name": "arm"},
        SpawnResult.NAME_NOT_UNIQUE,
        "the name 'arm' is taken; choose another, or set",
    ),
    "name of a body": (
        {"name": "floor"},
        SpawnResult.NAME_NOT_UNIQUE,
        "the name 'floor' is taken; choose another, or ",
    ),
    "bad name": (
        {"name": "9"},
        SpawnResult.NAME_INVALID,
        "invalid name '9'; expected letters, digits and _ . - / after",
    ),
    "world": (
        {"name": "world"},
        SpawnResult.NAME_INVALID,
        "invalid name 'world'; expected letters, digits and _ . - / ",
    ),
    "oversized name": (
        {"name": "x" * 100_000},
        SpawnResult.NAME_INVALID,
        f"invalid name '{'x' * 200}'; expected letter",
    ),
    "bad name of the model": (
        {"name": "", "text": BRICK.replace("brick", "a brick", 1)},
        SpawnResult.NAME_INVALID,
        "invalid name 'a brick'; expected letters, digits and _ . - / after a letter, and not 'world'",
    ),
    "namespace": (
        {"entity_namespace": "a b"},
        SpawnResult.NAMESPACE_INVALID,
        "invalid entity_namespace 'a b'; expected names of letters, digits and _ with / between",
    ),
    "namespace of slashes": (
        {"entity_namespace": "//a"},
        SpawnResult.NAMESPACE_INVALID,
        "invalid entity_namespace '//a'",
    ),
    "nothing": ({"uri": ""}, SpawnResult.NO_RESOURCE, "neither uri nor resource_string; expected one of them"),
    "lost": (
        {"uri": NOWHERE},
        SpawnResult.NO_RESOURCE,
        f"'{NOWHERE}' was not found; expected a file '{NOWHERE}' under ",
    ),
    "out of its package": (
        {"uri": "package://ros_gym_bridge/../../x.urdf"},
        SpawnResult.RESOURCE_PARSE_ERROR,
        "'package://ros_gym_bridge/../../x.urdf' leaves its package; got ../../x.urdf; expected a path below it",
    ),
    "scheme": (
        {"uri": "http://x/y.urdf"},
        SpawnResult.RESOURCE_PARSE_ERROR,
        "unknown scheme in 'http://x/y.urdf'; got ",
    ),
    "ending": (
        {"uri": "x.usd"},
        SpawnResult.UNSUPPORTED_FORMAT,
        "'x.usd' is no model in a known format; expected a name that ends in .urdf, .xacro, .sdf, .xml, .mjcf",
    ),
    "format of a text": (
        {"text": "<usd/>"},
        SpawnResult.UNSUPPORTED_FORMAT,
        "resource_string: no model in a known format; got <usd>; expected <robot>, <sdf> or <mujoco> outermost",
    ),
    "no xml": ({"text": "cube"}, SpawnResult.RESOURCE_PARSE_ERROR, "resource_string: not XML at line 1, column 1"),
    "broken file": (
        {"uri": "file://{folder}/broken.urdf"},
        SpawnResult.RESOURCE_PARSE_ERROR,
        "{folder}/broken.urdf: no",
    ),
    "an entity bomb": (
        {"text": '<!DOCTYPE x [<!ENTITY a "b">]>' + BRICK},
        SpawnResult.RESOURCE_PARSE_ERROR,
        "resource_string: ",
    ),
    "no links": ({"text": '<robot name="x"/>'}, SpawnResult.RESOURCE_PARSE_ERROR, "resource_string: no links"),
    "too long": (
        {"text": "<!--" + "x" * 2_000_000},
        SpawnResult.RESOURCE_PARSE_ERROR,
        "resource_string is too long; got 2000004 characters; expected at most 2000000",
    ),
    "missing mesh": (
        {"text": URDF.format(shape='<mesh filename="package://nobody/x.obj"/>')},
        SpawnResult.MISSING_ASSETS,
        "resource_string: link 'brick': the file of its <mesh>, 'package://nobody/x.obj', was not found",
    ),
    "relative mesh in a text": (
        {"text": URDF.format(shape='<mesh filename="x.obj"/>')},
        SpawnResult.MISSING_ASSETS,
        "resource_string: link 'brick': the file of its <mesh>, 'x.obj', was not found",
    ),
    "strange mesh": (
        {"uri": "file://{folder}/strange.urdf"},
        SpawnResult.UNSUPPORTED_ASSETS,
        "{folder}/strange.urdf: link 'brick': <mesh> names no file of a known kind; got 'strange.fbx'",
    ),
    "position": (
        {"at": (math.inf, 0, 0)},
        SpawnResult.INVALID_POSE,
        "invalid position; got (inf, 0.0, 0.0); expected numbers from -10000 to 10000 (m)",
    ),
    "orientation": (
        {"turned": (0, 0, 0, 0)},
        SpawnResult.INVALID_POSE,
        "invalid orientation; got the quaternion (0.0, 0.0, 0.0, 0.0); expected one of length 1",
    ),
    "frame": (
        {"frame": "moon"},
        SpawnResult.INVALID_POSE,
        "unknown frame 'moon'; expected '', 'world' or the name of an entity",
    ),
}


@pytest.mark.parametrize(("fields", "code", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_requests_that_are_refused(
    shared: PlainClient, folder: Path, fields: dict[str, Any], code: int, text: str
) -> None:
    def here(value: Any) -> Any:
        return value.replace("{folder}", str(folder)) if isinstance(value, str) else value

    request, text = wanted(**{key: here(value) for key, value in fields.items()}), here(text)
    answered = spawn(shared, request)
    assert answer(answered.result) == (BATCH_FAILED, "1 of 1 failed; see their results")
    (one,) = answered.results
    assert (one.result.result, one.result.error_message[: len(text)], one.entity_name) == (code, text, "")
    old = single(shared, request)
    assert (answer(old.result), old.entity_name) == (answer(one.result), "")
    assert names(shared) == OWN


def test_each_request_of_a_batch_stands_for_itself(shared: PlainClient) -> None:
    requests = [wanted("a"), wanted("arm"), wanted("b", at=(2, 1, 1)), wanted("b"), wanted("c", text=SDF, at=(2, 2, 1))]
    answered = spawn(shared, *requests)
    assert answer(answered.result) == (BATCH_FAILED, "2 of 5 failed; see their results")
    assert [each.result.result for each in answered.results] == [OK, 101, OK, 101, OK]
    assert [each.entity_name for each in answered.results] == ["a", "", "b", "", "c"]
    assert names(shared) == [*OWN, "a", "b", "c"]


@pytest.mark.parametrize("count", [0, 201])
def test_the_size_of_a_batch(shared: PlainClient, count: int) -> None:
    answered = spawn(shared, *[wanted(allow_renaming=True)] * count)
    assert answer(answered.result) == (FAILED, f"{count} spawn_requests; expected 1 to 200")
    assert names(shared) == OWN


def test_what_is_refused_changes_nothing_to_the_last_bit(shared: PlainClient, folder: Path) -> None:
    def course(disturbed: bool) -> list[Any]:
        assert shared.reset(0).result == OK
        shared.set_state(PLAYING)
        shared.until(lambda: shared.stamp == PERIOD, "the first state")
        spawned(shared, wanted("one", at=(0.3, 0.0, 0.5)))
        states = [content(shared.step([PAN], position=[0.3])) for _ in range(8)]
        if disturbed:
            requests = [wanted(**fields) for fields, _, _ in REFUSED.values()]
            assert all(each.result.result != OK for each in spawn(shared, *requests).results)
            assert delete(shared, "arm").result == FAILED
        states += [content(shared.step([PAN], position=[-0.3])) for _ in range(8)]
        shared.set_state(PAUSED)
        return [*states, position(shared, "one")]

    assert course(False) == course(True)


# --- what becomes of it


@pytest.mark.parametrize(
    ("scope", "there"),
    [(STATE, True), (TIME, True), (TIME | STATE, True), (SPAWNED, False), (SPAWNED | STATE, False), (0, False)],
)
def test_resets(shared: PlainClient, scope: int, there: bool) -> None:
    spawned(shared, wanted("one", at=(2, 0, 1)))
    shared.step_simulation(100)
    fallen = position(shared, "one")
    assert fallen[2] < 0.9
    assert shared.reset(scope).result == OK
    assert names(shared) == ([*OWN, "one"] if there else OWN)
    if there:
        assert position(shared, "one") == (pytest.approx((2, 0, 1)) if scope & STATE else fallen)


def test_stopped_means_that_nothing_is_spawned(shared: PlainClient) -> None:
    spawned(shared, wanted("one"))
    assert shared.set_state(0).result == OK
    assert names(shared) == OWN


def test_deleting(shared: PlainClient) -> None:
    spawned(shared, wanted("one"), wanted("two", at=(2, 1, 1)))
    assert answer(delete(shared, "one")) == (OK, "")
    assert names(shared) == [*OWN, "two"]
    nobody = "no such entity; got 'one'; expected one of arm, floor, two."
    assert answer(delete(shared, "one")) == (NOT_FOUND, nobody)
    assert answer(delete(shared, "")) == (NOT_FOUND, nobody.replace("'one'", "''"))
    robot = "robot 'arm' cannot be deleted; got 'arm'; expected a body; Load another world."
    assert answer(delete(shared, "arm")) == (FAILED, robot)
    assert answer(delete(shared, "floor")) == (OK, "")
    shared.step_simulation(400)
    assert position(shared, "two")[2] < -1.0, "it falls past where the floor was"
    assert shared.reset(STATE).result == OK
    assert names(shared) == [*OWN, "two"]


def test_what_comes_back_keeps_its_name(shared: PlainClient) -> None:
    """A body of the world that was deleted is there again after a reset: nothing else may have its name until then."""
    assert delete(shared, "floor").result == OK
    answered = single(shared, wanted("floor"))
    taken = "the name 'floor' is taken; choose another, or set allow_renaming"
    assert answer(answered.result) == (SpawnResult.NAME_NOT_UNIQUE, taken)
    assert single(shared, wanted("floor", allow_renaming=True)).entity_name == "floor_1"
    assert shared.reset(STATE).result == OK
    assert names(shared) == [*OWN, "floor_1"]


def test_in_the_middle_of_a_step(shared: PlainClient) -> None:
    running = shared.request(StepSimulation, "step_simulation", StepSimulation.Request(steps=20_000))
    shared.until(lambda: shared.stamp > PERIOD, "steps")
    busy = (INCORRECT_STATE, "a step_simulation is under way; wait for its answer")
    assert answer(spawn(shared, wanted()).result) == busy
    assert answer(single(shared, wanted()).result) == busy
    assert answer(delete(shared, "floor")) == busy
    shared.until(running.done, "the answer", 60.0)
    assert running.result().result.result == OK
    assert names(shared) == OWN


def test_time_goes_on_while_a_model_is_converted(hall: tuple[NodeProcess, PlainClient], shared: PlainClient) -> None:
    """An SDF takes a process of its own: meanwhile commands step, and other changes of the world are refused."""
    shared.set_state(PLAYING)
    text = SDF.replace("ball", f"ball_{time.monotonic_ns()}")
    request = SpawnEntities.Request(spawn_requests=[wanted(text=text)])
    running = shared.request(SpawnEntities, "spawn_entities", request)
    busy = delete(shared, "floor")
    steps = 0
    while not running.done():
        shared.step([PAN], position=[0.01])
        steps += 1
    assert answer(busy) == (INCORRECT_STATE, "a spawn_entities is under way; wait for its answer")
    assert steps >= 2
    assert running.result().result.result == OK
    shared.set_state(PAUSED)


def test_spawning_again_and_again_leaves_nothing_behind(
    hall: tuple[NodeProcess, PlainClient], shared: PlainClient
) -> None:
    def memory() -> int:
        return int(Path(f"/proc/{hall[0].pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for round_ in range(60):
        spawned(shared, *[wanted(f"x{i}", at=(i, 3, 1)) for i in range(5)])
        assert shared.reset(SPAWNED | STATE).result == OK
        if round_ == 20:
            before = memory()
    assert names(shared) == OWN
    assert memory() < before + 10_000_000


# --- what there is to choose from


def spawnables(client: PlainClient, *sources: str) -> Any:
    return client.call(GetSpawnables, "get_spawnables", GetSpawnables.Request(sources=list(sources)), 30.0)


def test_models_of_the_package_of_pybullet_and_of_the_nodes_folders(shared: PlainClient, folder: Path) -> None:
    answered = spawnables(shared)
    assert answer(answered.result) == (OK, "")
    found = {uri_of(each): each for each in answered.spawnables}
    assert found[CUBE].description == "cube: 1 links, 0 joints"
    assert found[CUBE].spawn_bounds == Bounds()
    assert f"{folder.as_uri()}/brick.urdf" in found
    assert f"{folder.as_uri()}/deep/deeper/a%20brick.urdf" in found
    assert len([uri for uri in found if uri.startswith("pybullet_data://")]) > 50
    assert not [uri for uri in found if "broken" in uri or "random_urdfs" in uri]
    uris = [CUBE, f"{folder.as_uri()}/deep/deeper/a%20brick.urdf", "pybullet_data://franka_panda/panda.urdf"]
    assert set(uris) <= found.keys()
    spawned(shared, *[wanted(f"x{i}", uri=uri, at=(i, 3, 1)) for i, uri in enumerate(uris)])


def test_sources_that_a_request_names(shared: PlainClient, folder: Path) -> None:
    usual = len(spawnables(shared).spawnables)
    answered = spawnables(
        shared, str(folder / "deep"), "pybullet_data://random_urdfs/000", "/nowhere", "relative", "x://y"
    )
    assert answered.result.result == OK
    text = answered.result.error_message
    assert "'/nowhere' was not found" in text
    assert "'relative' is a relative path" in text
    assert "unknown scheme in 'x://y'" in text
    new = [uri_of(each) for each in answered.spawnables][usual:]
    assert new == ["pybullet_data://random_urdfs/000/000.urdf"], "those of the node's folders are not told twice"


def test_a_source_without_end(shared: PlainClient) -> None:
    start = time.monotonic()
    assert spawnables(shared, "/").result.result == OK
    assert time.monotonic() - start < 20.0


def poses(client: PlainClient, *tags: str, mode: int = 0) -> Any:
    wanted_tags = TagsFilter(tags=list(tags), filter_mode=mode)
    return client.call(GetNamedPoses, "get_named_poses", GetNamedPoses.Request(tags=wanted_tags))


def pose_bounds(client: PlainClient, name: str) -> Any:
    return client.call(GetNamedPoseBounds, "get_named_pose_bounds", GetNamedPoseBounds.Request(name=name))


def test_named_poses(shared: PlainClient) -> None:
    assert load(shared, "table").result.result == OK
    answered = poses(shared)
    assert [each.name for each in answered.poses] == ["table_centre", "table_corner", "beside_table"]
    centre = answered.poses[0]
    assert (centre.description, list(centre.tags)) == (
        "Free room on the table, in front of the objects",
        ["spawn", "table"],
    )
    assert (centre.pose.position.x, centre.pose.orientation.w) == (0.35, 1.0)
    assert [each.name for each in poses(shared, "spawn", "floor").poses] == [each.name for each in answered.poses]
    assert [each.name for each in poses(shared, "spawn", "table", mode=1).poses] == ["table_centre", "table_corner"]
    assert [each.name for each in poses(shared, "nothing").poses] == []
    assert answer(poses(shared, mode=9).result) == (FAILED, "unknown filter_mode 9; expected ANY (0) or ALL (1)")
    answered = pose_bounds(shared, "table_centre")
    upper, lower = answered.bounds.points
    assert (answered.result.result, answered.bounds.type) == (OK, Bounds.TYPE_BOX)
    assert ((upper.x, upper.y, upper.z), (lower.x, lower.y, lower.z)) == ((0.1, 0.3, 0.5), (-0.1, -0.3, -0.025))
    assert (pose_bounds(shared, "beside_table").result.result, pose_bounds(shared, "beside_table").bounds) == (
        OK,
        Bounds(),
    )
    text = "no such named pose; got 'x'; expected one of table_centre, table_corner, beside_table"
    assert answer(pose_bounds(shared, "x").result) == (NOT_FOUND, text)


def test_spawning_at_a_named_pose(shared: PlainClient) -> None:
    assert load(shared, "table").result.result == OK
    shared.set_state(PAUSED)
    request = wanted("one")
    request.initial_pose.pose = poses(shared).poses[0].pose
    spawned(shared, request)
    shared.step_simulation(100)
    assert position(shared, "one") == pytest.approx((0.35, 0, 0), abs=2e-3), "it stands on the table"


def test_without_a_world(shared: PlainClient) -> None:
    assert shared.call(UnloadWorld, "unload_world", UnloadWorld.Request()).result.result == OK
    nothing = (INCORRECT_STATE, "no world is loaded; call load_world first")
    for result in (
        spawn(shared, wanted()).result,
        single(shared, wanted()).result,
        delete(shared, "one"),
        poses(shared).result,
        pose_bounds(shared, "x").result,
    ):
        assert answer(result) == nothing
    assert spawnables(shared).result.result == OK
    assert load(shared, "empty").result.result == OK
