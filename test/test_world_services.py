"""Worlds loaded and unloaded over services, and several robots in one: on the real node, by plain rclpy clients."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from geometry_msgs.msg import WrenchStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from simulation_interfaces.msg import Result, TagsFilter, WorldResource
from simulation_interfaces.srv import GetAvailableWorlds, GetCurrentWorld, LoadWorld, UnloadWorld
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from adapter_tools import make
from conftest import NodeProcess, node_and_client
from plain_client import DEEP, LATCHED, PlainClient, content, nanoseconds
from ros_gym_bridge.errors import OptionError, RobotNotFoundError
from ros_gym_bridge.worlds import find_world_file
from standard_calls import load

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

STOPPED, PLAYING, PAUSED, NO_WORLD = 0, 1, 2, 4
OK, INCORRECT_STATE, FAILED = 1, 3, 4
STATIC = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)  # as tf2 listens
PERIOD = 40_000_000  # of the arms: 25 Hz
PAN = "shoulder_pan_joint"

BALL = '<robot name="ball"><link name="ball"><inertial><mass value="1"/><inertia ixx="1" ixy="0" ixz="0" iyy="1" \
iyz="0" izz="1"/></inertial><collision><geometry>{shape}</geometry></collision></link></robot>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Worlds of a user, good and bad."""
    path = tmp_path_factory.mktemp("worlds").resolve()
    (path / "meshless.urdf").write_text(BALL.format(shape='<mesh filename="nowhere.obj"/>'))
    (path / "strange.urdf").write_text(BALL.format(shape='<mesh filename="strange.fbx"/>'))
    (path / "mine").mkdir()
    (path / "mine" / "yard.yaml").write_text("name: yard\ndescription: Mine\ntags: [outdoor, flat]\n")
    (path / "mine" / "robot.yaml").write_text("extends: arm\n")
    (path / "broken").mkdir()
    (path / "broken" / "wrong.yaml").write_text("name: wrong\ntags: 7\n")
    (path / "broken" / "right.yaml").write_text("name: right\ntags: [good]\n")
    return path


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[tuple[NodeProcess, PlainClient]]:
    """A node with an arm in lockstep and a client that the tests of this file share."""
    parameters = {"robot": "arm", "mode": "lockstep", "resource_path": str(folder / "mine")}
    with node_and_client(tmp_path_factory, **parameters) as shared:
        yield shared


@pytest.fixture
def shared(hall: tuple[NodeProcess, PlainClient]) -> PlainClient:
    """The shared client, with the world `table` loaded and paused."""
    client = hall[1]
    client.set_state(PAUSED)
    assert load(client, "table").result.result == OK
    assert client.set_state(PAUSED).result == OK
    return client


def current(client: PlainClient) -> Any:
    return client.call(GetCurrentWorld, "get_current_world", GetCurrentWorld.Request())


def unload(client: PlainClient) -> Any:
    return client.call(UnloadWorld, "unload_world", UnloadWorld.Request()).result


def available(client: PlainClient, *sources: Any, tags: tuple[str, ...] = (), mode: int = 0, **fields: Any) -> Any:
    request = GetAvailableWorlds.Request(additional_sources=[str(source) for source in sources], **fields)
    request.filter = TagsFilter(tags=list(tags), filter_mode=mode)
    return client.call(GetAvailableWorlds, "get_available_worlds", request)


def answer(result: Result) -> tuple[int, str]:
    return int(result.result), str(result.error_message)


# --- which worlds there are


def names(answered: Any) -> list[str]:
    assert answered.result.result == OK, answered.result
    return [world.name for world in answered.worlds]


def test_the_packages_worlds_and_those_of_the_nodes_folders(shared: PlainClient, folder: Path) -> None:
    found = available(shared)
    assert names(found) == ["empty", "table", "two_arms", "yard"]
    table = found.worlds[1]
    assert table.world_resource.uri == find_world_file("table").as_uri()
    assert (table.world_resource.resource_string, list(table.tags)) == ("", ["table", "manipulation"])
    assert table.description == "A table whose top is 2.5 cm below the origin, with loose objects on it."


@pytest.mark.parametrize(
    ("tags", "mode", "expected"),
    [
        (("flat",), 0, ["empty", "yard"]),
        (("flat", "outdoor"), 0, ["empty", "yard"]),
        (("flat", "outdoor"), 1, ["yard"]),
        (("flat", "manipulation"), 0, ["empty", "table", "two_arms", "yard"]),
        (("flat", "manipulation"), 1, []),
        (("wet",), 0, []),
    ],
)
def test_tags_of_worlds(shared: PlainClient, tags: tuple[str, ...], mode: int, expected: list[str]) -> None:
    assert names(available(shared, tags=tags, mode=mode)) == expected
    assert names(available(shared, tags=tags, mode=mode, offline_only=True)) == expected, "all of them are local"


