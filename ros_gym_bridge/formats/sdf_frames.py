"""Where the links, joints and frames of an SDF model stand: poses may be relative to one another."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.pose import HERE, Pose, at, from_quaternion, from_rpy
from ros_gym_bridge.formats.result import words

MODEL = "__model__"


def read_pose(element: Element | None, where: str) -> Pose:
    """The numbers of a `<pose>`, in whatever they are relative to; absent or empty: no offset.

    Raises:
        ModelError: not six numbers, or seven with `rotation_format="quat_xyzw"`.
    """
    if element is None:
        return HERE
    if element.get("rotation_format", "euler_rpy") == "quat_xyzw":
        x, y, z, qx, qy, qz, qw = words(element, 7, (0.0,) * 6 + (1.0,), f"{where}: <pose>")
        return at((x, y, z), from_quaternion(qw, qx, qy, qz))
    x, y, z, *angles = words(element, 6, (0.0,) * 6, f"{where}: <pose>")
    if element.get("degrees") in ("true", "1"):
        angles = [math.radians(angle) for angle in angles]
    return at((x, y, z), from_rpy(*angles))


class Frames:
    """The frames of one model.

    Args:
        model: the `<model>` element.
        where: the file, for messages.
    """

    def __init__(self, model: Element, where: str) -> None:
        self._where = where
        self._elements: dict[str, Element] = {}
        for tag in ("link", "joint", "frame"):
            self._elements |= {str(element.get("name")): element for element in model.findall(tag)}
        self._known: dict[str, Pose] = {MODEL: HERE, "": HERE}

    def pose(self, name: str, above: tuple[str, ...] = ()) -> Pose:
        """Where a link, joint or frame stands in the model's frame.

        Raises:
            ModelError: an unknown name, or poses in a circle.
        """
        if name not in self._known:
            if name in above:
                circle = " in ".join(f"'{each}'" for each in (*above[above.index(name) :], name))
                raise self._refuse("poses relative to each other in a circle", circle, "none")
            if name not in self._elements:
                known = ", ".join([MODEL, *self._elements])
                raise self._refuse("a pose relative to an unknown frame", f"'{name}'", f"one of {known}")
            element = self._elements[name]
            self._known[name] = self.within(element, self._default(element), (*above, name))
        return self._known[name]

    def within(self, element: Element, default: str, above: tuple[str, ...] = ()) -> Pose:
        """Where an element stands in the model's frame, by its `<pose>`, which is relative to `default` unless it says.

        Raises:
            ModelError: as `pose`.
        """
        pose = element.find("pose")
        base = pose.get("relative_to", "") if pose is not None else ""
        where = f"{self._where}: {element.tag} '{element.get('name', '')}'"
        return self.pose(base or default, above) @ read_pose(pose, where)

    def link(self, name: str, above: tuple[str, ...] = ()) -> str:
        """The link that a name means: a link itself, or what a frame or joint is attached to. `world` stays.

        Raises:
            ModelError: an unknown name, or frames attached in a circle.
        """
        element = self._elements.get(name)
        if element is None or element.tag == "link" or name in above:
            if name != "world" and (element is None or element.tag != "link"):
                raise self._refuse("no such link", f"'{name}'", "a link, or a frame attached to one")
            return name
        attached = element.get("attached_to", "") if element.tag == "frame" else _child(element)
        return self.link(attached, (*above, name))

    def _default(self, element: Element) -> str:
        if element.tag == "joint":
            return _child(element)
        return element.get("attached_to", MODEL) if element.tag == "frame" else MODEL

    def _refuse(self, what: str, got: str, expected: str) -> ModelError:
        return ModelError(f"{self._where}: {what}", got=got, expected=expected, remedy="Correct the names")


def _child(joint: Element) -> str:
    return (joint.findtext("child") or "").strip()
