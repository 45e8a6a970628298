"""A robot's URDF, read and checked before anything else sees it.

PyBullet reads the text again by itself. It dies with a segmentation fault on some broken URDFs and reads others in ways
of its own, so `read_model` corrects or refuses those first, in words that say what to change.

Conventions: SI units and right-handed frames (REP 103); `rpy` is a rotation about the fixed axes x, y, z of the parent
frame, in this order (URDF specification, https://wiki.ros.org/urdf/XML/joint).
"""

from __future__ import annotations

import difflib
import html
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.notes import Note
from ros_gym_bridge.urdf import parse
from ros_gym_bridge.urdf_numbers import numbers
from ros_gym_bridge.uris import resolve_mesh, resolve_uri
from ros_gym_bridge.xml_text import read_text

__all__ = ["Joint", "Mimic", "RobotModel", "description", "read_model", "resolve_mesh", "resolve_uri"]

Vector = tuple[float, float, float]

ROTARY = ("revolute", "continuous")
MOVABLE = (*ROTARY, "prismatic")


@dataclass(frozen=True)
class Mimic:
    """This joint should stand at `multiplier * position of joint + offset`. PyBullet ignores it."""

    joint: str
    multiplier: float
    offset: float


@dataclass(frozen=True)
class Joint:
    """One joint.

    Attributes:
        type: "revolute", "continuous", "prismatic" or "fixed".
        parent, child: names of links.
        xyz: where the child frame's origin stands at position 0, m, in the parent link's frame.
        rpy: how it is turned there, rad, about the parent's fixed axes x, y, z.
        axis: unit vector in the child's frame.
        lower, upper: limits of the position, rad or m; -inf and inf for a continuous joint, 0 for a fixed one.
        velocity, effort: the largest, rad/s or m/s, Nm or N; inf where the URDF has no <limit>. 0 is what many
            URDFs write when they do not know.
        mimic: what it should follow, if anything.
    """

    name: str
    type: str
    parent: str
    child: str
    xyz: Vector
    rpy: Vector
    axis: Vector
    lower: float
    upper: float
    velocity: float
    effort: float
    mimic: Mimic | None = None

    @cached_property
    def quaternion(self) -> tuple[float, float, float, float]:
        """`rpy` as x, y, z, w."""
        (sr, cr), (sp, cp), (sy, cy) = ((math.sin(angle / 2), math.cos(angle / 2)) for angle in self.rpy)
        return (
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
            cr * cp * cy + sr * sp * sy,
        )

    @cached_property
    def rotation(self) -> tuple[Vector, Vector, Vector]:
        """`rpy` as a rotation matrix, Rz(yaw) Ry(pitch) Rx(roll): three rows; child to parent."""
        (sr, cr), (sp, cp), (sy, cy) = ((math.sin(angle), math.cos(angle)) for angle in self.rpy)
        return (
            (cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
            (sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
            (-sp, cp * sr, cp * cr),
        )

    @cached_property
    def slide(self) -> Vector:
        """`axis` in the parent's frame: where a prismatic joint moves its child."""
        x, y, z = (sum(a * b for a, b in zip(row, self.axis, strict=True)) for row in self.rotation)
        return x, y, z


@dataclass(frozen=True)
class RobotModel:
    """A URDF that was found good: links and joints in the order of the file.

    Attributes:
        path: the file; of a text, the name that it was given.
        text: the URDF, corrected where it could mean only one thing.
        folder: where relative names of meshes begin; None for a text.
        notes: what was corrected.
    """

    path: Path
    text: str
    name: str
    links: tuple[str, ...]
    joints: tuple[Joint, ...]
    root: str
    folder: Path | None
    notes: tuple[Note, ...] = ()

    @cached_property
    def movable(self) -> tuple[Joint, ...]:
        """The revolute, continuous and prismatic joints."""
        return tuple(joint for joint in self.joints if joint.type in MOVABLE)

    def joint(self, name: str) -> Joint:
        """The joint of that name.

        Raises:
            ModelError: there is none.
        """
        try:
            return self._joints[name]
        except KeyError:
            raise self._unknown("joint", name, list(self._joints)) from None

    def chain(self, tip: str) -> tuple[Joint, ...]:
        """The joints from the root link to the link `tip`, fixed ones included; empty for the root itself.

        Raises:
            ModelError: there is no such link.
        """
        if tip not in self.links:
            raise self._unknown("link", tip, list(self.links))
        joints: list[Joint] = []
        while tip != self.root:
            joints.append(self._above[tip])
            tip = joints[-1].parent
        return tuple(reversed(joints))

    @cached_property
    def massless(self) -> tuple[str, ...]:
        """The links that state no `<inertial>`."""
        links = ElementTree.fromstring(self.text).findall("link")
        return tuple(str(link.get("name")) for link in links if link.find("inertial") is None)

    @cached_property
    def _joints(self) -> dict[str, Joint]:
        return {joint.name: joint for joint in self.joints}

    @cached_property
    def _above(self) -> dict[str, Joint]:
        return {joint.child: joint for joint in self.joints}

    def _unknown(self, kind: str, name: str, known: list[str]) -> ModelError:
        near = difflib.get_close_matches(name, known, 1)
        remedy = f"Perhaps '{near[0]}' is meant" if near else "Correct the name, or add it to the URDF"
        expected = f"one of {', '.join(known)}" if known else f"none: the model has no {kind}"
        return ModelError(f"{self.path}: no such {kind}", got=f"'{name}'", expected=expected, remedy=remedy)


def read_model(path: Path) -> RobotModel:
    """Read and check a URDF.

    Raises:
        ModelError: the file is missing or unreadable, is not a URDF, or would crash PyBullet or be read otherwise by it
            than by ROS. See `ros_gym_bridge.urdf` for the list.
    """
    return _model(read_text(path), path, path.parent)


def _model(text: str, path: Path, folder: Path | None) -> RobotModel:
    text, robot, notes = parse(text, str(path), folder)
    joints = tuple(_joint(element) for element in robot.findall("joint"))
    links = tuple(element.attrib["name"] for element in robot.findall("link"))
    children = {joint.child for joint in joints}
    (root,) = (link for link in links if link not in children)
    return RobotModel(path, text, robot.attrib["name"], links, joints, root, folder, notes)


def _joint(element: Element) -> Joint:
    """From an element that `parse` has found good."""
    kind, origin, axis = element.attrib["type"], element.find("origin"), element.find("axis")
    lower, upper, velocity, effort = _limits(kind, element.find("limit"))
    return Joint(
        element.attrib["name"],
        kind,
        _link(element, "parent"),
        _link(element, "child"),
        _vector(origin, "xyz"),
        _vector(origin, "rpy"),
        _unit(_vector(axis, "xyz")) if kind in MOVABLE else (1.0, 0.0, 0.0),
        lower,
        upper,
        velocity,
        effort,
        _mimic(element.find("mimic")),
    )


def _link(element: Element, end: str) -> str:
    return next(each.attrib["link"] for each in element.findall(end))


def _vector(element: Element | None, attribute: str) -> Vector:
    x, y, z = numbers(element.get(attribute, "0 0 0") if element is not None else "0 0 0")
    return x, y, z


def _unit(vector: Vector) -> Vector:
    length = math.hypot(*vector)
    return vector[0] / length, vector[1] / length, vector[2] / length


def _limits(kind: str, limit: Element | None) -> tuple[float, float, float, float]:
    """lower, upper, velocity, effort."""
    if kind == "fixed":
        return 0.0, 0.0, 0.0, 0.0
    if limit is None:
        return -math.inf, math.inf, math.inf, math.inf
    lower, upper = (-math.inf, math.inf) if kind == "continuous" else (limit.get("lower", 0), limit.get("upper", 0))
    return float(lower), float(upper), float(limit.attrib["velocity"]), float(limit.attrib["effort"])


def _mimic(element: Element | None) -> Mimic | None:
    if element is None:
        return None
    return Mimic(element.attrib["joint"], float(element.get("multiplier", 1)), float(element.get("offset", 0)))


# comments are matched too, first, so that what they hold stays as it is
_FILENAME = re.compile(r"<!--.*?-->|(<(?:mesh|texture)\b[^>]*?\sfilename\s*=\s*)(\"[^\"]*\"|'[^']*')", re.DOTALL)


def description(model: RobotModel, uri: Callable[[Path], str] = Path.as_uri) -> str:
    """The URDF for the topic `robot_description`: as in the file, but every mesh and texture by its full name.

    Args:
        model: what `read_model` returned.
        uri: how a file is named: a `file://` URI, percent-encoded, which RViz can open. (PyBullet cannot decode these;
            `str` gives plain absolute paths, which it reads from any working directory.)
    """

    def absolute(match: re.Match[str]) -> str:
        before, quoted = match.groups()
        if before is None:
            return match[0]
        try:
            return str(before + quoteattr(uri(resolve_mesh(html.unescape(quoted[1:-1]), model.folder))))
        except ModelError:  # not in a link (those were checked): another program's element, whose rules are its own
            return match[0]

    return _FILENAME.sub(absolute, model.text)