def test_a_filter_mode_that_there_is_not(shared: PlainClient) -> None:
    assert answer(available(shared, mode=7).result) == (FAILED, "unknown filter_mode 7; expected ANY (0) or ALL (1)")


def test_sources_of_the_request(shared: PlainClient, folder: Path) -> None:
    good = folder / "good"
    good.mkdir(exist_ok=True)
    (good / "w.yaml").write_text("name: w\ngravity: [0, 0, 0]\n")
    assert names(available(shared, good, good.as_uri())) == ["empty", "table", "two_arms", "yard", "w"]


def test_a_source_that_fails(shared: PlainClient, folder: Path) -> None:
    lost, broken = folder / "lost", folder / "broken"
    there_is_none = (
        f"'{lost}' was not found; expected a folder '{lost}' under /; Correct the path, or put the file there."
    )
    wrong = f"{broken / 'wrong.yaml'}: tags; got 7; expected tuple; Change the value of 'tags'."
    assert answer(available(shared, lost).result) == (FAILED, there_is_none)
    assert answer(available(shared, broken, lost).result) == (FAILED, f"{wrong} {there_is_none}")
    found = available(shared, broken, lost, continue_on_error=True)
    assert names(found) == ["empty", "table", "two_arms", "yard", "right"]
    assert found.result.error_message == f"{wrong} {there_is_none}"


def test_a_default_source_that_fails(sim_process: Start, client: Make, folder: Path) -> None:
    sim_process(robot="cartpole", resource_path=f"{folder / 'mine'}:/nowhere")
    stranger = client(commands=())
    text = "'/nowhere' was not found; expected a folder '/nowhere' under /; Correct the path, or put the file there."
    default = GetAvailableWorlds.Response.DEFAULT_SOURCES_FAILED
    assert answer(available(stranger).result) == (default, text)
    found = available(stranger, continue_on_error=True)
    assert names(found) == ["empty", "table", "two_arms", "yard"]


# --- loading


def test_a_loaded_world_stands_still_and_then_obeys(shared: PlainClient) -> None:
    shared.states.clear()
    found = load(shared, "empty")
    assert answer(found.result) == (OK, "")
    assert (found.world.name, list(found.world.tags)) == ("empty", ["flat"])
    assert found.world == current(shared).world
    assert shared.state() == STOPPED
    shared.until(lambda: shared.states and shared.stamp == PERIOD, "the first state")
    assert shared.set_state(PLAYING).result == OK
    shared.step([PAN], position=[0.05])
    assert shared.stamp == 2 * PERIOD
    shared.set_state(PAUSED)


@pytest.mark.parametrize("uri", ["table", "table.yaml", "package://ros_gym_bridge/config/worlds/table.yaml"])
def test_a_world_by_name_path_and_uri(shared: PlainClient, uri: str) -> None:
    assert answer(load(shared, uri).result) == (OK, "")
    assert current(shared).world.world_resource.uri == find_world_file("table").as_uri()


def test_every_available_world_can_be_loaded_and_is_then_the_current_one(shared: PlainClient) -> None:
    for world in available(shared).worlds:
        assert answer(load(shared, world.world_resource.uri).result) == (OK, "")
        assert current(shared).world == world


def test_a_world_as_text(shared: PlainClient) -> None:
    text = "name: typed\ndescription: By hand\ntags: [a]\nbodies: [{name: cube, file: ../../urdf/cube.urdf}]"
    assert answer(load(shared, text=text).result) == (OK, "")
    world = current(shared).world
    assert (world.name, world.description, list(world.tags)) == ("typed", "By hand", ["a"])
    assert (world.world_resource.uri, world.world_resource.resource_string) == ("", text)


def test_what_is_left_out_is_said(shared: PlainClient, folder: Path) -> None:
    text = f"name: holey\nsky: blue\nbodies: [{{name: b, file: {folder}/meshless.urdf}}]"
    found = load(shared, text=text, ignore_missing_or_unsupported_assets=True)
    assert found.result.result == OK
    assert "sky: unknown key" in found.result.error_message
    assert "meshless.urdf" in found.result.error_message


