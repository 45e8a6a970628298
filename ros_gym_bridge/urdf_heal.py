"""What many URDFs get wrong and can only mean one thing: written right, and said.

What is changed here is changed for everybody: for PyBullet, for our own reading, and on the topic `robot_description`.
Whatever could mean two things is left to `urdf.py`, which refuses it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ros_gym_bridge.notes import Note
from ros_gym_bridge.urdf_numbers import ATTRIBUTES, numbers

MAX_LINE = 8000  # bytes; PyBullet cuts longer lines in two
MOVABLE = ("revolute", "continuous", "prismatic")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BROKEN_VECTOR = re.compile(r"""\b(?:xyz|rpy|size|scale|rgba|normal)\s*=\s*(["'])[^"'\t\r\n]*[\t\r\n][^"']*\1""")


def heal(text: str, robot: Element, name: str) -> tuple[str, tuple[Note, ...]]:
    """Correct `robot`, parsed from `text`, in place.

    Args:
        text: the URDF.
        robot: its `<robot>` element.
        name: for a robot that has none.

    Returns:
        The text that says the same as `robot`: `text` itself when nothing was to be done. And what was done.
    """
    notes = (*_file(text), *_robot(robot, name), *_names(robot), *_parts(robot))
    if not notes:
        return text, ()
    ElementTree.indent(robot)
    return ElementTree.tostring(robot, encoding="unicode"), notes


def _file(text: str) -> Iterator[Note]:
    """What PyBullet reads otherwise than an XML parser does; writing the text anew is the cure."""
    long = next((n for n, line in enumerate(text.splitlines(), 1) if len(line.encode()) > MAX_LINE), None)
    if long is not None:
        what = f"line {long} has more than {MAX_LINE} bytes, where PyBullet would cut it; line breaks are put in"
        yield Note("", what, "Put line breaks between the elements")
    broken = _BROKEN_VECTOR.search(_COMMENT.sub("", text))
    if broken is not None:
        what = f"{broken[0]!r} has tabs or line breaks, which PyBullet reads as 0 0 0; spaces are put in"
        yield Note("", what, "Write it on one line, with spaces")


def _robot(robot: Element, name: str) -> Iterator[Note]:
    if not robot.get("name"):
        robot.set("name", name)
        yield Note("", f"the robot has no name; it is called '{name}'", 'Write <robot name="...">')


def _names(robot: Element) -> Iterator[Note]:
    """Of joints and materials. A link without name is refused: joints could not mean it."""
    joints = robot.findall("joint")
    taken = {str(joint.get("name")) for joint in joints}
    for joint in joints:
        if not joint.get("name"):
            name = _free(f"{_end(joint, 'parent')}_to_{_end(joint, 'child')}", taken)
            joint.set("name", name)
            yield Note(f"joint '{name}'", "it has no name; this one was made", 'Write <joint name="...">')
    taken = {str(material.get("name")) for material in robot.iter("material")}
    for link in robot.findall("link"):
        for material in link.iter("material"):
            if not material.get("name"):
                material.set("name", _free(f"{link.get('name')}_material", taken))
                what = f"a material has no name; it is called '{material.get('name')}'"
                yield Note(f"link '{link.get('name')}'", what, 'Write <material name="...">')


def _end(joint: Element, end: str) -> str:
    element = joint.find(end)
    return element.get("link", "") if element is not None else ""


def _free(name: str, taken: set[str]) -> str:
    """The name, or with a number behind it the first one that is not taken; it is from then on."""
    name = next(each for each in (name, *(f"{name}_{n}" for n in range(2, len(taken) + 3))) if each not in taken)
    taken.add(name)
    return name


def _parts(robot: Element) -> Iterator[Note]:
    for part in robot:
        if part.tag in ("link", "joint", "material"):
            where = f"{part.tag} '{part.get('name')}'"
            yield from _vectors(where, part)
            if part.tag == "link":
                yield from _products(where, part)
            if part.tag == "joint":
                yield from _dynamics(where, part)
                yield from _limit(where, part)
                if part.get("type") in MOVABLE:
                    yield from _axis(where, part)
                    yield from _range(where, part)


def _vectors(where: str, part: Element) -> Iterator[Note]:
    """Other signs than spaces between numbers, and numbers after the three that are meant."""
    for element in part.iter():
        for attribute, rule in ATTRIBUTES.get(element.tag, {}).items():
            given = element.get(attribute)
            if given is None or rule.count == 1:
                continue
            words = given.replace(",", " ").split()
            kept = words[: rule.count] if rule.count == 3 else words
            odd = len(kept) < len(words) or any(sign in given for sign in ",\t\r\n")
            if odd and len(kept) == rule.count and _are_numbers(words):
                element.set(attribute, " ".join(kept))
                what = f"<{element.tag} {attribute}> is {given!r}; it is read as '{element.get(attribute)}'"
                yield Note(where, what, f"Write {rule.count} numbers with spaces between them")


def _are_numbers(words: list[str]) -> bool:
    try:
        numbers(" ".join(words))
    except ValueError:
        return False
    return True


def _products(where: str, link: Element) -> Iterator[Note]:
    """Products of inertia that are left out because they are 0."""
    for inertia in link.findall("inertial/inertia"):
        missing = [name for name in ("ixy", "ixz", "iyz") if inertia.get(name) is None]
        if missing:
            inertia.attrib.update(dict.fromkeys(missing, "0"))
            yield Note(where, f"<inertia> without {', '.join(missing)}; they are taken as 0", "Write them")


def _dynamics(where: str, joint: Element) -> Iterator[Note]:
    for dynamics in joint.findall("dynamics"):
        if not {"damping", "friction"}.intersection(dynamics.keys()):
            joint.remove(dynamics)
            yield Note(where, "<dynamics> says neither damping nor friction; it is left out", "Remove it")


def _axis(where: str, joint: Element) -> Iterator[Note]:
    axis = joint.find("axis")
    if axis is None:
        ElementTree.SubElement(joint, "axis", xyz="1 0 0")
        yield Note(where, "it has no axis; it moves about 1 0 0, the URDF's default", 'Write <axis xyz="..."/>')
        return
    given = axis.get("xyz", "")
    vector = numbers(given) if _are_numbers(given.split()) else ()
    length = math.hypot(*vector)
    if len(vector) == 3 and length > 1e-6 and abs(length - 1) > 1e-3:
        axis.set("xyz", " ".join(f"{x / length:.17g}" for x in vector))
        short = " ".join(f"{x / length:.6g}" for x in vector)
        what = f"its axis has the length {length:.6g}, which PyBullet takes for a gear; it is made 1"
        yield Note(where, what, f"Write {short}")


def _limit(where: str, joint: Element) -> Iterator[Note]:
    for limit in joint.findall("limit"):
        for name in ("effort", "velocity"):
            if limit.get(name) is None:
                limit.set(name, "0")
                yield Note(where, f"<limit> without {name}, which URDF requires; 0 is put in", f"Add {name}")


def _range(where: str, joint: Element) -> Iterator[Note]:
    limit = joint.find("limit")
    if limit is None:
        return
    ends = {name for name in ("lower", "upper") if limit.get(name) is not None}
    kind = joint.get("type")
    if kind == "continuous" and ends:
        for name in sorted(ends):
            del limit.attrib[name]
        what = "it is continuous and has a range, which PyBullet would keep; the range is left out"
        yield Note(where, what, "Make it revolute, or remove lower and upper")
    elif kind == "revolute" and not ends:
        joint.set("type", "continuous")
        yield Note(where, "it is revolute without a range; it is made continuous", "Write lower and upper")
    elif kind != "continuous" and len(ends) < 2:
        limit.attrib.update(dict.fromkeys({"lower", "upper"} - ends, "0"))
        what = "its range is not stated in full; what is missing is 0, the URDF's default"
        yield Note(where, what, "Write lower and upper")
