"""Between entities and the messages of simulation_interfaces: conversions, and what a request must not say."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from geometry_msgs.msg import Vector3
from simulation_interfaces.msg import Bounds, EntityInfo, EntityState, Result

from ros_gym_bridge.posix_regex import Regex, RegexError
from ros_gym_bridge.ros import messages
from ros_gym_bridge.ros.publishers import WORLD_FRAME
from ros_gym_bridge.ros.services.answers import Refused
from ros_gym_bridge.ros.services.tags import check_tags_filter, has_tags
from ros_gym_bridge.schema import Category
from ros_gym_bridge.sim.entities import Entities
from ros_gym_bridge.sim.entity_infos import Info
from ros_gym_bridge.sim.entity_states import STILL, WORLD_BOUNDS_M, State, Twist
from ros_gym_bridge.sim.frames import Pose, Vector, added, cross, placed, rotated
from ros_gym_bridge.sim.measure import Box

MAX_TEXT, MAX_TAGS, MAX_TAG = 10_000, 100, 200
_CATEGORIES: dict[int, Category] = {0: "object", 1: "robot", 2: "human", 4: "dynamic_object", 5: "static_object"}
_NUMBERS = {name: number for number, name in _CATEGORIES.items()}
_UNIT = 1e-3  # how far the length of a quaternion may be from 1


# --- poses and velocities


def fill_pose(message: Any, pose: Pose) -> None:
    """Into a geometry_msgs/Pose."""
    p, q = message.position, message.orientation
    (p.x, p.y, p.z), (q.x, q.y, q.z, q.w) = pose


def pose_of(message: Any, code: int) -> Pose:
    """From a geometry_msgs/Pose, with a quaternion of length 1.

    Raises:
        Refused: with `code`: not finite, too far away, or no rotation.
    """
    position, q = _triple(message.position), message.orientation
    rotation = (q.x, q.y, q.z, q.w)
    length = math.hypot(*rotation)
    if not all(abs(value) <= WORLD_BOUNDS_M for value in position):
        raise Refused(code, f"invalid position; got {position}; expected numbers from -10000 to 10000 (m)")
    if not abs(length - 1.0) <= _UNIT:
        raise Refused(code, f"invalid orientation; got the quaternion {rotation}; expected one of length 1")
    x, y, z, w = (value / length for value in rotation)
    return position, (x, y, z, w)


def in_world(entities: Entities, frame: str, pose: Pose, code: int) -> Pose:
    """A pose in a named frame, in the world frame.

    Args:
        entities: what a frame may belong to: the root link of each is one, by its name.
        frame: its name; empty for the world.
        pose: in that frame.
        code: of the refusal.

    Raises:
        Refused: there is no such frame.
    """
    origin = _origin(entities, frame, code)
    return pose if origin is None else placed(origin, pose)


def twist_of(message: Any) -> Twist:
    """From a geometry_msgs/Twist or Accel.

    Raises:
        Refused: not finite, or absurdly fast.
    """
    linear, angular = _triple(message.linear), _triple(message.angular)
    if not all(abs(value) <= WORLD_BOUNDS_M for value in (*linear, *angular)):
        text = f"invalid twist or acceleration; got {linear}, {angular}; expected numbers from -10000 to 10000"
        raise Refused(Result.RESULT_OPERATION_FAILED, text)
    return Twist(linear, angular)


def moving_in_world(entities: Entities, frame: str, position: Vector, twist: Twist) -> Twist:
    """A twist that is observed in a named frame, which may move itself, as it is in the world frame.

    Args:
        position: of what moves, m, world frame.
    """
    origin = _origin(entities, frame, Result.RESULT_OPERATION_FAILED)
    if origin is None:
        return twist
    carried = entities.states.twist(frame)
    carried_here = added(carried.linear, cross(carried.angular, added(position, origin[0], -1.0)))
    own = Twist(rotated(origin[1], twist.linear), rotated(origin[1], twist.angular))
    return Twist(added(carried_here, own.linear), added(carried.angular, own.angular))


def fill_state(message: EntityState, state: State, stamp_ns: int) -> EntityState:
    """In the world frame."""
    message.header.frame_id = WORLD_FRAME
    message.header.stamp = messages.to_time(stamp_ns)
    fill_pose(message.pose, state.pose)
    for part, values in ((message.twist, state.twist), (message.acceleration, state.acceleration)):
        part.linear, part.angular = _vector(values.linear), _vector(values.angular)
    return message


def moves(message: Any) -> bool:
    """Whether a geometry_msgs/Twist or Accel is not 0."""
    return twist_of(message) != STILL


def _origin(entities: Entities, frame: str, code: int) -> Pose | None:
    """Of a frame; None for the world's."""
    if frame in ("", WORLD_FRAME):
        return None
    if frame not in entities.names():
        text = f"unknown frame '{frame[:200]}'; expected '', '{WORLD_FRAME}' or the name of an entity"
        raise Refused(code, text)
    return entities.states.pose(frame)