BODY = "name: w\nbodies: [{{name: b, file: {}}}]"
REFUSALS: dict[str, tuple[dict[str, Any], int, str]] = {
    "nothing": ({}, LoadWorld.Response.NO_RESOURCE, "neither uri nor resource_string; expected one of them"),
    "no file": (
        {"uri": "file:///nowhere/w.yaml"},
        LoadWorld.Response.NO_RESOURCE,
        "'file:///nowhere/w.yaml' was",
    ),
    "sdf": (
        {"uri": "file:///w.sdf"},
        LoadWorld.Response.UNSUPPORTED_FORMAT,
        "'file:///w.sdf' is no world file; expected a name that ends in .yaml or .yml",
    ),
    "a long uri": ({"uri": "x" * 100_000}, LoadWorld.Response.UNSUPPORTED_FORMAT, "'" + "x" * 200 + "' is no world f"),
    "a long name": ({"uri": "x" * 3000 + ".yaml"}, LoadWorld.Response.NO_RESOURCE, "'xxx"),
    "out of its package": (
        {"uri": "package://ros_gym_bridge/../../w.yaml"},
        LoadWorld.Response.RESOURCE_PARSE_ERROR,
        "'package://ros_gym_bridge/../../w.yaml' leaves its package; got ../../w.yaml",
    ),
    "no yaml": ({"text": "a: ]"}, LoadWorld.Response.RESOURCE_PARSE_ERROR, "{text}: not readable; got exp"),
    "a wrong value": ({"text": "name: 7"}, LoadWorld.Response.RESOURCE_PARSE_ERROR, "{text}: name; got 7"),
    "too long": (
        {"text": "name: " + "x" * 2_000_000},
        LoadWorld.Response.RESOURCE_PARSE_ERROR,
        "resource_string is too long; got 2000006 characters; expected at most 2000000",
    ),
    "an unknown key": (
        {"text": "name: w\nsky: blue", "fail_on_unsupported_element": True},
        LoadWorld.Response.UNSUPPORTED_ELEMENTS,
        "{text}: sky: unknown key; got 'blue'; expected one of name, description, tags, gravity, bodies, poses, robots",
    ),
    "a missing body": (
        {"text": BODY.format("lost.urdf")},
        LoadWorld.Response.MISSING_ASSETS,
        "{text}: bodies[0].file: 'lost.urdf' was not found; got 'lost.urdf'; expected a file 'lost.urdf' under ",
    ),
    "a missing mesh": (
        {"text": BODY.format("{folder}/meshless.urdf")},
        LoadWorld.Response.MISSING_ASSETS,
        "{text}: bodies[0].file: {folder}/meshless.urdf: link 'ball': the file of its <mesh>, 'nowhere.obj', ",
    ),
    "a strange mesh": (
        {"text": BODY.format("{folder}/strange.urdf")},
        LoadWorld.Response.UNSUPPORTED_ASSETS,
        "{text}: bodies[0].file: {folder}/strange.urdf: link 'ball': <mesh> names no file of a known kind; got "
        "'strange.fbx'; expected a name ending in .dae, .obj, .stl",
    ),
}


