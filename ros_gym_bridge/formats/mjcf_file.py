"""An MJCF file as MuJoCo reads it: includes put in, default classes, and the compiler's settings."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.pose import Array, Pose, about, at, from_quaternion, z_along
from ros_gym_bridge.formats.result import Source, numbers
from ros_gym_bridge.xml_text import parse_xml, read_text

ACTUATORS = ("general", "motor", "position", "velocity", "intvelocity", "damper", "cylinder", "muscle", "adhesion")
Attributes = Mapping[str, str]
_Read = Callable[[str, int], tuple[float, ...]]


class MjcfFile:
    """The elements of a file, with the attributes that they have by default.

    Attributes:
        root: `<mujoco>`, its includes put in.
        files: those that were included.
        inertia_from_geom: `auto`, `true` or `false`.
        total_mass: what all bodies together are made to weigh, kg; None: what they weigh.

    Args:
        source: the file.

    Raises:
        ModelError: not MJCF, or an include that cannot be found.
    """

    def __init__(self, source: Source) -> None:
        self.where = source.where
        self.files: list[str] = []
        self.root = parse_xml(source.text, source.where)
        if self.root.tag != "mujoco":
            raise ModelError(f"{self.where}: not MJCF", got=f"<{self.root.tag}>", expected="<mujoco> outermost")
        self._include(self.root, source.folder)
        compiler: dict[str, str] = {}
        for element in self.root.findall("compiler"):
            compiler |= element.attrib
        self._degrees = compiler.get("angle", "degree") == "degree"
        self._euler = compiler.get("eulerseq", "xyz")
        self._autolimits = compiler.get("autolimits", "true") == "true"
        self.mesh_folder = compiler.get("meshdir", compiler.get("assetdir", ""))
        self.inertia_from_geom = compiler.get("inertiafromgeom", "auto")
        total = numbers(compiler.get("settotalmass"), 1, (-1.0,), f"{self.where}: settotalmass")[0]
        self.total_mass = total if total > 0.0 else None
        self._classes: dict[str, dict[str, dict[str, str]]] = {"main": {}}
        for element in self.root.findall("default"):
            self._default(element, "main", self._classes["main"])
        if compiler.get("coordinate") == "global" and any(body.get("pos") for body in self.root.iter("body")):
            expected, remedy = "local coordinates", "Save it anew with a MuJoCo that still knows global ones (2.3.3)"
            raise ModelError(f"{self.where}: global coordinates", expected=expected, remedy=remedy)

    def attributes(self, element: Element, childclass: str) -> dict[str, str]:
        """An element's attributes, on top of those of its class, or of the class of the bodies around it.

        Raises:
            ModelError: a class that is not defined.
        """
        name = element.get("class", childclass)
        if name not in self._classes:
            known = ", ".join(self._classes)
            what = f"{self.where}: unknown default class of a {element.tag}"
            raise ModelError(what, got=f"'{name}'", expected=f"one of {known}", remedy="Correct the name")
        tag = "general" if element.tag in ACTUATORS else element.tag
        return {**self._classes[name].get(tag, {}), **element.attrib}

    def limited(self, attributes: Attributes, limited: str, range_: str) -> bool:
        """Whether a range counts: when the element says so, or by default when it has one."""
        said = attributes.get(limited, "auto")
        return said == "true" or (said == "auto" and self._autolimits and range_ in attributes)

    def angle(self, value: float) -> float:
        """An angle of the file in rad."""
        return math.radians(value) if self._degrees else value

    def pose(self, attributes: Attributes, where: str) -> Pose:
        """`pos`, and one of `quat`, `axisangle`, `euler`, `xyaxes` and `zaxis`.

        Raises:
            ModelError: not the right number of numbers.
        """

        def of(name: str, count: int) -> tuple[float, ...]:
            return numbers(attributes.get(name), count, (), f"{where}: {name}")

        return at(of("pos", 3) or (0.0, 0.0, 0.0), self._turn(of))

    def _turn(self, of: _Read) -> Array:
        if quat := of("quat", 4):
            return from_quaternion(*quat)
        if turn := of("axisangle", 4):
            return about(turn[:3], self.angle(turn[3]))
        if angles := of("euler", 3):
            return self._from_euler(angles)
        if axes := of("xyaxes", 6):
            x = np.array(axes[:3]) / np.linalg.norm(axes[:3])
            y = np.array(axes[3:]) - x * float(x @ np.array(axes[3:]))
            y /= np.linalg.norm(y)
            return np.stack([x, y, np.cross(x, y)], axis=1)
        if z := of("zaxis", 3):
            return z_along(np.array(z))
        return np.eye(3)

    def _from_euler(self, angles: tuple[float, ...]) -> Array:
        """Small letters turn about the axes that have been turned, large ones about the fixed axes."""
        turn = np.eye(3)
        for letter, angle in zip(self._euler, angles, strict=True):
            axis = [float(letter.lower() == each) for each in "xyz"]
            step = about(axis, self.angle(angle))
            turn = turn @ step if letter.islower() else step @ turn
        return turn

    def _include(self, root: Element, folder: str | None) -> None:
        """Put the content of included files in the place of `<include>`. Each may be included once, as in MuJoCo."""
        for parent in list(root.iter()):
            for index, child in reversed(list(enumerate(parent))):
                if child.tag == "include":
                    parent[index : index + 1] = list(self._included(child.get("file", ""), folder))

    def _included(self, name: str, folder: str | None) -> Element:
        path = os.path.abspath(os.path.join(folder or "", name))
        if folder is None and not os.path.isabs(name):
            expected = "an absolute path: a model that is given as text lies in no folder"
            raise ModelError(f"{self.where}: '{name}' cannot be included", expected=expected)
        if path in self.files:
            remedy = "Remove one of the two"
            raise ModelError(f"{self.where}: '{name}' is included twice", expected="once", remedy=remedy)
        self.files.append(path)
        root = parse_xml(read_text(Path(path)), path)
        self._include(root, folder)
        return root

    def _default(self, element: Element, name: str, inherited: dict[str, dict[str, str]]) -> None:
        own = self._classes.setdefault(name, {})
        own |= {tag: dict(attributes) for tag, attributes in inherited.items()}
        for child in element:
            if child.tag != "default":
                tag = "general" if child.tag in ACTUATORS else child.tag
                own[tag] = {**own.get(tag, {}), **child.attrib}
        for child in element.findall("default"):
            self._default(child, child.get("class", ""), own)
