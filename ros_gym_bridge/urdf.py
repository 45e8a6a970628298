"""What makes a URDF fit to load: the checks behind `read_model`.

Every rule stands here or in `urdf_heal.py` for a reason that was tried on PyBullet 3.2.7:

- It ends the process with a segmentation fault on several root links, a link below itself or below two joints, a joint
  twice, a joint without type, empty or very long names.
- It puts a default, without an error, in the place of words where a number belongs, vectors with tabs, a missing axis,
  a floating joint (becomes fixed). It cuts lines over 8 kB in two. A range with lower > upper, or without upper, is
  none to it; that of a continuous joint is one.
- It simulates not-a-number onward from any nan or inf and from an axis of length 0. Along an axis of another length
  than 1 it moves at the wrong speed.
- Beyond 127 joints it loads, but cannot tell a joint's state.
- The rest it refuses itself ("Cannot load URDF file."); here the text says which element and what to write.

What is inside of a mesh file is not checked. (An OBJ file with a face that names a missing vertex ends PyBullet, too.)
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.errors import MissingFileError, ModelError, UnsupportedFileError
from ros_gym_bridge.notes import Note
from ros_gym_bridge.urdf_heal import MAX_LINE, heal
from ros_gym_bridge.urdf_numbers import ATTRIBUTES, Numbers, numbers
from ros_gym_bridge.urdf_tree import check_tree
from ros_gym_bridge.uris import MESH_FORMATS, resolve_mesh
from ros_gym_bridge.xml_text import parse_xml

JOINT_TYPES = ("revolute", "continuous", "prismatic", "fixed")
SHAPES = ("box", "sphere", "cylinder", "capsule", "mesh", "plane")
MAX_JOINTS, MAX_NAME = 127, 1000
_INSTEAD = {
    "floating": "Remove it, let its child be the root, and write fixed_base: false in the robot file",
    "planar": "Use two prismatic joints and a continuous one, with links between them",
    "spherical": "Use three revolute joints with axes across each other, with links between them",
}


class Urdf(NamedTuple):
    """A URDF in which every check has passed: its text, the same as an element, and what was corrected."""

    text: str
    robot: Element
    notes: tuple[Note, ...]


def parse(text: str, where: str, folder: Path | None) -> Urdf:
    """Correct a URDF where it can mean only one thing, and check it.

    Args:
        text: the URDF.
        where: the file, for messages.
        folder: where relative names of meshes begin; None for a text that lies nowhere.

    Raises:
        ModelError: what is wrong, where, and what to write instead.
    """
    check = _Check(where, folder)
    robot = check.xml(text)
    text, notes = heal(text, robot, Path(where).stem)
    check.lines(text)
    check.robot(robot)
    return Urdf(text, robot, notes)


class _Check:
    """The checks of one file, which every message names."""

    def __init__(self, where: str, folder: Path | None) -> None:
        self.where, self.folder = where, folder

    def refuse(self, what: str, *, got: str = "", expected: str, remedy: str) -> ModelError:
        return ModelError(f"{self.where}: {what}", got=got, expected=expected, remedy=remedy)

    def robot(self, robot: Element) -> None:
        self.size(robot)
        for kind in ("link", "joint", "material"):
            self.names(kind, [element.get("name", "") for element in robot.findall(kind)])
        for joint in robot.findall("joint"):
            self.kind(joint)
        for part in robot:
            if part.tag in ("link", "joint", "material"):
                self.attributes(part)
        for link in robot.findall("link"):
            self.link(link)
        for joint in robot.findall("joint"):
            self.joint(joint)
        self.mimics(robot.findall("joint"))
        check_tree(robot, self.refuse)

    def lines(self, text: str) -> None:
        """Those that are still too long when every element has a line of its own."""
        for number, line in enumerate(text.splitlines(), 1):
            if len(line.encode()) > MAX_LINE:
                raise self.refuse(
                    f"line {number} is too long for PyBullet, which would cut it in two",
                    got=f"{len(line.encode())} bytes",
                    expected=f"at most {MAX_LINE}",
                    remedy="Shorten the text of its element",
                )

    def xml(self, text: str) -> Element:
        root = parse_xml(text, self.where)
        if root.tag != "robot":
            remedy = "Name a URDF, a xacro, an SDF or an MJCF file"
            raise self.refuse("not a URDF", got=f"<{root.tag}>", expected="<robot> outermost", remedy=remedy)
        if any(element.tag.startswith("{http") and "xacro" in element.tag for element in root.iter()):
            remedy = "Let its name end in .xacro, or expand it: xacro FILE > robot.urdf"
            raise self.refuse("still holds xacro macros", expected="a plain URDF", remedy=remedy)
        if root.find("link") is None:
            remedy = "Add at least one link"
            raise self.refuse("no links", expected="<link> elements directly below <robot>", remedy=remedy)
        return root

    def size(self, robot: Element) -> None:
        joints = len(robot.findall("joint"))
        if joints > MAX_JOINTS:
            expected, remedy = f"at most {MAX_JOINTS}", "Simplify the model"
            raise self.refuse("too many joints for PyBullet", got=str(joints), expected=expected, remedy=remedy)

    def names(self, kind: str, names: list[str]) -> None:
        for name in names:
            if not name or len(name.encode()) > MAX_NAME:
                got = f"{len(name.encode())} bytes" if name else "none"
                expected, remedy = f"1 to {MAX_NAME} bytes", f'Write <{kind} name="...">'
                raise self.refuse(f"a {kind} without a usable name", got=got, expected=expected, remedy=remedy)
        twice = next((name for name, times in Counter(names).items() if times > 1), None)
        if twice is not None and kind != "material":
            remedy = "Rename or remove one of them"
            raise self.refuse(f"two {kind}s are named '{twice}'", expected="every name once", remedy=remedy)

    def attributes(self, part: Element) -> None:
        """Every number in a link, joint or material."""
        where = f"{part.tag} '{part.get('name')}'"
        for element in part.iter():
            for name, rule in ATTRIBUTES.get(element.tag, {}).items():
                text = element.get(name)
                if text is not None or rule.required:
                    self.numbers(f"{where}: <{element.tag} {name}>", text, rule)

    def numbers(self, where: str, text: str | None, rule: Numbers) -> None:
        if text is None:
            raise self.refuse(f"{where} is missing", expected=str(rule), remedy="Add the attribute")
        try:
            values = numbers(text)
        except ValueError:
            values = ()
        if len(values) != rule.count or min(values) < rule.least or set(text) & set("\t\n\r"):
            raise self.refuse(f"{where} is not right", got=repr(text), expected=str(rule), remedy="Correct the value")

    def link(self, link: Element) -> None:
        where = f"link '{link.get('name')}'"
        for inertial in link.findall("inertial"):
            self.inertial(where, inertial)
        for shape in (*link.findall("visual"), *link.findall("collision")):
            self.shape(where, shape)
        for element in link.iter("texture"):
            self.file(where, element)

    def inertial(self, where: str, inertial: Element) -> None:
        for name in ("mass", "inertia"):
            if inertial.find(name) is None:
                expected, remedy = "<mass> and <inertia>", "Add it, or leave <inertial> out"
                raise self.refuse(f"{where}: <inertial> without <{name}>", expected=expected, remedy=remedy)
        element = inertial.find("inertia")
        assert element is not None
        xx, xy, xz, yy, yz, zz = (float(element.attrib[name]) for name in ATTRIBUTES["inertia"])
        moments = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        if moments[0] < -1e-9 * abs(moments[2]):
            expected, remedy = "principal moments of 0 or more", "Correct the signs or the products of inertia"
            got = f"principal moments {', '.join(f'{moment:.6g}' for moment in moments)}"
            raise self.refuse(f"{where}: impossible <inertia>", got=got, expected=expected, remedy=remedy)

    def shape(self, where: str, element: Element) -> None:
        geometry = element.find("geometry")
        shape = next(iter(geometry), None) if geometry is not None else None
        if shape is None or shape.tag not in SHAPES:
            got = "nothing" if shape is None else f"<{shape.tag}>"
            expected = f"<geometry> with one of {', '.join(SHAPES)}"
            raise self.refuse(f"{where}: <{element.tag}> without a shape", got=got, expected=expected, remedy="Add one")
        if shape.tag == "mesh":
            self.file(where, shape)
        for material in element.findall("material"):
            if not material.get("name"):
                expected = '<material name="...">'
                raise self.refuse(f"{where}: a material without name", expected=expected, remedy="Name it")

    def file(self, where: str, element: Element) -> None:
        """A mesh or texture that is there and not empty."""
        name = element.get("filename", "")
        endings = MESH_FORMATS if element.tag == "mesh" else ("",)
        if not name or not name.lower().endswith(endings):
            what, remedy = f"{where}: <{element.tag}> names no file of a known kind", "Convert it, or correct the name"
            expected = f"a name ending in {', '.join(endings)}" if endings[0] else "a name"
            raise UnsupportedFileError(f"{self.where}: {what}", got=f"'{name}'", expected=expected, remedy=remedy)
        try:
            path = resolve_mesh(name, self.folder)
        except ModelError as error:
            what = f"{where}: the file of its <{element.tag}>, '{name}', was not found"
            raise MissingFileError(f"{self.where}: {what}", expected=error.expected, remedy=error.remedy) from error
        if path.stat().st_size == 0:
            what, expected = f"{where}: {path} is empty", f"a {element.tag}"
            raise MissingFileError(f"{self.where}: {what}", expected=expected, remedy="Get the file again")

    def kind(self, joint: Element) -> None:
        kind = joint.get("type", "")
        if kind not in JOINT_TYPES:
            what = f"joint '{joint.get('name')}' is of an unsupported type"
            expected, remedy = f"one of {', '.join(JOINT_TYPES)}", _INSTEAD.get(kind, "Use one of these types")
            raise self.refuse(what, got=f"'{kind}'", expected=expected, remedy=remedy)

    def joint(self, joint: Element) -> None:
        where, kind = f"joint '{joint.get('name')}'", joint.attrib["type"]
        for end in ("parent", "child"):
            element = joint.find(end)
            if element is None or not element.get("link"):
                raise self.refuse(f"{where} has no {end}", expected=f'<{end} link="..."/>', remedy="Add it")
        if kind != "fixed":
            self.axis(where, joint.find("axis"))
        if kind in ("revolute", "prismatic"):
            self.limit(where, kind, joint.find("limit"))

    def axis(self, where: str, axis: Element | None) -> None:
        assert axis is not None
        vector = numbers(axis.attrib["xyz"])
        if math.hypot(*vector) < 0.5:  # any other length was made 1
            expected, remedy = "a direction", "Write a unit vector, such as 0 0 1"
            raise self.refuse(f"{where} has no axis", got=axis.attrib["xyz"], expected=expected, remedy=remedy)

    def limit(self, where: str, kind: str, limit: Element | None) -> None:
        if limit is None:
            expected = '<limit lower="..." upper="..." velocity="..." effort="..."/>'
            remedy = "Add it" if kind == "prismatic" else "Add it, or make the joint continuous"
            raise self.refuse(f"{where} is {kind} and has no limit", expected=expected, remedy=remedy)
        lower, upper = float(limit.get("lower", 0)), float(limit.get("upper", 0))
        if lower > upper:
            unlimited = "make it continuous" if kind == "revolute" else "write wide ones"
            got, remedy = f"lower {lower}, upper {upper}", f"Swap them, or {unlimited} if it has no end"
            raise self.refuse(f"{where}: empty range", got=got, expected="lower <= upper", remedy=remedy)

    def mimics(self, joints: list[Element]) -> None:
        names = [joint.attrib["name"] for joint in joints]
        for joint in joints:
            mimic = joint.find("mimic")
            if mimic is not None and (mimic.get("joint") == joint.get("name") or mimic.get("joint") not in names):
                what = f"joint '{joint.get('name')}' mimics no other joint"
                expected, remedy = "the name of another joint", "Correct the name, or remove <mimic>"
                raise self.refuse(what, got=repr(mimic.get("joint", "")), expected=expected, remedy=remedy)
