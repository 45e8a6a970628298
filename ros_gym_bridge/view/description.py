"""What `robot_description` says about a robot's looks and joints.

`model.py` refuses what PyBullet would not survive. Here the robot is anybody's and only drawn: what cannot be read is
left out and noted, and the rest is shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from xml.etree.ElementTree import Element

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.robot_model import Joint
from ros_gym_bridge.view.elements import Colour, read_colour, read_joint, read_numbers, read_origin
from ros_gym_bridge.view.frames import Matrix
from ros_gym_bridge.xml_text import clean, parse_xml

Thing = TypeVar("Thing")

WHAT = "robot_description"
_SIZES = {"box": ("size",), "sphere": ("radius",), "cylinder": ("radius", "length"), "capsule": ("radius", "length")}


@dataclass(frozen=True)
class Visual:
    """One shape of a link.

    Attributes:
        kind: `box`, `sphere`, `cylinder`, `capsule` (these about their centre, along z) or `mesh`.
        size: of a box x, y, z; radius; radius and length; of a mesh its scale x, y, z. m, but for the scale.
        origin: pose in the link's frame.
        colour: as the description states it.
        file: of a mesh, as the description names it.
    """

    kind: str
    size: tuple[float, ...]
    origin: Matrix
    colour: Colour | None
    file: str = ""


@dataclass(frozen=True)
class Description:
    """A robot to draw.

    Attributes:
        links: names, each after the link above it.
        joints: in the same order: each after those above it.
        roots: the links that no joint holds.
        visuals: what to draw, by link.
        notes: what could not be read, in words.
    """

    name: str
    links: tuple[str, ...]
    joints: tuple[Joint, ...]
    roots: tuple[str, ...]
    visuals: dict[str, tuple[Visual, ...]]
    notes: tuple[str, ...]


def read_description(text: str) -> Description:
    """Read a URDF from a topic.

    Raises:
        ModelError: it is no URDF at all, or more than `xml_text` allows.
    """
    root = parse_xml(clean(text), WHAT)
    if root.tag != "robot":
        got = f"<{root.tag[:40]}>"
        raise ModelError(f"{WHAT}: not a URDF", got=got, expected="<robot> outermost", remedy="Publish a URDF")
    return _Reader(root).description()


class _Reader:
    """Reads one document, and collects notes on what it leaves out."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self._notes: list[str] = []
        self._colours = {
            str(material.get("name")): colour
            for material in root.iter("material")
            if (colour := self._try("a material", read_colour, material)) is not None
        }

    def description(self) -> Description:
        elements = {str(each.get("name")): each for each in self._root.findall("link") if each.get("name")}
        found = [self._try(f"joint '{each.get('name')}'", read_joint, each) for each in self._root.findall("joint")]
        joints = self._tree(elements, [joint for joint in found if joint is not None])
        children = {joint.child for joint in joints}
        roots = tuple(name for name in elements if name not in children)
        ordered, links = _ordered(roots, joints)
        self._notes += [f"link '{name}' hangs in a ring of joints and is left out" for name in elements.keys() - links]
        visuals = {name: tuple(self._visuals(name, elements[name])) for name in links}
        if not any(visuals.values()):
            visuals = {name: tuple(self._visuals(name, elements[name], "collision")) for name in links}
            if any(visuals.values()):
                self._notes.append("no link has a <visual>: the collision shapes are shown")
        name = self._root.get("name", "")
        return Description(name, tuple(links), tuple(ordered), roots, visuals, tuple(self._notes))

    def _tree(self, links: dict[str, Element], joints: list[Joint]) -> list[Joint]:
        """The joints between links that are there, one above each link."""
        kept: dict[str, Joint] = {}
        for joint in joints:
            lacking = [end for end in (joint.parent, joint.child) if end not in links]
            if lacking:
                self._notes.append(f"joint '{joint.name}' is left out: there is no link '{lacking[0]}'")
            elif joint.child in kept:
                self._notes.append(f"joint '{joint.name}' is left out: '{kept[joint.child].name}' holds its child")
            else:
                kept[joint.child] = joint
        return list(kept.values())

    def _visuals(self, link: str, element: Element, tag: str = "visual") -> Iterator[Visual]:
        for each in element.findall(tag):
            visual = self._try(f"link '{link}': a <{tag}>", self._visual, each)
            if visual is not None:
                yield visual

    def _visual(self, element: Element) -> Visual:
        geometry = element.find("geometry")
        shape = next(iter(geometry), None) if geometry is not None else None
        if shape is None:
            raise ValueError("no shape in it")
        material = element.find("material")
        colour = None if material is None else read_colour(material) or self._colours.get(str(material.get("name")))
        origin = read_origin(element)
        if shape.tag == "mesh":
            if not shape.get("filename"):
                raise ValueError("a <mesh> without a file name")
            return Visual("mesh", read_numbers(shape, "scale", "1 1 1", 3), origin, colour, shape.attrib["filename"])
        if shape.tag not in _SIZES:
            raise ValueError(f"<{shape.tag}> is no shape that is known here")
        count = 3 if shape.tag == "box" else 1
        size = [n for name in _SIZES[shape.tag] for n in read_numbers(shape, name, "", count)]
        if min(size) < 0:
            raise ValueError(f"<{shape.tag}> of a negative size")
        return Visual(shape.tag, tuple(size), origin, colour)

    def _try(self, where: str, read: Callable[[Element], Thing], element: Element) -> Thing | None:
        try:
            return read(element)
        except ValueError as error:
            self._notes.append(f"{where} is left out: {error}")
            return None


def _ordered(roots: tuple[str, ...], joints: list[Joint]) -> tuple[list[Joint], dict[str, None]]:
    """Joints and links from the roots down."""
    below: dict[str, list[Joint]] = {}
    for joint in joints:
        below.setdefault(joint.parent, []).append(joint)
    ordered: list[Joint] = []
    links = dict.fromkeys(roots)
    waiting = deque(roots)
    while waiting:
        for joint in below.get(waiting.popleft(), ()):
            ordered.append(joint)
            links[joint.child] = None
            waiting.append(joint.child)
    return ordered, links
