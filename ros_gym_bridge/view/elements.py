"""The elements of anybody's URDF, read one by one: what cannot be read is a ValueError that says why."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

from ros_gym_bridge.formats.result import Vector
from ros_gym_bridge.robot_model import MOVABLE, Joint, Mimic
from ros_gym_bridge.view.frames import Matrix, matrix

Colour = tuple[float, float, float, float]  # red, green, blue, opacity, 0 to 1


def read_joint(element: Element) -> Joint:
    """A joint, of any type.

    Raises:
        ValueError: what cannot be read.
    """
    name, kind, limit = element.get("name"), element.get("type"), element.find("limit")
    if not name or not kind:
        raise ValueError("it lacks a name or a type")
    parent, child = (end.get("link", "") if end is not None else "" for end in map(element.find, ("parent", "child")))
    origin, axis = element.find("origin"), element.find("axis")
    unlimited = kind == "continuous" or limit is None
    return Joint(
        name=name,
        type=kind,
        parent=parent,
        child=child,
        xyz=_vector(origin, "xyz", "0 0 0"),
        rpy=_vector(origin, "rpy", "0 0 0"),
        axis=_unit(_vector(axis, "xyz", "1 0 0")) if kind in MOVABLE else (1.0, 0.0, 0.0),
        lower=-math.inf if unlimited else _one(limit, "lower"),
        upper=math.inf if unlimited else _one(limit, "upper"),
        velocity=math.inf,
        effort=math.inf,
        mimic=_mimic(element.find("mimic")),
    )


def _mimic(element: Element | None) -> Mimic | None:
    if element is None or not element.get("joint"):
        return None
    return Mimic(element.attrib["joint"], _one(element, "multiplier", "1"), _one(element, "offset"))


def read_origin(element: Element) -> Matrix:
    """The pose that an `<origin>` states, by the same rule as a joint's.

    Raises:
        ValueError: other words than numbers.
    """
    origin = element.find("origin")
    xyz, rpy = _vector(origin, "xyz", "0 0 0"), _vector(origin, "rpy", "0 0 0")
    return matrix(xyz, Joint("", "fixed", "", "", xyz, rpy, (1.0, 0.0, 0.0), 0.0, 0.0, 0.0, 0.0).quaternion)


def read_colour(material: Element) -> Colour | None:
    """The colour that a material states itself.

    Raises:
        ValueError: other words than numbers.
    """
    colour = material.find("color")
    if colour is None:
        return None
    r, g, b, a = (min(1.0, max(0.0, value)) for value in read_numbers(colour, "rgba", "", 4))
    return r, g, b, a


def _vector(element: Element | None, name: str, default: str) -> Vector:
    x, y, z = read_numbers(element, name, default, 3)
    return x, y, z


def _unit(vector: Vector) -> Vector:
    length = math.hypot(*vector)
    if length < 1e-9:
        raise ValueError("an axis of length 0")
    return vector[0] / length, vector[1] / length, vector[2] / length


def _one(element: Element | None, name: str, default: str = "0") -> float:
    return read_numbers(element, name, default, 1)[0]


def read_numbers(element: Element | None, name: str, default: str, count: int) -> tuple[float, ...]:
    """The finite numbers of an attribute; `default` is its text where it is not there.

    Raises:
        ValueError: other words, or another number of them.
    """
    text = element.get(name, default) if element is not None else default
    try:
        values = tuple(float(word) for word in text.split())
    except ValueError:
        values = ()
    if len(values) != count or not all(map(math.isfinite, values)):
        tag = element.tag if element is not None else ""
        raise ValueError(f"<{tag} {name}> is '{text[:60]}', not {count} finite number{'s' if count > 1 else ''}")
    return values
