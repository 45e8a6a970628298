"""What simulation_interfaces has no field for, on the real node: physics parameters, joint states that are set, and
wrenches from outside."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Vector3, WrenchStamped
from sensor_msgs.msg import JointState
from simulation_interfaces.msg import EntityState, Resource, SpawnEntity
from simulation_interfaces.srv import (
    DeleteEntity,
    GetEntityState,
    SpawnEntities,
    UnloadWorld,
)

from conftest import NodeProcess, node_and_client
from plain_client import PlainClient, content
from standard_calls import load, put

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

PLAYING, PAUSED, OK = 1, 2, 1
PERIOD = 40_000_000  # of the arm: 25 Hz, 20 physics steps
PAN, LIFT, ELBOW = "shoulder_pan_joint", "shoulder_lift_joint", "elbow_joint"
LEVEL = [0.0, 0.0, 0.0]
GRAVITY = [0.0, 0.0, -9.81]


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, PlainClient]]:
    """An arm in lockstep, and a client that sets joints and pushes."""
    with node_and_client(tmp_path_factory, robot="arm", mode="lockstep", start_paused=True) as (node, client):
        client.joints = client.node.create_publisher(JointState, "sim_node/set_joint_state", 10)
        client.wrenches = client.node.create_publisher(WrenchStamped, "sim_node/external_wrench", 10)
        client.diagnostics = client.hear(DiagnosticArray, "/diagnostics")
        yield node, client


@pytest.fixture
def shared(hall: tuple[NodeProcess, PlainClient]) -> Any:
    """The shared client; the world `empty`, with a cube in the air, paused at its first stamp."""
    _, client = hall
    client.set_state(PAUSED)
    assert load(client, "empty").result.result == OK
    client.set_state(PAUSED)
    for name, value in (("solver_iterations", 50), ("friction_scale", 1.0), ("gravity", GRAVITY)):
        assert client.set_parameter(name, value).successful
    client.until(lambda: client.wrenches.get_subscription_count(), "the node's ear")
    client.until(lambda: client.joints.get_subscription_count(), "the node's ear")
    client.until(lambda: client.stamp == PERIOD, "the first state")
    cube = SpawnEntity(name="cube", entity_resource=Resource(uri="urdf/cube.urdf"))
    cube.initial_pose.pose.position.x, cube.initial_pose.pose.position.z = 2.0, 5.0
    spawned = client.call(SpawnEntities, "spawn_entities", SpawnEntities.Request(spawn_requests=[cube]))
    assert spawned.result.result == OK
    return client


def motion(client: Any, entity: str = "cube") -> tuple[list[float], list[float], list[float]]:
    """Position, linear and angular velocity."""
    state = client.call(GetEntityState, "get_entity_state", GetEntityState.Request(entity=entity)).state
    parts = (state.pose.position, state.twist.linear, state.twist.angular)
    position, linear, angular = ([part.x, part.y, part.z] for part in parts)
    return position, linear, angular


def count(client: Any, kind: str) -> int:
    """Of a counter on `/diagnostics`, by a report that is yet to come."""
    client.diagnostics.clear()
    client.until(lambda: client.counts(client.diagnostics), "diagnostics")
    return int(client.counts(client.diagnostics).get(kind, 0))


def gravity(client: Any) -> list[float]:
    return list(client.parameters("gravity")["gravity"])


def refused(node: NodeProcess, client: Any, send: Callable[[], None], text: str) -> None:
    """Send until the log says so: it says each kind of refusal once a second."""
    deadline = time.monotonic() + 30.0
    while not node.log(re.escape(text)):
        assert time.monotonic() < deadline, node.err
        send()
        client.listen(0.2)


def moved(client: Any, after: int) -> None:
    client.until(lambda: client.stamp > after, "a state with a stamp of its own")


# --- physics parameters


def test_gravity_is_applied_at_once_and_kept_through_resets(shared: Any) -> None:
    assert shared.set_parameter("gravity", [0.0, 0.0, 1.5]).successful
    for _ in range(3):
        shared.step_simulation(50)
        assert motion(shared)[1] == pytest.approx([0, 0, 0.15])
        assert shared.reset(2).result == OK
    assert gravity(shared) == [0.0, 0.0, 1.5]


def test_integers_are_numbers(shared: Any) -> None:
    assert shared.set_parameter("gravity", [0, 0, -2]).successful
    assert shared.set_parameter("friction_scale", 2).successful
    assert gravity(shared) == [0.0, 0.0, -2.0]


def test_a_world_brings_its_own_gravity_and_the_rest_stays(shared: Any) -> None:
    assert shared.set_parameter("gravity", LEVEL).successful
    assert shared.set_parameter("friction_scale", 0.5).successful
    text = "name: moon\ngravity: [0, 0, -1.62]"
    assert load(shared, text=text).result.result == OK
    found = shared.parameters("gravity", "friction_scale")
    assert (list(found["gravity"]), found["friction_scale"]) == ([0.0, 0.0, -1.62], 0.5)


def test_the_same_physics_is_the_same_course_to_the_last_bit(shared: Any) -> None:
    def course() -> list[Any]:
        assert shared.reset(1 | 2).result == OK
        shared.step_simulation(200)
        shared.until(lambda: shared.stamp == 11 * PERIOD, "the last state")
        return [content(shared.states[-1])[2:], motion(shared)]

    usual = course()
    assert shared.set_parameter("solver_iterations", 5).successful
    assert shared.set_parameter("gravity", [1.0, 0.0, -5.0]).successful
    first = course()
    assert first == course() == course()
    assert first != usual
    assert shared.set_parameter("solver_iterations", 50).successful
    assert shared.set_parameter("gravity", GRAVITY).successful
    assert course() == usual == course()


def test_friction(shared: Any) -> None:
    """The cube slides on the floor: it slows down by friction times gravity."""

    def slowing(scale: float) -> float:
        assert shared.set_parameter("friction_scale", scale).successful
        assert shared.set_parameter("gravity", [0.0, 0.0, -9.81]).successful
        state = EntityState()
        state.pose.position.x, state.pose.position.z, state.twist.linear.x = 2.0, 0.025, 1.0
        assert put(shared, "cube", state).result.result == OK
        shared.step_simulation(20)
        before = motion(shared)[1][0]
        shared.step_simulation(20)
        return (before - motion(shared)[1][0]) / 0.04

    assert slowing(0.0) == pytest.approx(0.0, abs=1e-6)
    usual = slowing(1.0)
    assert usual == pytest.approx(0.8 * 9.81, rel=0.2), "0.8 of the cube times 1 of the floor"
    assert slowing(0.5) == pytest.approx(0.25 * usual, rel=0.1), "both of them count"
    assert slowing(1.0) == pytest.approx(usual, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "gravity",
            [0.0, 0.0],
            "parameter 'gravity'; got array('d', [0.0, 0.0]); expected 3 numbers from -1000.0 to 1000.0.",
        ),
        ("gravity", [0.0, math.nan, 0.0], "expected 3 numbers from -1000.0 to 1000.0."),
        ("gravity", [0.0, 0.0, 1e4], "expected 3 numbers from -1000.0 to 1000.0."),
        ("gravity", 9.81, "Wrong parameter type"),
        ("solver_iterations", 0, "solver_iterations"),
        ("friction_scale", -1.0, "friction_scale"),
        ("friction_scale", math.nan, "friction_scale"),
    ],
)
def test_physics_that_cannot_be(shared: Any, name: str, value: Any, reason: str) -> None:
    before = shared.parameters(name)
    result = shared.set_parameter(name, value)
    assert not result.successful
    assert reason in result.reason
    assert shared.parameters(name) == before


def test_physics_at_start(sim_process: Start, client: Make) -> None:
    sim_process("-p", "gravity:=[0.0, 0.0, 3.0]", robot="arm", world="empty", start_paused=True, friction_scale=2)
    stranger = client(commands=())
    assert gravity(stranger) == [0.0, 0.0, 3.0]
    assert stranger.parameters("friction_scale") == {"friction_scale": 2.0}


@pytest.mark.parametrize("setting", ["gravity:=[0.0, 1.0]", "gravity:=[0.0, 0.0, 2000.0]", "gravity:=9.81"])
def test_physics_that_cannot_be_at_start(sim_process: Start, setting: str) -> None:
    node = sim_process("-p", setting, robot="arm", ready=False)
    assert node.wait(30.0) == 2
    assert "parameter 'gravity'" in node.err
    assert "expected 3 numbers from -1000.0 to 1000.0." in node.err


def test_no_gravity_without_a_world(shared: Any) -> None:
    assert shared.call(UnloadWorld, "unload_world", UnloadWorld.Request()).result.result == OK
    result = shared.set_parameter("gravity", LEVEL)
    assert (result.successful, result.reason) == (False, "no world is loaded; each brings its own gravity")
    assert shared.set_parameter("friction_scale", 3.0).successful


# --- joint states


def joints(client: Any, names: list[str], position: Any = (), velocity: Any = (), effort: Any = ()) -> None:
    message = JointState(name=names)
    message.position, message.velocity, message.effort = (list(map(float, v)) for v in (position, velocity, effort))
    client.joints.publish(message)


def told(client: Any, name: str) -> tuple[float, float]:
    state = client.states[-1]
    index = state.name.index(name)
    return state.position[index], state.velocity[index]


def test_joints_are_where_they_are_put_and_stay_there(shared: Any) -> None:
    """Also against the position that was commanded before: nothing snaps back."""
    shared.send([PAN, LIFT], position=[-0.5, 0.3], stamp=0)
    shared.step_simulation(60)
    shared.until(lambda: shared.stamp == 4 * PERIOD, "the state")
    lift = told(shared, LIFT)
    joints(shared, [PAN, ELBOW], [1.2, 0.7])
    shared.until(lambda: shared.stamp == 5 * PERIOD, "a state of its own")
    assert (told(shared, PAN), told(shared, ELBOW)) == ((1.2, 0.0), (0.7, 0.0))
    assert told(shared, LIFT) == lift
    shared.step_simulation(400)
    shared.until(lambda: shared.stamp == 25 * PERIOD, "the last state")
    assert told(shared, PAN)[0] == pytest.approx(1.2, abs=0.01)
    assert told(shared, ELBOW)[0] == pytest.approx(0.7, abs=0.02)
    assert told(shared, LIFT)[0] == pytest.approx(0.3, abs=0.02), "its command still stands"


def test_velocities_alone_and_with_positions(shared: Any) -> None:
    joints(shared, [PAN], velocity=[0.4])
    moved(shared, PERIOD)
    assert told(shared, PAN) == (0.0, 0.4)
    joints(shared, [PAN, LIFT], [0.1, 0.2], [0.3, -0.4])
    moved(shared, 2 * PERIOD)
    assert (told(shared, PAN), told(shared, LIFT)) == ((0.1, 0.3), (0.2, -0.4))


def test_a_reset_brings_them_home_and_is_as_ever(shared: Any) -> None:
    def course() -> Any:
        assert shared.reset(0).result == OK
        shared.step_simulation(100)
        shared.until(lambda: shared.stamp == 6 * PERIOD, "the last state")
        return content(shared.states[-1])

    expected = course()
    joints(shared, [PAN, LIFT], [1.0, 1.0], [1.0, 1.0])
    moved(shared, 6 * PERIOD)
    assert course() == expected


JOINTS_REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown": ({"names": ["knee"], "position": [0]}, "unknown_joint", "unknown joint; got 'knee'; expected one of "),
    "twice": (
        {"names": [PAN, PAN], "position": [0, 0]},
        "repeated_joint",
        "the same joint twice; got 'shoulder_pan_joint'",
    ),
    "length": (
        {"names": [PAN, LIFT], "position": [0]},
        "length",
        "names and values of different length; got 2 names, 1 values in 'position'; expected one value for each name; "
        "Nothing was changed.",
    ),
    "no number": (
        {"names": [PAN], "position": [math.nan]},
        "not_finite",
        "position for joint 'shoulder_pan_joint' is not",
    ),
    "limits": (
        {"names": [PAN], "position": [3.0]},
        "outside_limits",
        "position for joint 'shoulder_pan_joint' is outside of its limits; got 3.0; expected -2.9 to 2.9; Nothing was ",
    ),
    "nothing": (
        {"names": [PAN]},
        "nothing_set",
        "no joint state; got 1 names, 0 positions, 0 velocities, 0 efforts; expected names, and positions or "
        "velocities or both; Nothing was changed.",
    ),
    "effort": (
        {"names": [PAN], "position": [0], "effort": [1]},
        "nothing_set",
        "no joint state; got 1 names, 1 positions",
    ),
}


@pytest.mark.parametrize(("fields", "kind", "text"), JOINTS_REFUSED.values(), ids=JOINTS_REFUSED.keys())
def test_joint_states_that_are_refused(
    hall: tuple[NodeProcess, Any], shared: Any, fields: dict[str, Any], kind: str, text: str
) -> None:
    before = content(shared.states[-1])
    text = f"Refused a message on '~/set_joint_state': {text}"
    refused(hall[0], shared, lambda: joints(shared, **fields), text)
    assert count(shared, f"refused_{kind}") > 0
    assert content(shared.states[-1]) == before


def test_joint_states_need_a_pause(hall: tuple[NodeProcess, Any], shared: Any) -> None:
    for state, name in ((PLAYING, "PLAYING"), (0, "STOPPED")):
        shared.set_state(state)
        text = f"joint states are set while the simulation is paused; got {name}; expected PAUSED (2)"
        refused(hall[0], shared, lambda: joints(shared, [PAN], [0.5]), text)
    assert told(shared, PAN)[0] == 0.0


# --- wrenches


def push(client: Any, frame: str, force: Any = (0, 0, 0), torque: Any = (0, 0, 0)) -> None:
    message = WrenchStamped()
    message.header.frame_id = frame
    message.wrench.force, message.wrench.torque = (
        Vector3(x=float(x), y=float(y), z=float(z)) for x, y, z in (force, torque)
    )
    client.wrenches.publish(message)


def pushed(client: Any, frame: str, **wrench: Any) -> None:
    """Push, and be sure that it was heard: a service that is called later is served later."""
    push(client, frame, **wrench)
    client.state()


def test_a_force_for_one_control_period(shared: Any) -> None:
    """0.1 kg, 1 N, 40 ms, in the air without gravity."""
    assert shared.set_parameter("gravity", LEVEL).successful
    pushed(shared, "cube", force=(1, 0, 0))
    shared.step_simulation(15)
    assert motion(shared)[1] == pytest.approx([0.3, 0, 0], rel=1e-3)
    shared.step_simulation(15)
    after = motion(shared)
    assert after[1] == pytest.approx([0.4, 0, 0], rel=1e-3)
    shared.step_simulation(50)
    assert motion(shared)[1] == pytest.approx(after[1], rel=1e-9), "nothing pushes any more"
    assert motion(shared)[2] == pytest.approx([0, 0, 0], abs=1e-9)


def test_a_torque_turns(shared: Any) -> None:
    assert shared.set_parameter("gravity", LEVEL).successful
    pushed(shared, "cube", torque=(0, 0, 1e-4))
    shared.step_simulation(40)
    assert motion(shared)[2] == pytest.approx([0, 0, 1e-4 / 4.1666667e-5 * 0.04], rel=1e-2)
    assert motion(shared)[1] == pytest.approx([0, 0, 0], abs=1e-9)


def test_the_newest_counts_and_links_have_names(shared: Any) -> None:
    """A force at the tool, to its left, that the shoulder's motor cannot hold."""
    assert shared.set_parameter("gravity", LEVEL).successful
    pushed(shared, "tool0", force=(0, -500, 0))
    pushed(shared, "tool0", force=(0, 500, 0))
    shared.step_simulation(20)
    moved(shared, PERIOD)
    assert told(shared, PAN)[1] > 0.001 or told(shared, PAN)[0] > 0.0005
    turned = told(shared, PAN)
    assert shared.reset(2).result == OK
    pushed(shared, "arm/tool0", force=(0, 500, 0))
    shared.step_simulation(20)
    shared.until(lambda: shared.stamp == 4 * PERIOD, "the state")
    assert told(shared, PAN) == turned


