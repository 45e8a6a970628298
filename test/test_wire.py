"""The two wire families of simulation_interfaces. The one that is installed is tried on the real node, by these tests
and by all others of services; the functions of `wire.py` also on stand-ins made from the definitions of both. With
`-m slow` the 2.x family is built, and the tests of services run with its messages: `test_wire_2x.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from geometry_msgs.msg import Accel, Twist, Vector3
from simulation_interfaces.msg import EntityState, Spawnable
from simulation_interfaces.msg import SpawnEntity as Wanted
from simulation_interfaces.srv import LoadWorld, SetEntityState, SpawnEntity

from conftest import node_and_client
from plain_client import PlainClient
from ros_gym_bridge.ros.services import wire
from standard_calls import CUBE, load, pose, put, spawn

ROOT = Path(__file__).resolve().parent.parent
FIRST = ROOT / "interfaces" / "simulation_interfaces"
SECOND = Path(__file__).resolve().parent / "interfaces_2x"
FAMILIES = ["1.x", "2.x"]
DIFFERENT = {
    "msg/Spawnable.msg": Spawnable,
    "srv/LoadWorld.srv": LoadWorld.Request,
    "srv/SetEntityState.srv": SetEntityState.Request,
    "srv/SpawnEntity.srv": SpawnEntity.Request,
}
INSTALLED = "2.x" if hasattr(SetEntityState.Request(), "set_pose") else "1.x"


def fields(file: str, family: str) -> dict[str, str]:
    """Types by name of a message, or of a request."""
    second = SECOND / file
    text = (second if family == "2.x" and second.exists() else FIRST / file).read_text().split("---")[0]
    lines = [line.split("#")[0].split() for line in text.splitlines()]
    return {words[1]: words[0] for words in lines if len(words) == 2 and "=" not in words[1]}


def stand_in(file: str, family: str) -> Any:
    """A message with the fields of a definition, none with a value but texts, flags, and messages of this package."""
    made = SimpleNamespace()
    for name, kind in fields(file, family).items():
        empty = {"string": "", "bool": False}.get(kind)
        ours = f"msg/{kind}.msg"
        setattr(made, name, stand_in(ours, family) if (FIRST / ours).exists() else empty)
    return made


def test_what_is_installed_is_one_of_the_families_that_are_known() -> None:
    for file, kind in DIFFERENT.items():
        assert list(kind.get_fields_and_field_types()) == list(fields(file, INSTALLED))
        assert fields(file, "1.x") != fields(file, "2.x")
    assert sorted(DIFFERENT) == sorted(str(path.relative_to(SECOND)) for path in SECOND.rglob("*.*"))


# --- the functions that know of the difference


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("file", ["srv/LoadWorld.srv", "srv/SpawnEntity.srv", "msg/SpawnEntity.msg"])
def test_a_resource_is_found(file: str, family: str) -> None:
    message = stand_in(file, family)
    holder = next((getattr(message, n) for n in ("world_resource", "entity_resource") if hasattr(message, n)), message)
    assert (holder is message) is (family == "1.x" and file.startswith("srv/"))
    holder.uri, holder.resource_string = "a", "b"
    assert wire.resource_of(message) == ("a", "b")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_uri_is_told(family: str) -> None:
    message = stand_in("msg/Spawnable.msg", family)
    wire.set_uri(message, "a")
    assert (message.uri if family == "1.x" else message.entity_resource.uri) == "a"


def test_1x_always_means_all() -> None:
    assert wire.wanted(stand_in("srv/SetEntityState.srv", "1.x")) == (True, True, True)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_2x_says_what_is_meant(part: int) -> None:
    message = stand_in("srv/SetEntityState.srv", "2.x")
    assert wire.wanted(message) == (False, False, False)
    setattr(message, ("set_pose", "set_twist", "set_acceleration")[part], True)
    assert wire.wanted(message) == tuple(i == part for i in range(3))


# --- the node, with the messages that are installed


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainClient]:
    with node_and_client(tmp_path_factory, robot="cartpole", mode="lockstep", start_paused=True) as (_, client):
        yield client


def test_resources_of_the_installed_messages(client: PlainClient) -> None:
    assert load(client, "empty").result.result == 1
    assert load(client, text="name: typed").world.name == "typed"
    assert spawn(client, CUBE, name="one").entity_name == "one"
    assert isinstance(wire.resource_of(Wanted()), wire.Resource)


MOVED = EntityState(pose=pose(3, 0, 1).pose, twist=Twist(linear=Vector3(z=2.0)), acceleration=Accel())
PUSHED = EntityState(pose=MOVED.pose, twist=MOVED.twist, acceleration=Accel(linear=Vector3(z=1.0)))
IGNORED = "the acceleration was ignored: it follows from forces"
NOTHING = "none of set_pose, set_twist and set_acceleration: nothing was set"


@pytest.mark.parametrize(
    ("parts", "position", "velocity", "text"),
    [
        ("pose twist acceleration", 3.0, 2.0, IGNORED),
        ("pose", 3.0, 1.0, ""),
        ("twist", 2.0, 2.0, ""),
        ("acceleration", 2.0, 1.0, IGNORED),
        ("", 2.0, 1.0, NOTHING),
    ],
)
def test_parts_of_a_state(client: PlainClient, parts: str, position: float, velocity: float, text: str) -> None:
    """What is not meant stays. 1.x means all of it, whatever is asked for."""
    client.set_state(2)
    load(client, "empty")
    client.set_state(2)
    spawn(client, CUBE, name="one")
    start = EntityState(pose=pose(2, 0, 1).pose, twist=Twist(linear=Vector3(z=1.0)))
    assert put(client, "one", start).result.result == 1
    if INSTALLED == "1.x":
        position, velocity, text = 3.0, 2.0, IGNORED
    result = put(client, "one", PUSHED, parts).result
    assert (result.result, result.error_message) == (1, text)
    state = client.call(*state_of("one")).state
    assert (state.pose.position.x, state.twist.linear.z) == pytest.approx((position, velocity))


def state_of(entity: str) -> tuple[Any, str, Any]:
    from simulation_interfaces.srv import GetEntityState

    return GetEntityState, "get_entity_state", GetEntityState.Request(entity=entity)
