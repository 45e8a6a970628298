"""What makes a URDF fit to load: the checks behind `read_model`.

Every rule stands here for a reason that was tried on PyBullet 3.2.7:

- It ends the process with a segmentation fault on several root links, a link below itself or below two joints, a joint
  twice, a joint without type, empty or very long names.
- It puts a default, without an error, in the place of words where a number belongs, vectors with commas or tabs, a
  missing axis, a floating joint (becomes fixed). It cuts lines over 8 kB in two.
- It simulates not-a-number onward from any nan or inf and from an axis of length 0. Along an axis of another length
  than 1 it moves at the wrong speed.
- Beyond 127 joints it loads, but cannot tell a joint's state.
- The rest it refuses itself ("Cannot load URDF file."); here the text says which element and what to write.

What is inside of a mesh file is not checked. (An OBJ file with a face that names a missing vertex ends PyBullet, too.)
"""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.urdf_numbers import ATTRIBUTES, Numbers, numbers
from ros_gym_bridge.urdf_tree import check_tree
from ros_gym_bridge.uris import MESH_FORMATS, resolve_mesh

JOINT_TYPES = ("revolute", "continuous", "prismatic", "fixed")
SHAPES = ("box", "sphere", "cylinder", "capsule", "mesh", "plane")
MAX_JOINTS, MAX_DEPTH, MAX_LINE, MAX_NAME = 127, 90, 8000, 1000
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BROKEN_VECTOR = re.compile(r"""\b(?:xyz|rpy|size|scale|rgba|normal)\s*=\s*(["'])[^"'\t\r\n]*[\t\r\n][^"']*\1""")


def parse(text: str, path: Path) -> Element:
    """The `<robot>` element of a URDF in which every check has passed.

    Raises:
        ModelError: what is wrong, where, and what to write instead.
    """
    return _Check(path).robot(text)