def test_a_reset_ends_it(shared: Any) -> None:
    assert shared.set_parameter("gravity", LEVEL).successful
    pushed(shared, "cube", force=(1, 0, 0))
    assert shared.reset(2).result == OK
    shared.step_simulation(40)
    assert motion(shared)[1] == pytest.approx([0, 0, 0], abs=1e-9)


def test_what_is_deleted_is_not_pushed(shared: Any) -> None:
    pushed(shared, "cube", force=(1, 0, 0))
    assert shared.call(DeleteEntity, "delete_entity", DeleteEntity.Request(entity="cube")).result.result == OK
    assert shared.step_simulation(40).result == OK


@pytest.mark.parametrize(
    ("frame", "force", "kind", "text"),
    [
        (
            "knee",
            (1, 0, 0),
            "unknown_link",
            "no such link; got 'knee'; expected an entity (arm, floor, cube), ENTITY/LINK",
        ),
        ("", (1, 0, 0), "unknown_link", "no such link; got ''; expected an entity"),
        (
            "cube",
            (math.nan, 0, 0),
            "wrench",
            "a wrench out of range; got (nan, 0.0, 0.0, 0.0, 0.0, 0.0); expected numb",
        ),
        ("cube", (0, 2e6, 0), "wrench", "a wrench out of range; got (0.0, 2000000.0, "),
    ],
)
def test_wrenches_that_are_refused(
    hall: tuple[NodeProcess, Any], shared: Any, frame: str, force: Any, kind: str, text: str
) -> None:
    before = motion(shared)
    text = f"Refused a message on '~/external_wrench': {text}"
    refused(hall[0], shared, lambda: push(shared, frame, force=force), text)
    assert count(shared, f"refused_{kind}") > 0
    assert motion(shared) == before


