"""Entities over services: which there are, what is known about them, where they are put. On the real node, by a plain
rclpy client."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from geometry_msgs.msg import Accel, Point, Pose, Quaternion, Twist, Vector3
from simulation_interfaces.msg import (
    Bounds,
    EntityCategory,
    EntityFilters,
    EntityInfo,
    EntityState,
    Result,
    TagsFilter,
)
from simulation_interfaces.srv import (
    GetEntities,
    GetEntitiesStates,
    GetEntityBounds,
    GetEntityInfo,
    GetEntityState,
    SetEntityInfo,
    SetEntityState,
    StepSimulation,
    UnloadWorld,
)
from tf2_msgs.msg import TFMessage

from conftest import NodeProcess, node_and_client
from plain_client import LATCHED, PlainClient, content, nanoseconds
from standard_calls import load
from standard_calls import put as set_state

STOPPED, PLAYING, PAUSED = 0, 1, 2
OK, UNSUPPORTED, NOT_FOUND, INCORRECT_STATE, FAILED, INVALID_POSE = 1, 0, 2, 3, 4, 101
PERIOD = 40_000_000  # of the arm: 25 Hz
PAN = "shoulder_pan_joint"
HALL = """
name: hall
description: A ball with its mass off its origin, a pillar, and a plane without end.
bodies:
  - {name: ground, file: "pybullet_data://plane_implicit.urdf", position: [0, 0, -1], fixed: true}
  - {name: pillar, file: ../../urdf/cube.urdf, position: [2, 0, 1], fixed: true, scale: 4, tags: [tall, grey],
     category: human}
  - {name: cube, file: ../../urdf/cube.urdf, position: [1, 1, 5], tags: [small, grey], description: A cube}
  - {name: cube_2, file: ../../urdf/cube.urdf, position: [1, 3, 5], rpy: [0, 0, 0.7853981633974483]}
  - {name: club, file: "FOLDER/club.urdf", position: [-2, 0, 5]}
