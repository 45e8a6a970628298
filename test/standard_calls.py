"""Calls of simulation_interfaces by a stranger, the same for both wire families: who writes a client for 1.x and 2.x
has to tell them apart by the fields that the messages have."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from geometry_msgs.msg import PoseStamped
from simulation_interfaces.action import SimulateSteps
from simulation_interfaces.msg import EntityState, Result
from simulation_interfaces.srv import (
    DeleteEntity,
    GetCurrentWorld,
    GetEntities,
    LoadWorld,
    SetEntityState,
    SpawnEntity,
    UnloadWorld,
)

from plain_client import PlainClient

CUBE = "package://ros_gym_bridge/urdf/cube.urdf"
BRICK = """<robot name="brick"><link name="brick"><inertial><mass value="1"/>
<inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/></inertial>
<collision><geometry><box size="0.2 0.1 0.05"/></geometry></collision></link></robot>"""


def constants(kind: Any) -> dict[str, int]:
    """What a message names in capitals."""
    names = [name for name in dir(kind) if name.isupper() and not name.startswith("_") and name != "SLOT_TYPES"]
    return {name: int(getattr(kind, name)) for name in names}


def codes(kind: Any) -> dict[str, int]:
    """Of a service, an action, or SpawnResult: its own, and those of Result."""
    own = getattr(kind, "Response", getattr(kind, "Result", kind))
    general = {name.removeprefix("RESULT_"): code for name, code in constants(Result).items()}
    return {**general, **constants(own)}


def fill_resource(request: Any, uri: str, text: str) -> Any:
    """Into a LoadWorld or SpawnEntity request, or an entry of SpawnEntities."""
    target = request
    for field in ("world_resource", "entity_resource"):
        target = getattr(request, field, target)
    target.uri, target.resource_string = uri, text
    return request


def uri_of(spawnable: Any) -> str:
    """Of a Spawnable."""
    return str(getattr(spawnable, "entity_resource", spawnable).uri)


def pose(*position: float, frame: str = "") -> PoseStamped:
    """Unturned."""
    message = PoseStamped()
    message.header.frame_id = frame
    message.pose.position.x, message.pose.position.y, message.pose.position.z = map(float, position or (2, 0, 1))
    return message


def spawn(client: PlainClient, uri: str = CUBE, text: str = "", **fields: Any) -> Any:
    """`spawn_entity`; its answer."""
    request = SpawnEntity.Request(**{"initial_pose": pose(), **fields})
    return client.call(SpawnEntity, "spawn_entity", fill_resource(request, uri, text))


def delete(client: PlainClient, entity: str) -> Any:
    """`delete_entity`; its answer."""
    return client.call(DeleteEntity, "delete_entity", DeleteEntity.Request(entity=entity))


def names(client: PlainClient) -> list[str]:
    """Of all entities."""
    return list(client.call(GetEntities, "get_entities", GetEntities.Request()).entities)


def load(client: PlainClient, uri: str = "", text: str = "", **fields: Any) -> Any:
    """`load_world`; its answer."""
    return client.call(LoadWorld, "load_world", fill_resource(LoadWorld.Request(**fields), uri, text))


def fresh(client: PlainClient, world: str) -> None:
    """A world as it was loaded, paused; loaded anew only when another one stands."""
    client.set_state(2)
    current = client.call(GetCurrentWorld, "get_current_world", GetCurrentWorld.Request())
    again = current.result.result == Result.RESULT_OK and current.world.name == world
    answered = client.reset(0) if again else load(client, world).result
    assert answered.result == Result.RESULT_OK, answered
    client.set_state(2)


def unload(client: PlainClient) -> Any:
    """`unload_world`; its answer."""
    return client.call(UnloadWorld, "unload_world", UnloadWorld.Request())


def put(client: PlainClient, entity: str, state: EntityState, parts: str = "pose twist acceleration") -> Any:
    """`set_entity_state`; its answer. 2.x wants to be told which parts count."""
    request = SetEntityState.Request(entity=entity, state=state)
    for part in parts.split():
        if hasattr(request, f"set_{part}"):
            setattr(request, f"set_{part}", True)
    return client.call(SetEntityState, "set_entity_state", request)


class Steps:
    """The action `simulate_steps` with one goal. Attributes: `heard`, the feedback as (completed, remaining)."""

    def __init__(self, client: PlainClient, steps: int) -> None:
        self._client, self.heard = client, list[tuple[int, int]]()
        action = client.action(SimulateSteps, "simulate_steps")
        sent = action.send_goal_async(SimulateSteps.Goal(steps=steps), feedback_callback=self._hear)
        client.until(sent.done, "the goal's acceptance")
        self._goal = sent.result()
        self._result = self._goal.get_result_async()

    def _hear(self, message: Any) -> None:
        self.heard.append((message.feedback.completed_steps, message.feedback.remaining_steps))

    def end(self) -> Any:
        """Wait; the result."""
        self._client.until(self._result.done, "the result")
        return self._result.result().result.result

    def cancel(self) -> Any:
        """After the first feedback; the result."""
        self._client.until(lambda: self.heard, "feedback")
        self._goal.cancel_goal_async()
        return self.end()


def simulate_steps(client: PlainClient, steps: int) -> tuple[Any, list[tuple[int, int]]]:
    """The action, to its end; its result and feedback."""
    running = Steps(client, steps)
    return running.end(), running.heard


@contextlib.contextmanager
def stepping(client: PlainClient) -> Iterator[None]:
    """Meanwhile steps are under way that nobody could wait for."""
    running = Steps(client, 10**9)
    client.until(lambda: running.heard, "feedback")
    yield
    assert running.cancel().error_message.startswith("cancelled; ")
