"""What differs between the two wire families of simulation_interfaces: 1.x (humble, jazzy, kilted) and 2.x (lyrical,
rolling). Told apart by the fields that a message has."""

from __future__ import annotations

from typing import Any, NamedTuple


class Resource(NamedTuple):
    """A model or world: by address or, where that is empty, as text."""

    uri: str
    text: str


def resource_of(request: Any) -> Resource:
    """Of a LoadWorld or SpawnEntity request, or an entry of SpawnEntities (a Resource in both families)."""
    for field in ("world_resource", "entity_resource"):
        if hasattr(request, field):
            request = getattr(request, field)
            break
    return Resource(request.uri, request.resource_string)


def set_uri(message: Any, uri: str) -> None:
    """Into a Spawnable."""
    target = message.entity_resource if hasattr(message, "entity_resource") else message
    target.uri = uri


class Wanted(NamedTuple):
    """Which parts of an EntityState a SetEntityState request sets."""

    pose: bool
    twist: bool
    acceleration: bool


def wanted(request: Any) -> Wanted:
    """2.x says so; 1.x always means all."""
    if not hasattr(request, "set_pose"):
        return Wanted(True, True, True)
    return Wanted(request.set_pose, request.set_twist, request.set_acceleration)
