"""The URDF that other programs get: every file by its full name, and in the words that they know."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement
from xml.sax.saxutils import quoteattr

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.pose import HERE, at, from_rpy
from ros_gym_bridge.formats.writer import text as words
from ros_gym_bridge.robot_model import RobotModel
from ros_gym_bridge.urdf_numbers import numbers
from ros_gym_bridge.uris import resolve_mesh

# comments are matched too, first, so that what they hold stays as it is
_FILENAME = re.compile(r"<!--.*?-->|(<(?:mesh|texture)\b[^>]*?\sfilename\s*=\s*)(\"[^\"]*\"|'[^']*')", re.DOTALL)


def description(model: RobotModel) -> str:
    """The URDF for the topic `robot_description`.

    As in the file, but every mesh and texture by its `file://` URI, percent-encoded, which RViz can open. A capsule, of
    which the URDF parser of ROS knows nothing, is a cylinder with two spheres.
    """
    text = with_full_names(model, Path.as_uri)
    return _without_capsules(text) if "<capsule" in text else text


def with_full_names(model: RobotModel, name: Callable[[Path], str]) -> str:
    """The URDF with every mesh and texture named in full.

    Args:
        model: what `read_model` returned.
        name: how a file is named. `str` gives plain absolute paths, which PyBullet reads from any working directory; it
            cannot decode URIs.
    """

    def absolute(match: re.Match[str]) -> str:
        before, quoted = match.groups()
        if before is None:
            return match[0]
        try:
            return str(before + quoteattr(name(resolve_mesh(html.unescape(quoted[1:-1]), model.folder))))
        except ModelError:  # not in a link (those were checked): another program's element, whose rules are its own
            return match[0]

    return _FILENAME.sub(absolute, model.text)


def _without_capsules(text: str) -> str:
    robot = ElementTree.fromstring(text)
    for link in robot.findall("link"):
        for part in [*link.findall("visual"), *link.findall("collision")]:
            capsule = part.find("geometry/capsule")
            if capsule is not None:
                index = list(link).index(part)
                link[index : index + 1] = _replaced(part, capsule)
    return ElementTree.tostring(robot, encoding="unicode")


def _replaced(part: Element, capsule: Element) -> list[Element]:
    """A cylinder and the spheres at its ends, in the place of a visual or collision element with a capsule."""
    radius, length = capsule.get("radius", "0"), capsule.get("length", "0")
    origin = part.find("origin")
    place = at(numbers(origin.get("xyz", "0 0 0"))) if origin is not None else HERE
    turn = from_rpy(*numbers(origin.get("rpy", "0 0 0"))) if origin is not None else HERE.turn
    replaced = []
    for up in (0.0, 0.5, -0.5):
        copy = deepcopy(part)
        geometry = copy.find("geometry")
        assert geometry is not None
        geometry.clear()
        if up:
            SubElement(geometry, "sphere", radius=radius)
            for old in copy.findall("origin"):
                copy.remove(old)
            SubElement(copy, "origin", xyz=words(*(place.xyz + turn @ (0.0, 0.0, up * float(length)))))
        else:
            SubElement(geometry, "cylinder", radius=radius, length=length)
        replaced.append(copy)
    return replaced
