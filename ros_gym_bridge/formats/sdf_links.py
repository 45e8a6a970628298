"""The links of an SDF: inertia, shapes and contact."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.pose import Pose
from ros_gym_bridge.formats.result import words
from ros_gym_bridge.formats.sdf_frames import Frames
from ros_gym_bridge.formats.writer import Inertia, Link, Shape, text
from ros_gym_bridge.notes import Note

_CONTACT = ("lateral_friction", "rolling_friction", "spinning_friction", "restitution", "stiffness", "damping")
_SHAPES = ("box", "sphere", "cylinder", "capsule", "plane", "mesh")


def read_link(link: Element, frame: Pose, frames: Frames, where: str, notes: list[Note]) -> Link:
    """One link.

    Args:
        link: the element.
        frame: the model's frame as seen from the link's frame in URDF.
        frames: where everything stands in the model.
        where: the file, for messages.
        notes: what is left out is added to these.

    Raises:
        ModelError: what is wrong in it, or cannot be said in URDF.
    """
    return _Link(link, frame, frames, where, notes).link()


class _Link:
    def __init__(self, link: Element, frame: Pose, frames: Frames, where: str, notes: list[Note]) -> None:
        self.element, self.frame, self.frames, self.notes = link, frame, frames, notes
        self.name = link.get("name", "")
        self.where, self.at = f"{where}: link '{self.name}'", f"link '{self.name}'"

    def link(self) -> Link:
        visuals = [shape for each in self.element.findall("visual") for shape in self.shapes(each)]
        collisions = [shape for each in self.element.findall("collision") for shape in self.shapes(each)]
        return Link(self.name, self.inertia(), visuals, collisions, self.contact())

    def pose(self, element: Element) -> Pose:
        """Of a part, in the link's frame in URDF."""
        return self.frame @ self.frames.within(element, self.name)

    def number(self, path: str, default: float) -> float:
        tag = path.rpartition("/")[2]
        return words(self.element.find(path), 1, (default,), f"{self.where}: <{tag}>")[0]

    def inertia(self) -> Inertia | None:
        """None for a link named `world`, which PyBullet fixes."""
        element = self.element.find("inertial")
        if element is None and self.name == "world":
            return None
        if element is None:
            self.notes.append(Note(self.at, "it states no inertia; SDF's default is 1 kg and 1 kg m^2", "Add it"))
            return Inertia(1.0, self.frame.xyz + self.frame.turn @ self.frames.pose(self.name).xyz, np.eye(3))
        if element.get("auto") in ("true", "1"):
            expected, remedy = "numbers", "Write <mass> and <inertia>"
            raise ModelError(f"{self.where}: inertia is to be computed", expected=expected, remedy=remedy)
        pose = self.pose(element)
        xx, xy, xz, yy, yz, zz = (
            self.number(f"inertial/inertia/i{pair}", 1.0 if pair[0] == pair[1] else 0.0)
            for pair in ("xx", "xy", "xz", "yy", "yz", "zz")
        )
        tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        mass = self.number("inertial/mass", 1.0)
        return Inertia(mass, pose.xyz, pose.turn @ tensor @ pose.turn.T if mass else np.zeros((3, 3)))

    def contact(self) -> dict[str, float]:
        """PyBullet's own elements, or the friction and bounce of the first collision that says them."""
        found = {name: self.number(f"contact/{name}", -1.0) for name in _CONTACT}
        friction = self.number("collision/surface/friction/ode/mu", -1.0)
        bounce = self.number("collision/surface/bounce/restitution_coefficient", -1.0)
        found = {"lateral_friction": friction, "restitution": bounce} | {k: v for k, v in found.items() if v >= 0.0}
        return {name: value for name, value in found.items() if value >= 0.0}

    def shapes(self, element: Element) -> list[Shape]:
        """The shape of a visual or collision element; none where it is empty, or only seen and unknown to URDF."""
        geometry = element.find("geometry")
        shape = next(iter(geometry), None) if geometry is not None else None
        if shape is None or shape.tag == "empty":
            return []
        if shape.tag not in _SHAPES or (shape.tag == "plane" and element.tag == "visual"):
            if element.tag == "visual":
                self.notes.append(Note(self.at, f"its <{shape.tag}> is not shown: URDF has none", "Use another shape"))
                return []
            expected, remedy = f"one of {', '.join(_SHAPES)}", "Use one of these, or a mesh"
            what = f"{self.where}: a collision shape that URDF does not have"
            raise ModelError(what, got=f"<{shape.tag}>", expected=expected, remedy=remedy)
        diffuse = element.find("material/diffuse")
        rgba = words(diffuse, 4, (), f"{self.where}: <diffuse>") if element.tag == "visual" else ()
        return [Shape(self.pose(element), shape.tag, self.attributes(shape), rgba or None)]

    def attributes(self, shape: Element) -> dict[str, str]:
        """Of URDF's element of the same name."""

        def of(tag: str, count: int, default: tuple[float, ...]) -> str:
            return text(*words(shape.find(tag), count, default, f"{self.where}: <{shape.tag}> <{tag}>"))

        if shape.tag == "box":
            return {"size": of("size", 3, (1.0, 1.0, 1.0))}
        if shape.tag == "plane":
            return {"normal": of("normal", 3, (0.0, 0.0, 1.0))}
        if shape.tag == "mesh":
            if shape.find("submesh") is not None:
                self.notes.append(Note(self.at, "a part of a mesh is meant; all of it is used", "Cut the mesh"))
            return {"filename": (shape.findtext("uri") or "").strip(), "scale": of("scale", 3, (1.0, 1.0, 1.0))}
        names = {"sphere": ("radius",)}.get(shape.tag, ("radius", "length"))
        return {name: of(name, 1, (1.0 if name == "length" and shape.tag != "capsule" else 0.5,)) for name in names}