"""
CLUB = """<robot name="club"><link name="club">
<inertial><origin xyz="0 0 0.5"/><mass value="2"/>
<inertia ixx="0.1" ixy="0" ixz="0" iyy="0.1" iyz="0" izz="0.01"/></inertial>
<collision><origin xyz="0 0 0.5"/><geometry><box size="0.1 0.1 1"/></geometry></collision></link></robot>"""
NAMES = ["arm", "ground", "pillar", "cube", "cube_2", "club"]
NOBODY = f"no such entity; got 'nobody'; expected one of {', '.join(NAMES)}."


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, PlainClient, str]]:
    folder = tmp_path_factory.mktemp("hall").resolve()
    (folder / "club.urdf").write_text(CLUB)
    with node_and_client(tmp_path_factory, robot="arm", mode="lockstep", start_paused=True) as (node, client):
        yield node, client, HALL.replace("FOLDER", str(folder))


@pytest.fixture
def shared(hall: tuple[NodeProcess, PlainClient, str]) -> PlainClient:
    """The shared client, with the world above, paused at its first stamp."""
    _, client, text = hall
    client.set_state(PAUSED)
    answered = load(client, text=text).result
    assert (answered.result, answered.error_message) == (OK, "")
    assert client.set_state(PAUSED).result == OK
    client.until(lambda: client.stamp == PERIOD, "the first state")
    return client


def entities(client: PlainClient, **filters: Any) -> Any:
    return client.call(GetEntities, "get_entities", GetEntities.Request(filters=EntityFilters(**filters)))


def names(client: PlainClient, **filters: Any) -> list[str]:
    answered = entities(client, **filters)
    assert answered.result.result == OK, answered.result
    return list(answered.entities)


def state(client: PlainClient, entity: str) -> EntityState:
    answered = client.call(GetEntityState, "get_entity_state", GetEntityState.Request(entity=entity))
    assert answered.result.result == OK, answered.result
    return answered.state


def info(client: PlainClient, entity: str) -> Any:
    return client.call(GetEntityInfo, "get_entity_info", GetEntityInfo.Request(entity=entity))


def bounds(client: PlainClient, entity: str) -> Any:
    return client.call(GetEntityBounds, "get_entity_bounds", GetEntityBounds.Request(entity=entity))


def put(client: PlainClient, entity: str, at: Any = (0, 0, 5), turned: Any = (0, 0, 0, 1), **more: Any) -> Any:
    """`set_entity_state`; its result."""
    message = EntityState(
        pose=Pose(position=point(at), orientation=Quaternion(**dict(zip("xyzw", map(float, turned), strict=True))))
    )
    message.header.frame_id = more.get("frame", "")
    message.twist = Twist(linear=vector(more.get("linear")), angular=vector(more.get("angular")))
    message.acceleration = Accel(linear=vector(more.get("acceleration")))
    return set_state(client, entity, message).result


def point(at: Any) -> Point:
    return Point(**dict(zip("xyz", map(float, at), strict=True)))


def vector(values: Any = None) -> Vector3:
    return Vector3(**dict(zip("xyz", map(float, values or (0, 0, 0)), strict=True)))


def numbers(message: Any) -> tuple[float, ...]:
    return tuple(getattr(message, name) for name in "xyzw" if hasattr(message, name))


def answer(result: Result) -> tuple[int, str]:
    return int(result.result), str(result.error_message)


def step(client: PlainClient, steps: int = 20) -> None:
    assert client.step_simulation(steps).result == OK


# --- which there are


def test_robots_first_then_the_bodies_of_the_file(shared: PlainClient) -> None:
    assert names(shared) == NAMES


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("cube", ["cube", "cube_2"]),
        ("^cube$", ["cube"]),
        ("^(cube|arm)", ["arm", "cube", "cube_2"]),
        ("_[[:digit:]]$", ["cube_2"]),
        ("nothing", []),
    ],
)
def test_names_by_a_regular_expression(shared: PlainClient, pattern: str, expected: list[str]) -> None:
    assert names(shared, filter=pattern) == expected


@pytest.mark.parametrize(
    ("categories", "expected"),
    [([1], ["arm"]), ([5], ["ground"]), ([4], ["cube", "cube_2", "club"]), ([1, 2], ["arm", "pillar"]), ([0], [])],
)
def test_categories(shared: PlainClient, categories: list[int], expected: list[str]) -> None:
    assert names(shared, categories=[EntityCategory(category=each) for each in categories]) == expected


@pytest.mark.parametrize(
    ("tags", "mode", "expected"),
    [
        (["grey"], 0, ["pillar", "cube"]),
        (["tall", "small"], 0, ["pillar", "cube"]),
        (["tall", "grey"], 1, ["pillar"]),
        (["tall", "small"], 1, []),
        (["red"], 0, []),
        ([], 1, NAMES),
    ],
)
def test_tags(shared: PlainClient, tags: list[str], mode: int, expected: list[str]) -> None:
    assert names(shared, tags=TagsFilter(tags=tags, filter_mode=mode)) == expected


def box(*corners: Any) -> Bounds:
    return Bounds(type=Bounds.TYPE_BOX, points=[vector(corner) for corner in corners])


def sphere(centre: Any, radius: float) -> Bounds:
    return Bounds(type=Bounds.TYPE_SPHERE, points=[vector(centre), vector((radius, 0, 0))])


@pytest.mark.parametrize(
    ("within", "expected"),
    [
        (box((2, 2, 6), (0, 0, 4)), ["cube"]),
        (box((0, 0, 4), (2, 2, 6)), ["cube"]),
        (box((5, 5, 6), (0, 0, 4)), ["cube", "cube_2"]),
        (box((3, 3, 0.91), (1.9, -1, 0)), ["pillar"]),
        (box((3, 3, 0.89), (1.9, -1, 0)), []),
        (box((0.1, 0.1, 0.5), (-0.1, -0.1, 0.1)), ["arm"]),
        (sphere((1, 1, 5), 0.0), ["cube"]),
        (sphere((1, 1.2, 5), 0.18), ["cube"]),
        (sphere((1, 1.2, 5), 0.17), []),
        (sphere((1, 2, 5), 1.5), ["cube", "cube_2"]),
        (sphere((0, 50, 0), 2.0), ["ground"]),
        (Bounds(), NAMES),
    ],
)
def test_bounds(shared: PlainClient, within: Bounds, expected: list[str]) -> None:
    assert names(shared, bounds=within) == expected


def test_filters_together(shared: PlainClient) -> None:
    grey = TagsFilter(tags=["grey"])
    assert names(shared, filter="c", tags=grey, bounds=sphere((1, 1, 5), 9.0)) == ["cube"]
    assert names(shared, filter="c", tags=grey, categories=[EntityCategory(category=2)]) == []


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "regular expression": (
        {"filter": "(cube"},
        FAILED,
        "filter is no POSIX extended expression: a '(' without its ')', at character 6 of '(cube'",
    ),
    "oversized expression": (
        {"filter": "a" * 100_000},
        FAILED,
        "filter is no POSIX extended expression: it has 100000 characters; expected at most 500",
    ),
    "category": (
        {"categories": [EntityCategory(category=3)]},
        FAILED,
        "unknown category 3; expected one of OBJECT (0), ROBOT (1), HUMAN (2), DYNAMIC_OBJECT (4), STATIC_OBJECT (5)",
    ),
    "filter mode": ({"tags": TagsFilter(filter_mode=2)}, FAILED, "unknown filter_mode 2; expected ANY (0) or ALL (1)"),
    "convex hull": (
        {"bounds": Bounds(type=Bounds.TYPE_CONVEX_HULL)},
        UNSUPPORTED,
        "bounds of type 2 are not supported; expected EMPTY (0), BOX (1) or SPHERE (3)",
    ),
    "unknown bounds": (
        {"bounds": Bounds(type=9)},
        UNSUPPORTED,
        "bounds of type 9 are not supported; expected EMPTY (0), BOX (1) or SPHERE (3)",
    ),
    "one corner": ({"bounds": box((0, 0, 1))}, FAILED, "bounds need 2 finite points; got 1: [(0.0, 0.0, 1.0)]"),
    "no number": (
        {"bounds": box((0, 0, math.nan), (1, 1, 1))},
        FAILED,
        "bounds need 2 finite points; got 2: [(0.0, 0.0, nan), (1.0, 1.0, 1.0)]",
    ),
    "radius": ({"bounds": sphere((0, 0, 0), -1.0)}, FAILED, "a sphere of radius -1.0; expected 0 or more"),
}


@pytest.mark.parametrize(("filters", "code", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_filters_that_are_refused(shared: PlainClient, filters: dict[str, Any], code: int, text: str) -> None:
    for kind, name in ((GetEntities, "get_entities"), (GetEntitiesStates, "get_entities_states")):
        answered = shared.call(kind, name, kind.Request(filters=EntityFilters(**filters)))
        assert answer(answered.result) == (code, text)
        assert list(answered.entities) == []


def test_an_expression_that_would_hang_python_does_not_hang_the_node(shared: PlainClient) -> None:
    assert names(shared, filter="^((((.*)*)*)*)*[^2]$") == ["arm", "ground", "pillar", "cube", "club"]


# --- info


def test_info_of_files_and_of_what_is_seen(shared: PlainClient) -> None:
    found = {name: info(shared, name).info for name in NAMES}
    assert [found[name].category.category for name in NAMES] == [1, 5, 2, 4, 4, 4]
    assert (found["cube"].description, list(found["cube"].tags)) == ("A cube", ["small", "grey"])
    assert (found["arm"].description, list(found["arm"].tags)) == ("", [])


def test_info_that_is_set_counts_until_everything_is_reset(shared: PlainClient) -> None:
    before = info(shared, "cube").info
    told = EntityInfo(category=EntityCategory(category=0), description="Mine", tags=["red"])
    request = SetEntityInfo.Request(entity="cube", info=told)
    assert answer(shared.call(SetEntityInfo, "set_entity_info", request).result) == (OK, "")
    assert info(shared, "cube").info == told
    assert names(shared, tags=TagsFilter(tags=["red"])) == ["cube"]
    for scope in range(1, 8):
        assert shared.reset(scope).result == OK
        assert info(shared, "cube").info == told, f"scope {scope} is not everything"
    for everything in (lambda: shared.reset(0), lambda: shared.reset(255), lambda: shared.set_state(STOPPED)):
        assert shared.call(SetEntityInfo, "set_entity_info", request).result.result == OK
        assert everything().result == OK
        assert info(shared, "cube").info == before


@pytest.mark.parametrize(
    ("entity", "told", "code", "text"),
    [
        ("nobody", EntityInfo(), NOT_FOUND, NOBODY),
        (
            "cube",
            EntityInfo(category=EntityCategory(category=9)),
            FAILED,
            "unknown category 9; expected one of OBJECT (0), ROBOT (1), HUMAN (2), DYNAMIC_OBJECT (4), STATIC_OBJECT "
            "(5)",
        ),
        (
            "cube",
            EntityInfo(description="x" * 10_001),
            FAILED,
            "info is too long; expected at most 10000 characters and 100 tags of 200 characters",
        ),
        (
            "cube",
            EntityInfo(tags=["x"] * 101),
            FAILED,
            "info is too long; expected at most 10000 characters and 100 tags of 200 characters",
        ),
    ],
)
def test_info_that_is_refused(shared: PlainClient, entity: str, told: EntityInfo, code: int, text: str) -> None:
    before = info(shared, "cube").info
    request = SetEntityInfo.Request(entity=entity, info=told)
    assert answer(shared.call(SetEntityInfo, "set_entity_info", request).result) == (code, text)
    assert info(shared, "cube").info == before


# --- states


def test_states_are_ground_truth_in_the_world_frame(shared: PlainClient) -> None:
    found = state(shared, "cube_2")
    assert (found.header.frame_id, nanoseconds(found.header.stamp)) == ("world", PERIOD)
    assert numbers(found.pose.position) == pytest.approx((1, 3, 5))
    assert numbers(found.pose.orientation) == pytest.approx((0, 0, math.sin(math.pi / 8), math.cos(math.pi / 8)))
    assert found.twist == Twist()
    assert found.acceleration == Accel()


def test_a_falling_body(shared: PlainClient) -> None:
    step(shared)
    step(shared)
    found = state(shared, "cube")
    assert nanoseconds(found.header.stamp) == 3 * PERIOD
    assert numbers(found.twist.linear) == pytest.approx((0, 0, -9.81 * 0.08))
    assert numbers(found.acceleration.linear) == pytest.approx((0, 0, -9.81))
    assert numbers(found.pose.position)[2] == pytest.approx(5 - 0.5 * 9.81 * 0.08 * 0.082)
    assert state(shared, "pillar").acceleration == Accel()
    assert shared.reset(2).result == OK
    assert numbers(state(shared, "cube").acceleration.linear) == (0, 0, 0)


def test_all_states_at_once(shared: PlainClient) -> None:
    request = GetEntitiesStates.Request(filters=EntityFilters(filter="^c"))
    answered = shared.call(GetEntitiesStates, "get_entities_states", request)
    assert answer(answered.result) == (OK, "")
    assert list(answered.entities) == ["cube", "cube_2", "club"]
    assert list(answered.states) == [state(shared, name) for name in answered.entities]


def test_what_is_put_somewhere_is_there_and_moves_on(shared: PlainClient) -> None:
    half = math.sqrt(0.5)
    moves = {"linear": (1, 2, 3), "angular": (0, 0, 4)}
    assert answer(put(shared, "cube", (3, 4, 7), (0, 0, half, half), **moves)) == (OK, "")
    found = state(shared, "cube")
    assert numbers(found.pose.position) == pytest.approx((3, 4, 7))
    assert numbers(found.pose.orientation) == pytest.approx((0, 0, half, half))
    assert (numbers(found.twist.linear), numbers(found.twist.angular)) == ((1, 2, 3), (0, 0, 4))
    assert shared.stamp == PERIOD, "the state of the robot is the same"
    step(shared)
    assert numbers(state(shared, "cube").pose.position) == pytest.approx((3.04, 4.08, 7.12 - 0.5 * 9.81 * 0.04 * 0.042))
    assert shared.reset(2).result == OK
    assert numbers(state(shared, "cube").pose.position) == pytest.approx((1, 1, 5))


def test_poses_and_velocities_are_those_of_the_root_link_not_of_the_centre_of_mass(shared: PlainClient) -> None:
    """The club turns about its handle, which stays; its centre of mass, 0.5 m away, goes round."""
    assert answer(put(shared, "club", (0, 5, 5), (0, math.sqrt(0.5), 0, math.sqrt(0.5)), angular=(0, 0, 2))) == (OK, "")
    found = state(shared, "club")
    assert numbers(found.pose.position) == pytest.approx((0, 5, 5))
    assert numbers(found.twist.linear) == pytest.approx((0, 0, 0), abs=1e-9)
    assert numbers(found.twist.angular) == pytest.approx((0, 0, 2))
    step(shared, 1)
    found = state(shared, "club")
    assert numbers(found.twist.linear)[0] == pytest.approx(2 * 2 * 0.5 * 0.002, rel=0.02), "pulled along by its mass"


def test_a_pose_in_the_frame_of_another_entity(shared: PlainClient) -> None:
    """`cube_2` is turned by 45 degrees, and moves itself."""
    half = math.sqrt(0.5)
    angle = math.pi / 8
    moves = {"linear": (1, 0, 0), "angular": (0, 0, 1)}
    assert answer(put(shared, "cube_2", (1, 3, 5), (0, 0, math.sin(angle), math.cos(angle)), **moves)) == (OK, "")
    assert answer(put(shared, "cube", (1, 0, 0), frame="cube_2", linear=(0, 1, 0))) == (OK, "")
    found = state(shared, "cube")
    assert numbers(found.pose.position) == pytest.approx((1 + half, 3 + half, 5))
    assert numbers(found.pose.orientation) == pytest.approx((0, 0, math.sin(angle), math.cos(angle)))
    carried, own = (1 - half, half, 0), (-half, half, 0)
    assert numbers(found.twist.linear) == pytest.approx([a + b for a, b in zip(carried, own, strict=True)])
    assert numbers(found.twist.angular) == pytest.approx((0, 0, 1))
    assert answer(put(shared, "cube", (1, 0, 1), frame="world")) == (OK, "")
    assert numbers(state(shared, "cube").pose.position) == pytest.approx((1, 0, 1))


def test_a_fixed_body_is_moved_and_stays(shared: PlainClient) -> None:
    assert answer(put(shared, "pillar", (4, 0, 1))) == (OK, "")
    step(shared)
    assert numbers(state(shared, "pillar").pose.position) == pytest.approx((4, 0, 1))
    assert names(shared, bounds=sphere((4, 0, 1), 0.05)) == ["pillar"]
    assert shared.reset(2).result == OK
    assert numbers(state(shared, "pillar").pose.position) == pytest.approx((2, 0, 1))


def test_a_robot_that_is_moved_is_in_another_state_with_a_stamp_of_its_own(shared: PlainClient) -> None:
    static = shared.hear(TFMessage, "/tf_static", LATCHED)
    shared.until(lambda: static, "transforms")
    before = content(shared.states[-1])
    assert answer(put(shared, "arm", (0, 0, 1.5))) == (OK, "")
    shared.until(lambda: shared.stamp == 2 * PERIOD, "a state one control period on")
    assert content(shared.states[-1])[1:] == before[1:], "the joints are the same"
    shared.until(lambda: base_height(static) == 1.5, "the transform")
    assert shared.reset(2).result == OK
    assert numbers(state(shared, "arm").pose.position) == pytest.approx((0, 0, 0))
    shared.until(lambda: base_height(static) == 0.0, "the transform of the base at home")


def base_height(heard: list[TFMessage]) -> float:
    return {t.child_frame_id: t.transform.translation.z for t in heard[-1].transforms}["base_link"]


SET_REFUSED: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "nobody": ("nobody", {}, NOT_FOUND, NOBODY),
    "oversized name": (
        "x" * 100_000,
        {},
        NOT_FOUND,
        f"no such entity; got '{'x' * 200}'; expected one of {', '.join(NAMES)}.",
    ),
    "position": (
        "cube",
        {"at": (0, math.nan, 0)},
        INVALID_POSE,
        "invalid position; got (0.0, nan, 0.0); expected numbers from -10000 to 10000 (m)",
    ),
    "far away": (
        "cube",
        {"at": (0, 0, 1e5)},
        INVALID_POSE,
        "invalid position; got (0.0, 0.0, 100000.0); expected numbers from -10000 to 10000 (m)",
    ),
    "no quaternion": (
        "cube",
        {"turned": (0, 0, 0, 0)},
        INVALID_POSE,
        "invalid orientation; got the quaternion (0.0, 0.0, 0.0, 0.0); expected one of length 1",
    ),
    "long quaternion": (
        "cube",
        {"turned": (0, 0, 1, 1)},
        INVALID_POSE,
        "invalid orientation; got the quaternion (0.0, 0.0, 1.0, 1.0); expected one of length 1",
    ),
    "infinite quaternion": (
        "cube",
        {"turned": (0, 0, 0, math.inf)},
        INVALID_POSE,
        "invalid orientation; got the quaternion (0.0, 0.0, 0.0, inf); expected one of length 1",
    ),
    "frame": (
        "cube",
        {"frame": "moon"},
        INVALID_POSE,
        "unknown frame 'moon'; expected '', 'world' or the name of an entity",
    ),
    "twist": (
        "cube",
        {"linear": (0, 0, math.inf)},
        FAILED,
        "invalid twist or acceleration; got (0.0, 0.0, inf), (0.0, 0.0, 0.0); expected numbers from -10000 to 10000",
    ),
    "acceleration": (
        "cube",
        {"acceleration": (0, math.nan, 0)},
        FAILED,
        "invalid twist or acceleration; got (0.0, nan, 0.0), (0.0, 0.0, 0.0); expected numbers from -10000 to 10000",
    ),
    "a twist for what is fixed": (
        "pillar",
        {"linear": (0, 0, 1)},
        FAILED,
        "entity 'pillar' is fixed and cannot move; got a twist that is not 0; Leave the twist at 0.",
    ),
    "a twist for a fixed robot": (
        "arm",
        {"angular": (0, 0, 1)},
        FAILED,
        "entity 'arm' is fixed and cannot move; got a twist that is not 0; Leave the twist at 0.",
    ),
    "an acceleration for what is fixed": (
        "pillar",
        {"acceleration": (0, 0, 1)},
        FAILED,
        "entity 'pillar' is fixed and cannot move; got an acceleration that is not 0",
    ),
}


@pytest.mark.parametrize(("entity", "fields", "code", "text"), SET_REFUSED.values(), ids=SET_REFUSED.keys())
def test_states_that_are_refused(
    shared: PlainClient, entity: str, fields: dict[str, Any], code: int, text: str
) -> None:
    before = [state(shared, name) for name in NAMES]
    assert answer(put(shared, entity, **fields)) == (code, text)
    assert [state(shared, name) for name in NAMES] == before
    assert shared.stamp == PERIOD


def test_a_refused_state_changes_nothing_to_the_last_bit(shared: PlainClient) -> None:
    def course(disturbed: bool) -> list[Any]:
        assert shared.reset(0).result == OK
        step(shared, 30)
        if disturbed:
            for entity, fields, code, _ in SET_REFUSED.values():
                assert put(shared, entity, **fields).result == code
        step(shared, 30)
        return [state(shared, name) for name in NAMES]

    assert course(False) == course(True)


def test_an_acceleration_is_ignored_and_that_is_said(shared: PlainClient) -> None:
    text = "the acceleration was ignored: it follows from forces"
    assert answer(put(shared, "cube", (1, 1, 5), acceleration=(0, 0, 1))) == (OK, text)
    assert state(shared, "cube").acceleration == Accel()


# --- bounds


def corners(client: PlainClient, entity: str) -> list[tuple[float, ...]]:
    answered = bounds(client, entity)
    assert (answered.result.result, answered.bounds.type) == (OK, Bounds.TYPE_BOX)
    return [numbers(each) for each in answered.bounds.points]


def test_a_box_in_the_frame_of_the_root_link_upper_corner_first(shared: PlainClient) -> None:
    for name, half in (("cube", 0.025), ("cube_2", 0.025), ("pillar", 0.1)):
        upper, lower = corners(shared, name)
        assert upper == pytest.approx((half, half, half), abs=2e-3)
        assert lower == pytest.approx((-half, -half, -half), abs=2e-3)
    upper, lower = corners(shared, "club")
    assert upper == pytest.approx((0.05, 0.05, 1.0), abs=2e-3)
    assert lower == pytest.approx((-0.05, -0.05, 0.0), abs=2e-3)


def test_the_box_of_a_robot_follows_its_joints_and_not_its_base(shared: PlainClient) -> None:
    upper, lower = corners(shared, "arm")
    assert upper[0] > 0.2
    assert abs(upper[1]) < 0.1
    assert put(shared, "arm", (3, 0, 0), (0, 0, math.sqrt(0.5), math.sqrt(0.5))).result == OK
    assert corners(shared, "arm") == [upper, lower]
    for _ in range(20):
        shared.send([PAN], position=[math.pi / 2], stamp=0)
        step(shared)
    upper, _ = corners(shared, "arm")
    assert upper[1] > 0.2, "it has turned to the left"


def test_what_has_no_end_has_no_bounds(shared: PlainClient) -> None:
    answered = bounds(shared, "ground")
    assert (answered.result.result, answered.bounds) == (OK, Bounds(type=Bounds.TYPE_EMPTY))


# --- nobody, and no world


@pytest.mark.parametrize(
    ("kind", "name"),
    [(GetEntityState, "get_entity_state"), (GetEntityInfo, "get_entity_info"), (GetEntityBounds, "get_entity_bounds")],
)
def test_an_entity_that_is_not_there(shared: PlainClient, kind: Any, name: str) -> None:
    assert answer(shared.call(kind, name, kind.Request(entity="nobody")).result) == (NOT_FOUND, NOBODY)


def test_without_a_world_there_are_no_entities(shared: PlainClient) -> None:
    assert shared.call(UnloadWorld, "unload_world", UnloadWorld.Request()).result.result == OK
    nothing = (INCORRECT_STATE, "no world is loaded; call load_world first")
    assert answer(entities(shared).result) == nothing
    for kind, name in (
        (GetEntitiesStates, "get_entities_states"),
        (GetEntityState, "get_entity_state"),
        (SetEntityState, "set_entity_state"),
        (GetEntityInfo, "get_entity_info"),
        (SetEntityInfo, "set_entity_info"),
        (GetEntityBounds, "get_entity_bounds"),
    ):
        assert answer(shared.call(kind, name, kind.Request()).result) == nothing


def test_a_step_under_way(shared: PlainClient) -> None:
    running = shared.request(StepSimulation, "step_simulation", StepSimulation.Request(steps=20_000))
    shared.until(lambda: shared.stamp > PERIOD, "steps")
    assert names(shared) == NAMES
    assert state(shared, "cube").header.frame_id == "world"
    busy = (INCORRECT_STATE, "a step_simulation is under way; wait for its answer")
    assert answer(put(shared, "cube")) == busy
    shared.until(running.done, "the answer", 60.0)
    assert running.result().result.result == OK
