"""The joints of an MJCF file, as URDF has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.mjcf_file import ACTUATORS, MjcfFile
from ros_gym_bridge.formats.pose import Array, Pose, at
from ros_gym_bridge.formats.result import numbers
from ros_gym_bridge.notes import Note

_FAR = 1e4  # m: a slide that long has no end
_LEFT_OUT = {  # attribute: what is said of joints that have it, and what to do
    "armature": ("rotor inertia (armature)", "Add it to the inertia of a link, if it matters"),
    "stiffness": ("the spring (stiffness)", "Apply it as an effort, if it matters"),
    "ref": ("ref, so that 0 is where the file draws them,", "Take it off positions that you have from MuJoCo"),
}


class MjcfJoint(NamedTuple):
    """A joint of a body: its type in URDF (or `free`), place and axis in the body's frame, and the rest."""

    name: str
    kind: str
    place: Pose
    axis: Array
    limits: dict[str, float]
    dynamics: dict[str, float]


class MjcfJoints:
    """Reads joints, and remembers what of them URDF has no place for.

    Args:
        file: that they stand in.
        where: the file, for messages.
    """

    def __init__(self, file: MjcfFile, where: str) -> None:
        self._file, self._where = file, where
        self._left_out: dict[str, list[str]] = {what: [] for what in _LEFT_OUT}
        self._limits_of_effort = self._efforts()

    def notes(self) -> Iterator[Note]:
        """What was left out of the joints that were read."""
        for what, (text, remedy) in _LEFT_OUT.items():
            if self._left_out[what]:
                yield Note(f"joints {', '.join(self._left_out[what])}", f"{text} is left out", remedy)

    def read(self, body: Element, name: str, childclass: str) -> list[MjcfJoint]:
        """The joints of a body, in order.

        Args:
            body: the element.
            name: of its link.
            childclass: the default class around them.

        Raises:
            ModelError: a ball joint, or numbers that are none.
        """
        elements = [child for child in body if child.tag in ("joint", "freejoint")]
        return [self._joint(element, name, i, childclass) for i, element in enumerate(elements)]

    def _joint(self, element: Element, body: str, index: int, childclass: str) -> MjcfJoint:
        attributes = self._file.attributes(element, childclass)
        name = attributes.get("name") or f"{body}_joint" + (f"_{index + 1}" if index else "")
        where = f"{self._where}: joint '{name}'"
        kind = "free" if element.tag == "freejoint" else attributes.get("type", "hinge")
        if kind not in ("free", "hinge", "slide"):
            expected, remedy = "hinge, slide or free", "Use three hinges with axes across each other"
            raise ModelError(f"{where}: unsupported type", got=f"'{kind}'", expected=expected, remedy=remedy)
        axis = np.array(numbers(attributes.get("axis"), 3, (0.0, 0.0, 1.0), f"{where}: axis"))
        if np.linalg.norm(axis) < 1e-9:
            raise ModelError(f"{where} has no axis", got="0 0 0", expected="a direction", remedy="Correct the axis")
        place = at(numbers(attributes.get("pos"), 3, (0.0, 0.0, 0.0), f"{where}: pos"))
        for what, names in self._left_out.items():
            if kind != "free" and numbers(attributes.get(what), 1, (0.0,), f"{where}: {what}")[0] and name not in names:
                names.append(name)
        limits = self._limits(attributes, name, kind, where)
        dynamics = {
            ours: numbers(attributes.get(theirs), 1, (0.0,), f"{where}: {theirs}")[0]
            for ours, theirs in (("damping", "damping"), ("friction", "frictionloss"))
        }
        turning = "revolute" if "lower" in limits else "continuous"
        kind = {"free": "free", "hinge": turning, "slide": "prismatic"}[kind]
        return MjcfJoint(name, kind, place, axis, limits, dynamics)

    def _limits(self, attributes: dict[str, str], name: str, kind: str, where: str) -> dict[str, float]:
        """In URDF, where a joint is at 0 as the file draws it: a `ref` is taken off."""
        limits = {"effort": self._limits_of_effort.get(name, 0.0), "velocity": 0.0}
        convert = self._file.angle if kind == "hinge" else float
        ref = convert(numbers(attributes.get("ref"), 1, (0.0,), f"{where}: ref")[0])
        if self._file.limited(attributes, "limited", "range"):
            lower, upper = (convert(end) for end in numbers(attributes.get("range"), 2, (0.0, 0.0), f"{where}: range"))
            return {"lower": lower - ref, "upper": upper - ref, **limits}
        return {"lower": -_FAR, "upper": _FAR, **limits} if kind == "slide" else limits

    def _efforts(self) -> dict[str, float]:
        """The largest effort of each joint's actuators, where the file says it."""
        efforts: dict[str, float] = {}
        for element in self._file.root.iterfind("actuator/*"):
            if element.tag in ACTUATORS and element.get("joint"):
                attributes = self._file.attributes(element, "main")
                where = f"{self._where}: actuator of '{element.get('joint')}'"
                gear = abs(float((attributes.get("gear") or "1").split()[0]))
                for limited, range_ in (("forcelimited", "forcerange"), ("ctrllimited", "ctrlrange")):
                    direct = range_ == "forcerange" or element.tag == "motor"
                    if direct and self._file.limited(attributes, limited, range_):
                        most = max(map(abs, numbers(attributes.get(range_), 2, (0.0, 0.0), f"{where}: {range_}")))
                        joint = element.get("joint", "")
                        efforts[joint] = max(efforts.get(joint, 0.0), gear * most)
                        break
        return efforts
