"""What must not be done to a simulator, tried on the real node: each time a clear refusal, in reasonable time, and
nothing is lost. What is wrong in one request by itself is tried in the tests of each service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sensor_msgs.msg import JointState
from simulation_interfaces.msg import Result
from simulation_interfaces.srv import (
    GetAvailableWorlds,
    GetCurrentWorld,
    GetEntityState,
    GetSpawnables,
    LoadWorld,
)

from conftest import NodeProcess, node_and_client
from plain_client import PlainClient, content
from standard_calls import BRICK, delete, fill_resource, load, names, simulate_steps, spawn, stepping, unload

STOPPED, PLAYING, PAUSED, LOADING = 0, 1, 2, 5
OK, INCORRECT_STATE, FAILED, TRANSITION_ERROR, PARSE_ERROR = 1, 3, 4, 102, 106
PERIOD = 20_000_000  # of the cart-pole: 50 Hz
SEEING = "extends: cartpole\nchannels:\n  - {name: seen, kind: link_pose, body: tower, topic: seen}\n"
SEEING += "scene:\n  - {name: tower, file: 'package://ros_gym_bridge/urdf/cube.urdf', position: [0, 3, 1]}\n"
SEEING += "  - {name: cube, file: 'package://ros_gym_bridge/urdf/cube.urdf', position: [0, 4, 1]}\n"
SDF = """<sdf version="1.9"><model name="{0}"><link name="ball"><inertial><mass>1</mass></inertial>
<collision name="c"><geometry><sphere><radius>0.1</radius></sphere></geometry></collision></link></model></sdf>"""


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, PlainClient, Path]]:
    """A cart-pole with a sensor on one of its two cubes."""
    folder = tmp_path_factory.mktemp("refusals").resolve()
    (folder / "seeing.yaml").write_text(SEEING)
    with node_and_client(tmp_path_factory, robot=folder / "seeing.yaml", mode="lockstep") as (node, client):
        yield node, client, folder


@pytest.fixture
def client(hall: tuple[NodeProcess, PlainClient, Path]) -> PlainClient:
    """Paused, at the first stamp."""
    _, client, folder = hall
    client.set_state(PAUSED)
    current = client.call(GetCurrentWorld, "get_current_world", GetCurrentWorld.Request())
    if current.world.name != "cartpole" or current.result.result != OK:
        world = f"name: cartpole\nrobots: [{{robot: {folder}/seeing.yaml}}]\nbodies:{SEEING.partition('scene:')[2]}"
        assert load(client, text=world).result.result == OK
        client.set_state(PAUSED)
    assert client.set_parameter("seed", 1).successful
    assert client.reset(0).result == OK
    client.until(lambda: client.stamp == PERIOD, "the first state")
    return client


def answer(answered: Any) -> tuple[int, str]:
    result = answered if isinstance(answered, Result) else answered.result
    return int(result.result), str(result.error_message)


def undisturbed(client: PlainClient, disturb: Callable[[], None]) -> None:
    """The same course to the last bit, whatever was tried in the middle of it."""

    def course(do: Callable[[], None]) -> list[Any]:
        assert client.reset(0).result == OK
        states = []
        for number in range(1, 7):
            if number == 4:
                do()
            assert client.step_simulation(10).result == OK
            client.until(lambda: client.stamp == (number + 1) * PERIOD, "the state")  # noqa: B023
            states.append(content(client.states[-1]))
        request = GetEntityState.Request(entity="cube")
        return [*states, client.call(GetEntityState, "get_entity_state", request).state]

    assert course(lambda: None) == course(disturb)


def test_a_body_on_which_a_sensor_sits(client: PlainClient) -> None:
    text = "entity 'tower' cannot be deleted: a sensor sits on it; got 'tower'; "
    text += "Take the channel out of the robot file."

    def disturb() -> None:
        assert answer(delete(client, "tower")) == (FAILED, text)

    undisturbed(client, disturb)
    assert "tower" in names(client)


def test_spawning_deleting_and_worlds_during_steps(client: PlainClient) -> None:
    busy = (INCORRECT_STATE, "a simulate_steps is under way; wait for its answer")
    with stepping(client):
        assert answer(spawn(client, text=BRICK, uri="")) == busy
        assert answer(delete(client, "cube")) == busy
        assert answer(load(client, "empty")) == busy
        assert answer(unload(client)) == busy
        assert answer(client.reset(4)) == busy
    assert names(client) == ["cartpole", "tower", "cube"]


def test_unloading_and_loading_while_it_plays(client: PlainClient) -> None:
    client.set_state(PLAYING)
    text = "the simulation is PLAYING; set_simulation_state to STOPPED (0) or PAUSED (2) first"
    assert answer(unload(client)) == (INCORRECT_STATE, text)
    assert answer(load(client, "empty")) == (INCORRECT_STATE, text)
    client.step(["slider_to_cart"], effort=[1.0])
    assert client.stamp == 2 * PERIOD, "it plays on"


def test_playing_and_stepping_what_has_diverged(client: PlainClient) -> None:
    joints = client.node.create_publisher(JointState, "sim_node/set_joint_state", 10)
    client.until(joints.get_subscription_count, "the node's ear")
    joints.publish(JointState(name=["slider_to_cart"], velocity=[1e300]))
    client.until(lambda: client.stamp == 2 * PERIOD, "the joint that was set")
    diverged = "the simulated state is not a number: the physics has diverged; got at "
    for result in (client.step_simulation(1), client.step_simulation(1), simulate_steps(client, 1)[0]):
        assert result.result == FAILED
        assert result.error_message.startswith(diverged)
    text = "the physics has diverged; call reset_simulation first"
    assert answer(client.set_state(PLAYING)) == (TRANSITION_ERROR, text)
    assert client.state() == PAUSED
    assert client.reset(0).result == OK
    assert client.step_simulation(10).result == OK
    assert client.set_state(PLAYING).result == OK


def test_everything_else_while_a_world_is_loading(client: PlainClient, hall: tuple[Any, Any, Path]) -> None:
    """Its SDF is converted in another process: meanwhile the state is LOADING_WORLD, and what would change the world or
    its state has to wait."""
    folder = hall[2]
    bodies = ["{name: tower, file: ../../urdf/cube.urdf}"]
    for i in range(6):
        (folder / f"ball_{i}.sdf").write_text(SDF.format(f"ball_{i}_{time.monotonic_ns()}"))
        bodies.append(f"{{name: ball_{i}, file: {folder}/ball_{i}.sdf, position: [{i}, 5, 1]}}")
    request = fill_resource(LoadWorld.Request(), "", f"name: slow\nbodies: [{', '.join(bodies)}]")
    running = client.request(LoadWorld, "load_world", request)
    busy = "a load_world is under way; wait for its answer"
    asked = [
        (client.set_state(PLAYING), TRANSITION_ERROR),
        (client.set_state(STOPPED), TRANSITION_ERROR),
        (client.reset(0), INCORRECT_STATE),
        (spawn(client, text=BRICK, uri=""), INCORRECT_STATE),
        (delete(client, "cube"), INCORRECT_STATE),
        (load(client, "empty"), INCORRECT_STATE),
        (unload(client), INCORRECT_STATE),
    ]
    assert [answer(each) for each, _ in asked] == [(code, busy) for _, code in asked]
    assert client.state() == LOADING
    text = "the simulation is LOADING_WORLD; set_simulation_state to PAUSED (2) first"
    assert answer(client.step_simulation(1)) == (FAILED, text)
    assert client.set_state(LOADING).result == 103
    assert not running.done(), "all that was said while it was loading"
    client.until(running.done, "the world", 60.0)
    assert running.result().result.result == OK
    assert client.state() == STOPPED
    assert names(client)[1:] == ["tower", *(f"ball_{i}" for i in range(6))]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
TWICE = "".join(f'<xacro:macro name="m{i}"><xacro:m{i - 1}/><xacro:m{i - 1}/></xacro:macro>' for i in range(1, 60))
XACRO = f'<robot name="x" xmlns:xacro="http://www.ros.org/wiki/xacro"><xacro:macro name="m0"><a/></xacro:macro>{TWICE}'
ANCHORS = "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
NESTED = 20_000

DECLARED = "resource_string: a document type is declared; expected no <!DOCTYPE>"

BOMBS: dict[str, tuple[Callable[[PlainClient], Any], int, str]] = {
    "urdf": (lambda c: spawn(c, "", BOMB + BRICK), PARSE_ERROR, DECLARED),
    "sdf": (lambda c: spawn(c, "", BOMB + SDF.format("x")), PARSE_ERROR, DECLARED),
    "mjcf": (lambda c: spawn(c, "", f"{BOMB}<mujoco/>"), PARSE_ERROR, DECLARED),
    "nested urdf": (lambda c: spawn(c, "", f"<robot>{'<a>' * NESTED}"), PARSE_ERROR, "resource_string: "),
    "yaml": (lambda c: load(c, text=f"a0: &a0 [x, x]\n{ANCHORS}name: *a11"), 103, "{text}: too large; got more"),
    "nested yaml": (lambda c: load(c, text="name: " + "[" * NESTED), 103, "{text}: "),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_explode(client: PlainClient, name: str) -> None:
    send, code, text = BOMBS[name]

    def disturb() -> None:
        given, said = answer(send(client))
        assert given == code
        assert said.replace(said.partition("<text>")[0] + "<text>", "{text}", 1).startswith(text), said

    undisturbed(client, disturb)


@pytest.mark.parametrize("source", ["package://ros_gym_bridge/../..", "pybullet_data://../..", "file:///nowhere"])
def test_folders_outside_of_a_package(client: PlainClient, source: str) -> None:
    why = "was not found" if source.startswith("file") else "leaves its package"
    request = GetAvailableWorlds.Request(additional_sources=[source])
    code, text = answer(client.call(GetAvailableWorlds, "get_available_worlds", request))
    assert (code, text[: len(source) + 3 + len(why)]) == (FAILED, f"'{source}' {why}")
    code, text = answer(client.call(GetSpawnables, "get_spawnables", GetSpawnables.Request(sources=[source])))
    assert (code, text[: len(source) + 3 + len(why)]) == (OK, f"'{source}' {why}"), "said, but no reason to fail"


def test_more_sources_than_anybody_means(client: PlainClient) -> None:
    worlds = GetAvailableWorlds.Request(additional_sources=["/tmp"] * 101)
    models = GetSpawnables.Request(sources=["/tmp"] * 101)
    text = "101 sources; expected at most 100"
    assert answer(client.call(GetAvailableWorlds, "get_available_worlds", worlds)) == (FAILED, text)
    assert answer(client.call(GetSpawnables, "get_spawnables", models)) == (FAILED, text)


def test_what_is_long_is_not_sent_back_whole(client: PlainClient) -> None:
    for answered in (
        load(client, "x" * 1_000_000 + ".yaml"),
        spawn(client, "x" * 1_000_000 + ".urdf"),
        client.call(GetSpawnables, "get_spawnables", GetSpawnables.Request(sources=["/" + "x" * 1_000_000])),
    ):
        text = answer(answered)[1]
        assert 0 < len(text) < 10_000
        assert text.endswith(" characters more")


def test_a_question_without_end_stops_nothing(client: PlainClient) -> None:
    """All folders of the machine are looked through in a thread; meanwhile commands step, and services answer."""
    kind = GetSpawnables
    running = client.request(kind, "get_spawnables", kind.Request(sources=["/"]))
    client.set_state(PLAYING)
    steps = 0
    while not running.done():
        client.step(["slider_to_cart"], effort=[0.1])
        steps += 1
    assert running.result().result.result == OK
    assert steps > 2


def test_more_questions_than_can_be_answered(client: PlainClient) -> None:
    kind = GetSpawnables
    asked = [client.request(kind, "get_spawnables", kind.Request(sources=["/"])) for _ in range(9)]
    client.until(lambda: all(each.done() for each in asked), "all answers", 120.0)
    answers = [answer(each.result()) for each in asked]
    refused = [each for each in answers if each[0] != OK]
    assert refused == [(FAILED, "8 questions wait for answers already; ask again later")]