def _triple(message: Any) -> Vector:
    return message.x, message.y, message.z


def _vector(values: Iterable[float]) -> Vector3:
    x, y, z = (float(value) for value in values)
    return Vector3(x=x, y=y, z=z)


# --- info


def fill_info(message: EntityInfo, info: Info) -> None:
    """Category, description and tags."""
    message.category.category = _NUMBERS[info.category]
    message.description, message.tags = info.description, list(info.tags)


def info_of(message: EntityInfo) -> Info:
    """Category, description and tags.

    Raises:
        Refused: an unknown category, or texts that are too long or too many.
    """
    tags = list(message.tags)
    if len(message.description) > MAX_TEXT or len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG for tag in tags):
        text = f"info is too long; expected at most {MAX_TEXT} characters and {MAX_TAGS} tags of {MAX_TAG} characters"
        raise Refused(Result.RESULT_OPERATION_FAILED, text)
    return Info(category_of(message.category), message.description, tuple(tags))


def category_of(message: Any) -> Category:
    """From an EntityCategory.

    Raises:
        Refused: unknown.
    """
    if message.category not in _CATEGORIES:
        known = ", ".join(f"{name.upper()} ({number})" for number, name in _CATEGORIES.items())
        text = f"unknown category {message.category}; expected one of {known}"
        raise Refused(Result.RESULT_OPERATION_FAILED, text)
    return _CATEGORIES[message.category]


# --- bounds and filters


def fill_bounds(message: Bounds, box: Box | None) -> None:
    """Upper and lower corner of a box; none for what has no end."""
    message.type = Bounds.TYPE_EMPTY if box is None else Bounds.TYPE_BOX
    message.points = [] if box is None else [_vector(box[1]), _vector(box[0])]


def matching(entities: Entities, filters: Any) -> list[str]:
    """The names of the entities that pass an EntityFilters.

    Raises:
        Refused: a filter that is wrong, or of a kind that is not supported.
    """
    check_tags_filter(filters.tags)
    names = _named(entities.names(), filters.filter)
    wanted = [category_of(each) for each in filters.categories]
    infos = {name: entities.infos.of(name) for name in names}
    names = [name for name in names if not wanted or infos[name].category in wanted]
    names = [name for name in names if has_tags(filters.tags, infos[name].tags)]
    return _within(entities, names, filters.bounds)


def _named(names: list[str], pattern: str) -> list[str]:
    if not pattern:
        return names
    try:
        regex = Regex(pattern)
    except RegexError as error:
        raise Refused(Result.RESULT_OPERATION_FAILED, f"filter is no POSIX extended expression: {error}") from error
    return [name for name in names if regex.found_in(name)]


def _within(entities: Entities, names: list[str], bounds: Bounds) -> list[str]:
    if bounds.type == Bounds.TYPE_EMPTY:
        return names
    if bounds.type not in (Bounds.TYPE_BOX, Bounds.TYPE_SPHERE):
        text = f"bounds of type {bounds.type} are not supported; expected EMPTY (0), BOX (1) or SPHERE (3)"
        raise Refused(Result.RESULT_FEATURE_UNSUPPORTED, text)
    points = [_triple(point) for point in bounds.points]
    if len(points) != 2 or not np.isfinite(points).all():
        text = f"bounds need 2 finite points; got {len(points)}: {points[:3]}"
        raise Refused(Result.RESULT_OPERATION_FAILED, text)
    if bounds.type == Bounds.TYPE_BOX:
        return entities.in_box(names, np.min(points, axis=0), np.max(points, axis=0))
    centre, (radius, *_) = points
    if radius < 0.0:
        raise Refused(Result.RESULT_OPERATION_FAILED, f"a sphere of radius {radius}; expected 0 or more")
    return entities.in_sphere(names, np.array(centre), radius)
