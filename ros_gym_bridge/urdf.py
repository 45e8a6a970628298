"""What makes a URDF fit to load: the checks behind `read_model`.

Every rule stands here, in a file beside this one or in `urdf_heal.py` for a reason that was tried on PyBullet 3.2.7:

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

from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.notes import Note
from ros_gym_bridge.urdf_heal import MAX_LINE, heal
from ros_gym_bridge.urdf_joints import check_joints, check_types
from ros_gym_bridge.urdf_links import check_links
from ros_gym_bridge.urdf_numbers import ATTRIBUTES, Numbers, numbers
from ros_gym_bridge.urdf_tree import check_tree
from ros_gym_bridge.xml_text import parse_xml

MAX_JOINTS, MAX_NAME = 127, 1000


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
        check_types(robot, self.refuse)
        for part in robot:
            if part.tag in ("link", "joint", "material"):
                self.attributes(part)
        check_links(robot, self.where, self.folder, self.refuse)
        check_joints(robot, self.refuse)
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
