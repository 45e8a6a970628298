"""MJCF as URDF: one body of the world with all below it, by MuJoCo's rules.

A body with several joints becomes several links, all but the last without mass. In URDF a link's frame lies at the
joint that moves it: where a joint's `pos` is not the body's origin, the link's frame is moved there, and with it what
the link holds. A `<body>` of the world that has joints other than a free one hangs on a link `world`.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.mjcf_file import MjcfFile
from ros_gym_bridge.formats.mjcf_geoms import Geom, read_geom, together
from ros_gym_bridge.formats.mjcf_joints import MjcfJoint, MjcfJoints
from ros_gym_bridge.formats.pose import HERE, Pose
from ros_gym_bridge.formats.result import Converted, Source, choose, numbers
from ros_gym_bridge.formats.writer import WEIGHTLESS, Inertia, JointTo, Link, robot
from ros_gym_bridge.notes import Note

_UNKNOWN = ("composite", "flexcomp", "replicate", "attach", "plugin", "skin", "deformable")
_LEFT_OUT = {
    "equality": "constraints between bodies",
    "tendon": "tendons",
    "keyframe": "key frames",
    "contact": "pairs and exclusions of contact",
}


def convert(source: Source) -> Converted:
    """One body of an MJCF file's world, with all below it, as URDF.

    Raises:
        ModelError: what is wrong or cannot be said in URDF, with the element.
    """
    file = MjcfFile(source)
    bodies = [body for world in file.root.findall("worldbody") for body in world.findall("body")]
    listed = [(_name(body, i), next(body.iter("joint"), None) is not None) for i, body in enumerate(bodies)]
    index = choose(listed, source.model_name, source.where)
    return _Tree(file, source.where).converted(bodies[index], listed[index][0])


def _name(body: Element, index: int) -> str:
    return body.get("name") or f"body_{index + 1}"


class _Tree:
    """The links and joints of one body of the world."""

    def __init__(self, file: MjcfFile, where: str) -> None:
        self.file, self.where = file, where
        self.links: list[Link] = []
        self.joints: list[JointTo] = []
        self.notes: list[Note] = []
        self.taken: set[str] = {str(body.get("name")) for body in file.root.iter("body")}
        self.movable = MjcfJoints(file, where)

    def converted(self, body: Element, name: str) -> Converted:
        self._check_known(body)
        pose = self.file.pose(body.attrib, f"{self.where}: body '{name}'")
        joints = self.movable.read(body, name, self._class(body, "main"))
        free = any(joint.kind == "free" for joint in joints)
        if joints and not free:
            self.links.append(Link("world", None))
            self._body(body, name, "world", HERE, "main", HERE)
            pose = HERE
        else:
            self._body(body, name, "", HERE, "main", HERE)
        self._scale()
        self._say_what_is_left_out()
        x, y, z = (float(value) for value in pose.xyz)
        floating = True if free else False if joints else None
        text = robot(self.file.root.get("model") or name, self.links, self.joints)
        return Converted(text, tuple(self.notes), floating, (x, y, z), pose.rpy(), tuple(self.file.files))

    def _body(self, body: Element, name: str, parent: str, parent_frame: Pose, childclass: str, around: Pose) -> None:
        """Add a body and all below it.

        Args:
            body: the element.
            name: of its link.
            parent: the link above; empty for a root.
            parent_frame: the frame of that link in the frame of its body.
            childclass: the default class around it.
            around: the `<frame>`s around it, in the frame of the body above.
        """
        childclass = self._class(body, childclass)
        joints = [joint for joint in self.movable.read(body, name, childclass) if joint.kind != "free"]
        frame = HERE
        if parent:
            place = around @ self.file.pose(body.attrib, f"{self.where}: body '{name}'")
            frame = self._chain(name, joints, parent, parent_frame.inverse() @ place)
        parts = list(self._parts(body, childclass, HERE))
        where = f"{self.where}: body '{name}'"
        geoms = [read_geom(self.file, each, kind, at_, where) for each, kind, at_ in parts if each.tag == "geom"]
        self.links.append(self._link(body, name, geoms, frame.inverse()))
        for child, kind, at_ in parts:
            if child.tag == "body":
                self._body(child, child.get("name") or self._free(f"{name}_body"), name, frame, kind, at_)

    def _chain(self, name: str, joints: list[MjcfJoint], parent: str, place: Pose) -> Pose:
        """Add a body's joints, with a link without mass after each but the last; the frame of the last."""
        if not joints:
            kind, axis = "fixed", np.array([1.0, 0.0, 0.0])
            self.joints.append(JointTo(self._free(f"{name}_joint"), kind, parent, name, place, axis))
            return HERE
        frame = HERE
        for i, joint in enumerate(joints):
            last = i == len(joints) - 1
            child = name if last else self._free(f"{name}_{joint.name}_link")
            origin = place @ joint.place
            facts = joint.axis, joint.limits, joint.dynamics
            self.joints.append(JointTo(joint.name, joint.kind, parent, child, origin, *facts))
            if not last:
                self.links.append(Link(child, WEIGHTLESS))
            parent, place, frame = child, joint.place.inverse(), joint.place
        return frame

    def _parts(self, body: Element, childclass: str, around: Pose) -> Iterator[tuple[Element, str, Pose]]:
        """Bodies and geoms right below a body, also those in `<frame>`s, with their default class and frame."""
        for child in body:
            if child.tag == "frame":
                pose = around @ self.file.pose(child.attrib, f"{self.where}: a frame")
                yield from self._parts(child, self._class(child, childclass), pose)
            elif child.tag in ("body", "geom"):
                yield child, childclass, around

    def _link(self, body: Element, name: str, geoms: list[Geom], frame: Pose) -> Link:
        shapes = [geom.shape._replace(pose=frame @ geom.shape.pose) for geom in geoms]
        visuals = [shape for shape, geom in zip(shapes, geoms, strict=True) if geom.seen]
        solid = [(shape._replace(rgba=None), geom) for shape, geom in zip(shapes, geoms, strict=True) if geom.collides]
        own = self._inertia(body, name, geoms)
        inertia = Inertia(own.mass, frame.xyz + frame.turn @ own.centre, frame.turn @ own.tensor @ frame.turn.T)
        contact = {"lateral_friction": solid[0][1].friction} if solid else {}
        return Link(name, inertia, visuals, [shape for shape, _ in solid], contact)

    def _inertia(self, body: Element, name: str, geoms: list[Geom]) -> Inertia:
        """As the body states it, or from its geoms."""
        stated, mode = body.find("inertial"), self.file.inertia_from_geom
        where = f"{self.where}: body '{name}'"
        if mode == "true" or (mode == "auto" and stated is None):
            known = [geom.inertia for geom in geoms if geom.inertia is not None]
            if len(known) < len(geoms):
                remedy = 'Write <inertial>, or mass="0" on geoms that are only seen'
                raise ModelError(f"{where} takes its mass from meshes", expected="<inertial>", remedy=remedy)
            return together(known)
        if stated is None:
            return WEIGHTLESS
        pose = self.file.pose(stated.attrib, f"{where}: inertial")
        mass = numbers(stated.get("mass"), 1, (0.0,), f"{where}: inertial mass")[0]
        full = numbers(stated.get("fullinertia"), 6, (), f"{where}: fullinertia")
        moments = numbers(stated.get("diaginertia"), 3, (0.0, 0.0, 0.0), f"{where}: diaginertia")
        tensor = np.diag(moments)
        if full:
            xx, yy, zz, xy, xz, yz = full
            tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        return Inertia(mass, pose.xyz, pose.turn @ tensor @ pose.turn.T)

    def _class(self, element: Element, around: str) -> str:
        return element.get("childclass", around)

    def _free(self, name: str) -> str:
        """The name, or with a number behind it the first one that is not taken; it is from then on."""
        names = (name, *(f"{name}_{n}" for n in range(2, len(self.taken) + 3)))
        name = next(each for each in names if each not in self.taken)
        self.taken.add(name)
        return name

    def _scale(self) -> None:
        """Make all links together weigh what the file wants."""
        now = sum(link.inertia.mass for link in self.links if link.inertia is not None)
        if self.file.total_mass is not None and now > 0.0:
            factor = self.file.total_mass / now
            for i, link in enumerate(self.links):
                if link.inertia is not None:
                    mass, centre, tensor = link.inertia
                    self.links[i] = link._replace(inertia=Inertia(factor * mass, centre, factor * tensor))

    def _check_known(self, body: Element) -> None:
        for element in body.iter():
            if element.tag in _UNKNOWN:
                expected = "bodies, joints and geoms"
                raise ModelError(f"{self.where}: <{element.tag}> in a body", expected=expected, remedy="Write it out")

    def _say_what_is_left_out(self) -> None:
        self.notes += self.movable.notes()
        for tag, what in _LEFT_OUT.items():
            if next(self.file.root.iterfind(f"{tag}/*"), None) is not None:
                self.notes.append(Note("", f"{what} (<{tag}>) are left out: URDF has none", "See whether they matter"))
        if next(self.file.root.iterfind("worldbody/geom"), None) is not None:
            what = "what stands in the world (its floor, for one) is left out"
            self.notes.append(Note("", what, "Put it into the robot file, under scene"))