def test_several_robots_have_topics_of_their_own(sim_process: Start, client: Make) -> None:
    sim_process(world="two_arms", mode="lockstep", start_paused=True)
    left, right = (client(name=f"of_{side}", namespace=f"/{side}") for side in ("left", "right"))
    publisher = left.node.create_publisher(JointState, "/sim_node/left/set_joint_state", 10)
    wrenches = left.node.create_publisher(WrenchStamped, "/sim_node/external_wrench", 10)
    for each in (left, right):
        each.connect()
    left.until(lambda: publisher.get_subscription_count() and wrenches.get_subscription_count(), "the node's ears")
    publisher.publish(JointState(name=[PAN], position=[0.5]))
    left.until(lambda: left.stamp == 2 * PERIOD, "the state")
    right.until(lambda: right.stamp == 2 * PERIOD, "the state at the same stamp")
    assert (told(left, PAN)[0], told(right, PAN)[0]) == (0.5, 0.0)
    message = WrenchStamped()
    message.header.frame_id, message.wrench.force.y = "right/tool0", 500.0
    root = client(name="root", commands=())
    wrenches.publish(message)
    root.state()
    assert root.step_simulation(20).result == OK
    right.until(lambda: right.stamp == 3 * PERIOD, "the state")
    assert told(right, PAN)[0] > 0.0005