class _Check:
    """The checks of one file, which every message names."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def refuse(self, what: str, *, got: str = "", expected: str, remedy: str) -> ModelError:
        return ModelError(f"{self.path}: {what}", got=got, expected=expected, remedy=remedy)

    def robot(self, text: str) -> Element:
        self.text(text)
        robot = self.xml(text)
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
        return robot

    def text(self, text: str) -> None:
        """What PyBullet reads otherwise than an XML parser does."""
        for number, line in enumerate(text.splitlines(), 1):
            if len(line.encode()) > MAX_LINE:
                raise self.refuse(
                    f"line {number} is too long for PyBullet, which would cut it in two",
                    got=f"{len(line.encode())} bytes",
                    expected=f"at most {MAX_LINE}",
                    remedy="Put line breaks between the elements",
                )
        if "<!ENTITY" in text:
            expected, remedy = "no <!ENTITY>: PyBullet does not replace them", "Write out what the entities stand for"
            raise self.refuse("entities are declared", expected=expected, remedy=remedy)
        broken = _BROKEN_VECTOR.search(_COMMENT.sub("", text))
        if broken is not None:
            what, remedy = "a vector that PyBullet reads as 0 0 0", "Write it on one line, with spaces"
            raise self.refuse(what, got=repr(broken[0]), expected="no tabs or line breaks in it", remedy=remedy)

    def xml(self, text: str) -> Element:
        try:
            root = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            line, column = error.position
            where = f"line {line}, column {column + 1}"
            reason = str(error).partition(":")[0]
            remedy = "Correct the file there"
            raise self.refuse(f"not XML at {where}", got=reason, expected="a URDF", remedy=remedy) from error
        if root.tag != "robot":
            remedy = "Name a URDF; convert SDF or MJCF first"
            raise self.refuse("not a URDF", got=f"<{root.tag}>", expected="<robot> outermost", remedy=remedy)
        if any(element.tag.startswith("{http") and "xacro" in element.tag for element in root.iter()):
            remedy = "Convert it: xacro FILE > robot.urdf"
            raise self.refuse("still holds xacro macros", expected="a plain URDF", remedy=remedy)
        if not root.get("name"):
            remedy = 'Write <robot name="...">'
            raise self.refuse("the robot has no name", expected="a name on <robot>", remedy=remedy)
        if root.find("link") is None:
            remedy = "Add at least one link"
            raise self.refuse("no links", expected="<link> elements directly below <robot>", remedy=remedy)
        self.size(root)
        return root

    def size(self, root: Element) -> None:
        depth, level = 0, [root]
        while level:
            depth, level = depth + 1, [child for element in level for child in element]
        joints = len(root.findall("joint"))
        for what, got, most in (("levels of elements", depth, MAX_DEPTH), ("joints", joints, MAX_JOINTS)):
            if got > most:
                what, remedy = f"too many {what} for PyBullet", "Simplify the model"
                raise self.refuse(what, got=str(got), expected=f"at most {most}", remedy=remedy)

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
            raise self.refuse(what, got=f"'{name}'", expected=expected, remedy=remedy)
        try:
            path = resolve_mesh(name, self.path)
        except ModelError as error:
            what = f"{where}: the file of its <{element.tag}>, '{name}', was not found"
            raise self.refuse(what, expected=error.expected, remedy=error.remedy) from error
        if path.stat().st_size == 0:
            raise self.refuse(f"{where}: {path} is empty", expected=f"a {element.tag}", remedy="Get the file again")

    def kind(self, joint: Element) -> None:
        kind = joint.get("type", "")
        if kind not in JOINT_TYPES:
            what, remedy = (
                f"joint '{joint.get('name')}' is of an unsupported type",
                "Build it from joints of these types",
            )
            raise self.refuse(what, got=f"'{kind}'", expected=f"one of {', '.join(JOINT_TYPES)}", remedy=remedy)

    def joint(self, joint: Element) -> None:
        where, kind = f"joint '{joint.get('name')}'", joint.attrib["type"]
        for end in ("parent", "child"):
            element = joint.find(end)
            if element is None or not element.get("link"):
                raise self.refuse(f"{where} has no {end}", expected=f'<{end} link="..."/>', remedy="Add it")
        dynamics = joint.find("dynamics")
        if dynamics is not None and not {"damping", "friction"}.intersection(dynamics.keys()):
            remedy = "Add one of them, or remove the element"
            raise self.refuse(f"{where}: empty <dynamics>", expected="damping or friction", remedy=remedy)
        if kind != "fixed":
            self.axis(where, joint.find("axis"))
        if kind in ("revolute", "prismatic"):
            self.limit(where, kind, joint.find("limit"))

    def axis(self, where: str, axis: Element | None) -> None:
        if axis is None:
            remedy = 'Write <axis xyz="1 0 0"/> for the default of the URDF specification'
            raise self.refuse(f"{where} has no axis", expected='<axis xyz="..."/>', remedy=remedy)
        vector = numbers(axis.attrib["xyz"])
        length = math.hypot(*vector)
        if abs(length - 1) > 1e-3:
            unit = " ".join(f"{x / length:.9g}" for x in vector) if length else "a unit vector, such as 0 0 1,"
            remedy = f"Write {unit} instead"
            raise self.refuse(
                f"{where}: the axis has the length {length:.6g}", got=axis.attrib["xyz"], expected="1", remedy=remedy
            )

    def limit(self, where: str, kind: str, limit: Element | None) -> None:
        if limit is None:
            expected = '<limit lower="..." upper="..." velocity="..." effort="..."/>'
            remedy = "Add it" if kind == "prismatic" else "Add it, or make the joint continuous"
            raise self.refuse(f"{where} is {kind} and has no limit", expected=expected, remedy=remedy)
        lower, upper = float(limit.get("lower", 0)), float(limit.get("upper", 0))
        if lower > upper:
            got, remedy = f"lower {lower}, upper {upper}", "Swap them"
            raise self.refuse(f"{where}: empty range", got=got, expected="lower <= upper", remedy=remedy)

    def mimics(self, joints: list[Element]) -> None:
        names = [joint.attrib["name"] for joint in joints]
        for joint in joints:
            mimic = joint.find("mimic")
            if mimic is not None and (mimic.get("joint") == joint.get("name") or mimic.get("joint") not in names):
                what = f"joint '{joint.get('name')}' mimics no other joint"
                expected, remedy = "the name of another joint", "Correct the name, or remove <mimic>"
                raise self.refuse(what, got=repr(mimic.get("joint", "")), expected=expected, remedy=remedy)
