"""The geoms of an MJCF body: what is seen, what collides, and what it weighs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.mjcf_file import Attributes, MjcfFile
from ros_gym_bridge.formats.pose import Array, Pose, z_along
from ros_gym_bridge.formats.result import numbers
from ros_gym_bridge.formats.writer import Inertia, Shape, text

_SEEN_GROUPS = 3  # MuJoCo shows the groups 0 to 2; models put what only collides into the others


class Geom(NamedTuple):
    """One geom.

    Attributes:
        shape: in the frame of the body, with its colour.
        seen, collides: as what it is used.
        inertia: None for a mesh or plane whose mass would be needed but is not known.
        friction: sliding.
    """

    shape: Shape
    seen: bool
    collides: bool
    inertia: Inertia | None
    friction: float


def read_geom(file: MjcfFile, element: Element, childclass: str, frame: Pose, where: str) -> Geom:
    """One geom of a body.

    Args:
        file: for defaults.
        element: `<geom>`.
        childclass: the default class around it.
        frame: in which it stands, in the frame of the body.
        where: the body, for messages.

    Raises:
        ModelError: a shape that URDF does not have, or wrong numbers.
    """
    attributes = file.attributes(element, childclass)
    where = f"{where}: geom '{attributes.get('name', '')}'"
    kind = attributes.get("type", "mesh" if "mesh" in attributes else "sphere")
    pose, sizes = _place(file, attributes, kind, where)
    rgba = numbers(attributes.get("rgba"), 4, (0.5, 0.5, 0.5, 1.0), f"{where}: rgba")
    shape = _shape(file, attributes, kind, sizes, frame @ pose, rgba, where)
    bits = [_integer(attributes, name, 1, where) for name in ("contype", "conaffinity")]
    collides = any(bits)
    seen = (_integer(attributes, "group", 0, where) < _SEEN_GROUPS or not collides) and rgba[3] > 0.0
    friction = float((attributes.get("friction") or "1").split()[0])
    slips = _integer(attributes, "condim", 3, where) == 1
    inertia = _inertia(attributes, kind, sizes, frame @ pose, where)
    return Geom(shape, seen and kind != "plane", collides, inertia, 0.0 if slips else friction)


def together(inertias: Sequence[Inertia]) -> Inertia:
    """Several bodies as one."""
    mass = sum(each.mass for each in inertias)
    if mass == 0.0:
        return Inertia(0.0, np.zeros(3), np.zeros((3, 3)))
    centre = np.sum([each.mass * each.centre for each in inertias], axis=0) / mass
    tensor = np.zeros((3, 3))
    for each in inertias:
        arm = each.centre - centre
        tensor += each.tensor + each.mass * (arm @ arm * np.eye(3) - np.outer(arm, arm))
    return Inertia(mass, centre, tensor)


def _place(file: MjcfFile, attributes: Attributes, kind: str, where: str) -> tuple[Pose, tuple[float, ...]]:
    """Where the shape stands, and its size: radius and half length, or half sizes."""
    given = attributes.get("size", "")
    sizes = numbers(given, len(given.split()), (), f"{where}: size")
    ends = numbers(attributes.get("fromto"), 6, (), f"{where}: fromto")
    if ends and kind in ("capsule", "cylinder", "box", "ellipsoid"):
        start, end = np.array(ends[:3]), np.array(ends[3:])
        half = 0.5 * float(np.linalg.norm(end - start))
        wide = sizes[:1] * (2 if kind in ("box", "ellipsoid") else 1)
        return Pose(0.5 * (start + end), z_along(start - end) if half else np.eye(3)), (*wide, half)
    return file.pose(attributes, where), sizes


def _shape(
    file: MjcfFile,
    attributes: Attributes,
    kind: str,
    sizes: tuple[float, ...],
    pose: Pose,
    rgba: Sequence[float],
    where: str,
) -> Shape:
    needed = {"sphere": 1, "capsule": 2, "cylinder": 2, "box": 3, "plane": 0, "mesh": 0}
    if kind not in needed:
        expected, remedy = f"one of {', '.join(needed)}", "Use one of these"
        raise ModelError(f"{where}: a shape that URDF does not have", got=kind, expected=expected, remedy=remedy)
    if len(sizes) < needed[kind] or any(size <= 0.0 for size in sizes[: needed[kind]]):
        expected = f"{needed[kind]} numbers above 0"
        raise ModelError(f"{where}: size is not right", got=repr(attributes.get("size", "")), expected=expected)
    if kind == "mesh":
        return Shape(pose, "mesh", _mesh(file, attributes.get("mesh", ""), where), rgba)
    return Shape(
        pose,
        kind,
        {
            "sphere": lambda: {"radius": text(sizes[0])},
            "capsule": lambda: {"radius": text(sizes[0]), "length": text(2 * sizes[1])},
            "cylinder": lambda: {"radius": text(sizes[0]), "length": text(2 * sizes[1])},
            "box": lambda: {"size": text(*(2 * size for size in sizes[:3]))},
            "plane": lambda: {"normal": "0 0 1"},
        }[kind](),
        rgba,
    )


def _mesh(file: MjcfFile, name: str, where: str) -> dict[str, str]:
    for element in file.root.findall("asset/mesh"):
        attributes = file.attributes(element, "main")
        path = attributes.get("file", "")
        stem = path.rpartition("/")[2].rpartition(".")[0]
        if attributes.get("name", stem) == name:
            scale = numbers(attributes.get("scale"), 3, (1.0, 1.0, 1.0), f"{where}: mesh '{name}': scale")
            folder = file.mesh_folder.rstrip("/")
            inside = f"{folder}/{path}" if folder and not path.startswith("/") else path
            return {"filename": inside, "scale": text(*scale)}
    known = ", ".join(str(mesh.get("name")) for mesh in file.root.findall("asset/mesh")) or "none"
    raise ModelError(f"{where}: unknown mesh", got=f"'{name}'", expected=f"a mesh of <asset>: {known}")


def _integer(attributes: Attributes, name: str, default: int, where: str) -> int:
    return int(numbers(attributes.get(name), 1, (float(default),), f"{where}: {name}")[0])


def _inertia(attributes: Attributes, kind: str, sizes: tuple[float, ...], pose: Pose, where: str) -> Inertia | None:
    """By its own mass, or by its density and volume; solid."""
    nothing = Inertia(0.0, pose.xyz, np.zeros((3, 3)))
    mass = numbers(attributes.get("mass"), 1, (-1.0,), f"{where}: mass")[0]
    density = numbers(attributes.get("density"), 1, (1000.0,), f"{where}: density")[0]
    if mass == 0.0 or (mass < 0.0 and density == 0.0) or kind == "plane":
        return nothing
    if kind == "mesh":
        return None
    volume, moments = _solid(kind, sizes)
    mass = mass if mass > 0.0 else density * volume
    return Inertia(mass, pose.xyz, mass * pose.turn @ np.diag(moments) @ pose.turn.T)


def _solid(kind: str, sizes: tuple[float, ...]) -> tuple[float, Array]:
    """Volume, and the principal moments of 1 kg."""
    if kind == "box":
        a, b, c = sizes[:3]
        return 8 * a * b * c, np.array([b * b + c * c, a * a + c * c, a * a + b * b]) / 3
    r = sizes[0]
    ball = 4 / 3 * math.pi * r**3
    if kind == "sphere":
        return ball, np.full(3, 0.4 * r * r)
    half = sizes[1]
    tube = 2 * math.pi * r * r * half
    across, along = (3 * r * r + 4 * half * half) / 12, r * r / 2
    if kind == "cylinder":
        return tube, np.array([across, across, along])
    # two half balls at the ends; the centre of each is 3/8 r beyond the end
    caps = 0.4 * r * r + half * half + 0.75 * half * r
    total = tube + ball
    across, along = (tube * across + ball * caps) / total, (tube * along + ball * 0.4 * r * r) / total
    return total, np.array([across, across, along])