@pytest.mark.parametrize(("fields", "code", "text"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_world_that_is_refused_leaves_the_old_one(
    shared: PlainClient, folder: Path, fields: dict[str, Any], code: int, text: str
) -> None:
    before = current(shared).world
    said = {"{text}": str(find_world_file("table").with_name("<text>")), "{folder}": str(folder)}
    for mark, value in said.items():
        fields = {key: field.replace(mark, value) if isinstance(field, str) else field for key, field in fields.items()}
        text = text.replace(mark, value)
    result = load(shared, **fields).result
    assert (result.result, result.error_message[: len(text)]) == (code, text)
    assert (current(shared).world, shared.state()) == (before, PAUSED)


def test_a_refused_world_changes_nothing_to_the_last_bit(shared: PlainClient) -> None:
    def course(disturbed: bool) -> list[tuple[Any, ...]]:
        assert load(shared, "table").result.result == OK
        shared.set_state(PLAYING)
        shared.until(lambda: shared.stamp == PERIOD, "the first state")
        states = [content(shared.step([PAN], position=[0.3])) for _ in range(5)]
        shared.set_state(PAUSED)
        if disturbed:
            for fields in ({}, {"uri": "nowhere.yaml"}, {"text": BODY.format("lost.urdf")}):
                assert load(shared, **fields).result.result > 100
        shared.set_state(PLAYING)
        states += [content(shared.step([PAN], position=[-0.3])) for _ in range(5)]
        shared.set_state(PAUSED)
        return states

    assert course(False) == course(True)


def test_a_playing_world_is_neither_replaced_nor_unloaded(shared: PlainClient) -> None:
    shared.set_state(PLAYING)
    text = "the simulation is PLAYING; set_simulation_state to STOPPED (0) or PAUSED (2) first"
    assert answer(load(shared, "empty").result) == (INCORRECT_STATE, text)
    assert answer(unload(shared)) == (INCORRECT_STATE, text)
    assert current(shared).world.name == "table"
    shared.set_state(PAUSED)


# --- no world


def test_without_a_world_the_node_lives_and_everything_comes_back(shared: PlainClient) -> None:
    descriptions = shared.hear(String, "robot_description", LATCHED)
    shared.until(lambda: descriptions, "the description")
    assert answer(unload(shared)) == (OK, "")
    assert shared.state() == NO_WORLD
    nothing = "no world is loaded; call load_world first"
    assert answer(current(shared).result) == (GetCurrentWorld.Response.NO_WORLD_LOADED, nothing)
    assert current(shared).world == WorldResource()
    assert answer(unload(shared)) == (UnloadWorld.Response.NO_WORLD_LOADED, "no world is loaded")
    for state in (STOPPED, PLAYING, PAUSED):
        assert answer(shared.set_state(state)) == (103, nothing)
    assert answer(shared.reset(0)) == (INCORRECT_STATE, nothing)
    text = "the simulation is NO_WORLD; set_simulation_state to PAUSED (2) first"
    assert answer(shared.step_simulation(1)) == (FAILED, text)
    shared.until(lambda: "/joint_states" not in shared.named("publisher"), "the end of joint_states")
    assert "/joint_command" not in shared.named("subscriber")
    assert {"/tf", "/tf_static", "/robot_description"}.isdisjoint(shared.named("publisher"))
    assert "physics_hz" not in shared.descriptions()
    shared.states.clear()
    descriptions.clear()
    assert answer(load(shared, "table").result) == (OK, "")
    shared.connect()
    shared.until(lambda: descriptions, "the description")
    assert shared.parameters("physics_hz") == {"physics_hz": 500}
    assert shared.set_state(PLAYING).result == OK
    shared.step([PAN], position=[0.1])
    shared.set_state(PAUSED)


def test_worlds_come_and_go_many_times(hall: tuple[NodeProcess, PlainClient], shared: PlainClient) -> None:
    """Publishers and subscriptions with them, and neither memory nor the graph fills up."""
    pid = hall[0].pid
    for _ in range(3):
        load(shared, "table")
    before = memory(pid)
    for _ in range(30):
        assert unload(shared).result == OK
        assert load(shared, "table").result.result == OK
    assert memory(pid) < before + 30_000_000
    shared.until(lambda: shared.node.count_publishers("joint_states") == 1, "one publisher")
    shared.connect()
    assert shared.set_state(PLAYING).result == OK
    shared.step([PAN], position=[0.1])
    shared.set_state(PAUSED)


@contextlib.contextmanager
def streaming(client: PlainClient) -> Iterator[None]:
    """Meanwhile commands, joint states and wrenches come as fast as they can be published."""
    message = JointState(name=[PAN], position=[0.1])
    sets = client.node.create_publisher(JointState, "sim_node/set_joint_state", 10)
    pushes = client.node.create_publisher(WrenchStamped, "sim_node/external_wrench", 10)
    ended = threading.Event()

    def publish() -> None:
        while not ended.wait(0.0003):
            client.publishers["joint_command"].publish(message)
            sets.publish(message)
            pushes.publish(WrenchStamped())

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        client.node.destroy_publisher(sets)
        client.node.destroy_publisher(pushes)


def test_worlds_change_under_a_stream_of_messages(hall: tuple[NodeProcess, PlainClient], shared: PlainClient) -> None:
    """What has arrived for a world is not obeyed by its successor, nor by nobody."""
    with streaming(shared):
        for name in ("empty", "two_arms", "table", "empty", "table"):
            assert load(shared, name).result.result == OK
            assert shared.set_state(PAUSED).result == OK
            assert shared.step_simulation(100).result == OK
            assert unload(shared).result == OK
            assert shared.state() == NO_WORLD
    assert hall[0].process.poll() is None
    assert load(shared, "table").result.result == OK


def memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# --- several robots


class Arms:
    """The world `two_arms`, a client of the node and one of each arm."""

    def __init__(self, start: Start, client: Make, mode: str, *arguments: str) -> None:
        self.node = start(*arguments, world="two_arms", mode=mode)
        self.root = client(name="root", commands=())
        self.left, self.right = (client(name=f"of_{side}", namespace=f"/{side}") for side in ("left", "right"))
        for each in (self.left, self.right):
            each.connect()


def test_two_arms_in_lockstep_step_when_both_are_commanded(sim_process: Start, client: Make) -> None:
    arms = Arms(sim_process, client, "lockstep")
    left, right = arms.left, arms.right
    for i in range(1, 6):
        left.send([PAN], position=[0.05 * i])
        left.until(lambda: left.node.count_publishers("joint_command"), "a command")
        right.listen(0.1 if i == 1 else 0.0)
        assert right.stamp == i * PERIOD, "one command is not enough"
        right.step([PAN], position=[-0.05 * i])
        left.until(lambda: left.stamp == right.stamp == (i + 1) * PERIOD, "the same state")  # noqa: B023
    assert left.states[-1].position[0] > 0.1
    assert right.states[-1].position[0] < -0.1
    assert arms.root.parameters("left.robot_name", "right.control_hz") == {
        "left.robot_name": "arm",
        "right.control_hz": 25,
    }


def test_names_of_two_arms(sim_process: Start, client: Make) -> None:
    arms = Arms(sim_process, client, "realtime")
    root = arms.root
    topics = {f"/{side}/{name}" for side in ("left", "right") for name in ("joint_states", "robot_description")}
    root.until(lambda: topics <= root.named("publisher").keys(), "the topics of both")
    static, moving = root.hear(TFMessage, "/tf_static", STATIC), root.hear(TFMessage, "/tf", DEEP)
    root.until(lambda: len(moving) > 2 and len(static) == 2, "transforms")
    frames = {t.child_frame_id: t.header.frame_id for message in (*static, *moving) for t in message.transforms}
    assert frames["left/base_link"] == frames["right/base_link"] == "world"
    assert all(name.startswith(("left/", "right/")) for name in frames)
    assert {frames[name].split("/")[0] for name in frames if name.startswith("left/")} == {"world", "left"}
    arms.left.send([PAN], position=[0.5], stamp=0)
    arms.left.until(lambda: arms.left.states[-1].position[0] > 0.4, "the left arm's movement")
    arms.right.until(lambda: arms.right.stamp >= arms.left.stamp, "the right arm's newest state")
    assert abs(arms.right.states[-1].position[0]) < 0.05
    assert nanoseconds(moving[-1].transforms[0].header.stamp) > 0


def test_an_environment_with_one_of_two_arms(sim_process: Start, client: Make, domain_id: int) -> None:
    """The other arm, in another namespace, holds still."""
    arms = Arms(sim_process, client, "realtime")
    keywords = {"attach": True, "domain_id": domain_id, "stepping": "realtime", "time_limit_s": 0.6}
    env = make("Reach", robot="arm", backend="topics", namespace="/left", simulator="", **keywords)
    try:
        for seed in (1, 2):
            observation, _ = env.reset(seed=seed)
            done = False
            while not done:
                observation, _, terminated, truncated, _ = env.step(env.action_space.high)
                done = terminated or truncated
        assert env.observation_space.contains(observation)
        for each in (arms.left, arms.right):
            each.listen(0.1)
        assert arms.left.states[-1].position[0] > 0.1
        assert abs(arms.right.states[-1].position[0]) < 0.05
    finally:
        env.close()
    stranger = make("Balance", robot="cartpole", backend="topics", namespace="left", simulator="/", **keywords)
    try:
        with pytest.raises(RobotNotFoundError) as caught:
            stranger.reset(seed=1)
        assert "joints slider_to_cart, cart_to_pole in /left/joint_states" in str(caught.value)
    finally:
        stranger.close()


def test_facts_of_one_of_two_arms_are_compared(
    sim_process: Start, client: Make, domain_id: int, tmp_path: Path
) -> None:
    Arms(sim_process, client, "realtime")
    other = tmp_path / "arm.yaml"
    other.write_text("extends: arm\nsafety: {rate_limit: false}\n")
    keywords = {"attach": True, "domain_id": domain_id, "stepping": "realtime", "namespace": "/left", "simulator": ""}
    env = make("Reach", robot=other, backend="topics", **keywords)
    try:
        with pytest.raises(OptionError) as caught:
            env.reset(seed=1)
        assert "the simulator and this environment differ in 'left.robot_digest'" in str(caught.value)
    finally:
        env.close()
