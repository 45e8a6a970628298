"""A URDF, element by element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from ros_gym_bridge.formats.pose import Array, Pose


class Inertia(NamedTuple):
    """Mass in kg, centre of mass `(3,)` in m, and the inertia `(3, 3)` about it in kg m^2, along the link's axes."""

    mass: float
    centre: Array
    tensor: Array


class Shape(NamedTuple):
    """One of URDF's shapes at its place in the link's frame: tag and attributes, and a colour when it is seen."""

    pose: Pose
    tag: str
    attributes: Mapping[str, str]
    rgba: Sequence[float] | None = None


class Link(NamedTuple):
    """What a link is made of. `contact`: PyBullet's contact parameters by name."""

    name: str
    inertia: Inertia | None
    visuals: Sequence[Shape] = ()
    collisions: Sequence[Shape] = ()
    contact: Mapping[str, float] = {}


class JointTo(NamedTuple):
    """A joint: where the child's frame stands in the parent's at 0, the axis in the child's frame, and its limits.

    `limits`: lower, upper, effort, velocity, as far as the type has them; `dynamics`: damping, friction.
    `mimic`: the joint that it follows, multiplier and offset.
    """

    name: str
    kind: str
    parent: str
    child: str
    pose: Pose
    axis: Array
    limits: Mapping[str, float] = {}
    dynamics: Mapping[str, float] = {}
    mimic: tuple[str, float, float] | None = None


WEIGHTLESS = Inertia(0.0, np.zeros(3), np.zeros((3, 3)))


def robot(name: str, links: Sequence[Link], joints: Sequence[JointTo]) -> str:
    """The URDF's text."""
    root = Element("robot", name=name)
    for link in links:
        _link(root, link)
    for joint in joints:
        _joint(root, joint)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


def text(*values: float) -> str:
    """Numbers with all their digits; -0 as 0."""
    return " ".join(repr(float(value) + 0.0) for value in values)


def _origin(parent: Element, pose: Pose) -> None:
    SubElement(parent, "origin", xyz=text(*pose.xyz), rpy=text(*pose.rpy()))


def _link(root: Element, link: Link) -> None:
    element = SubElement(root, "link", name=link.name)
    if link.inertia is not None:
        inertial, tensor = SubElement(element, "inertial"), link.inertia.tensor
        SubElement(inertial, "origin", xyz=text(*link.inertia.centre))
        SubElement(inertial, "mass", value=text(link.inertia.mass))
        names = {"ixx": (0, 0), "ixy": (0, 1), "ixz": (0, 2), "iyy": (1, 1), "iyz": (1, 2), "izz": (2, 2)}
        SubElement(inertial, "inertia", {name: text(tensor[at]) for name, at in names.items()})
    for tag, shapes in (("visual", link.visuals), ("collision", link.collisions)):
        for i, shape in enumerate(shapes):
            part = SubElement(element, tag)
            _origin(part, shape.pose)
            SubElement(SubElement(part, "geometry"), shape.tag, dict(shape.attributes))
            if shape.rgba is not None:
                material = SubElement(part, "material", name=f"{link.name}_colour_{i}")
                SubElement(material, "color", rgba=text(*shape.rgba))
    if link.contact:
        contact = SubElement(element, "contact")
        for name, value in link.contact.items():
            SubElement(contact, name, value=text(value))


def _joint(root: Element, joint: JointTo) -> None:
    element = SubElement(root, "joint", name=joint.name, type=joint.kind)
    _origin(element, joint.pose)
    SubElement(element, "parent", link=joint.parent)
    SubElement(element, "child", link=joint.child)
    if joint.kind == "fixed":
        return
    SubElement(element, "axis", xyz=text(*(joint.axis / np.linalg.norm(joint.axis))))
    SubElement(element, "limit", {name: text(value) for name, value in joint.limits.items()})
    if joint.dynamics:
        SubElement(element, "dynamics", {name: text(value) for name, value in joint.dynamics.items()})
    if joint.mimic is not None:
        leader, multiplier, offset = joint.mimic
        SubElement(element, "mimic", joint=leader, multiplier=text(multiplier), offset=text(offset))
