"""SDF as URDF: one model of the file, by the rules of its version of the format.

In URDF a link's frame lies at the joint that moves it. Where an SDF puts the joint elsewhere, the link's frame is the
joint's here, and what the link holds is moved accordingly.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.pose import Array, Pose
from ros_gym_bridge.formats.result import Converted, Source, choose, words
from ros_gym_bridge.formats.sdf_frames import MODEL, Frames, read_pose
from ros_gym_bridge.formats.sdf_links import read_link
from ros_gym_bridge.formats.writer import JointTo, Link, robot
from ros_gym_bridge.notes import Note
from ros_gym_bridge.xml_text import parse_xml

KINDS = {"revolute": "revolute", "continuous": "continuous", "prismatic": "prismatic", "fixed": "fixed"}
_ENDLESS, _FAR = 1e10, 1e4  # what SDF means by no limit at all, and a slide that long is one without


def convert(source: Source) -> Converted:
    """One model of an SDF file as URDF.

    Raises:
        ModelError: what is wrong or cannot be said in URDF, with the element.
    """
    root = parse_xml(source.text, source.where)
    if root.tag != "sdf":
        raise ModelError(f"{source.where}: not an SDF", got=f"<{root.tag}>", expected="<sdf> outermost")
    models = [*root.findall("model"), *root.findall("world/model")]
    listed = [(model.get("name", ""), any(map(_moves, model.findall("joint")))) for model in models]
    model = models[choose(listed, source.model_name, source.where)]
    notes = [Note("", "<include> is not followed", "Name the included file itself") for _ in root.iter("include")][:1]
    return _Model(model, source.where, float(root.get("version", "1.6")), notes).converted()


def _moves(joint: Element) -> bool:
    return joint.get("type") != "fixed"


class _Model:
    """One `<model>`."""

    def __init__(self, model: Element, where: str, version: float, notes: list[Note]) -> None:
        self.model, self.where, self.version, self.notes = model, where, version, notes
        if model.find("model") is not None or model.find("include") is not None:
            what, expected = "a model within the model", "links and joints directly below <model>"
            raise self.refuse(f"model '{model.get('name')}'", what, "", expected, "Write its links and joints out")
        self.frames = Frames(model, where)
        self.joints = [(joint, *self.ends(joint)) for joint in model.findall("joint")]
        # where each link's frame in URDF stands in the model's frame
        self.place: dict[str, Pose] = {"world": read_pose(model.find("pose"), where).inverse()}
        for link in model.findall("link"):
            self.place[link.get("name", "")] = self.frames.pose(link.get("name", ""))
        for joint, _, child in self.joints:
            if KINDS.get(joint.get("type", "")) == "revolute" or joint.get("type") == "continuous":
                self.place[child] = self.joint_frame(joint, child)

    def refuse(self, where: str, what: str, got: str, expected: str, remedy: str) -> ModelError:
        return ModelError(f"{self.where}: {where}: {what}", got=got, expected=expected, remedy=remedy)

    def ends(self, joint: Element) -> tuple[str, str]:
        """The parent and the child link."""
        parent, child = ((joint.findtext(end) or "").strip() for end in ("parent", "child"))
        return self.frames.link(parent), self.frames.link(child)

    def joint_frame(self, joint: Element, child: str) -> Pose:
        """The link's own frame where the axis goes through it; else moved onto the axis."""
        link, place = self.frames.pose(child), self.frames.pose(joint.get("name", ""))
        axis = self.axis(joint)
        off = place.xyz - link.xyz
        off = off - axis * float(axis @ off)
        return link if np.linalg.norm(off) < 1e-9 else Pose(link.xyz + off, link.turn)

    def axis(self, joint: Element) -> Array:
        """The unit vector along which or about which a joint moves, in the model's frame."""
        name = joint.get("name", "")
        element = joint.find("axis/xyz")
        vector = np.array(words(element, 3, (0.0, 0.0, 1.0), f"{self.where}: joint '{name}': <axis><xyz>"))
        if np.linalg.norm(vector) < 1e-9:
            raise self.refuse(f"joint '{name}'", "it has no axis", "0 0 0", "a direction", "Correct <axis><xyz>")
        given = element.get("expressed_in", "") if element is not None else ""
        of_model = joint.findtext("axis/use_parent_model_frame", "1" if self.version < 1.45 else "0").strip()
        frame = MODEL if of_model in ("1", "true") else name
        turned = self.frames.pose(given or frame).turn @ vector
        return np.asarray(turned / np.linalg.norm(turned))

    def converted(self) -> Converted:
        links = [self.link(link) for link in self.model.findall("link")]
        joints = [self.joint(*each) for each in self.joints]
        if "world" in {parent for _, parent, _ in self.joints} - {link.name for link in links}:
            links.insert(0, Link("world", None))
        children = {child for _, _, child in self.joints}
        root = next((link for link in links if link.name not in children), None)
        placed = read_pose(self.model.find("pose"), f"{self.where}: the model")
        base = placed @ self.place[root.name] if root is not None else placed
        static = self.model.findtext("static", "0").strip() in ("1", "true")
        rests = static or root is None or root.inertia is None or root.inertia.mass == 0.0
        x, y, z = (float(value) for value in base.xyz)
        text = robot(self.model.get("name", "model"), links, joints)
        return Converted(text, tuple(self.notes), not rests, (x, y, z), base.rpy())

    def link(self, link: Element) -> Link:
        name = link.get("name", "")
        return read_link(link, self.place[name].inverse(), self.frames, self.where, self.notes)

    def joint(self, joint: Element, parent: str, child: str) -> JointTo:
        name, kind = joint.get("name", ""), KINDS.get(joint.get("type", ""), "")
        where = f"joint '{name}'"
        if not kind:
            expected, remedy = f"one of {', '.join(KINDS)}", "Build it from joints of these types"
            raise self.refuse(where, "unsupported type", f"'{joint.get('type')}'", expected, remedy)
        pose = self.place[parent].inverse() @ self.place[child]
        if kind == "fixed":
            return JointTo(name, kind, parent, child, pose, np.array([1.0, 0.0, 0.0]))
        axis = self.place[child].turn.T @ self.axis(joint)
        kind, limits = self.limits(where, kind, joint)
        numbers = {tag: self.number(where, joint, f"axis/dynamics/{tag}", 0.0) for tag in ("damping", "friction")}
        if self.number(where, joint, "axis/dynamics/spring_stiffness", 0.0):
            self.notes.append(Note(where, "its spring is left out: URDF has none", "Apply it as an effort"))
        return JointTo(name, kind, parent, child, pose, axis, limits, numbers, self.mimic(where, joint))

    def limits(self, where: str, kind: str, joint: Element) -> tuple[str, dict[str, float]]:
        """The type, which is continuous without limits, and the limits; -1 for effort and velocity means unknown."""
        lower, upper, effort, velocity = (
            self.number(where, joint, f"axis/limit/{tag}", default)
            for tag, default in (("lower", -_ENDLESS), ("upper", _ENDLESS), ("effort", -1.0), ("velocity", -1.0))
        )
        limits = {"effort": max(effort, 0.0), "velocity": max(velocity, 0.0)}
        endless = max(-lower, upper) >= _ENDLESS or lower > upper
        if kind == "continuous" or (kind == "revolute" and endless):
            return "continuous", limits
        if endless:
            self.notes.append(Note(where, f"it has no end; {_FAR:g} m are written", "Write its limits"))
        return kind, {"lower": max(lower, -_FAR), "upper": min(upper, _FAR), **limits}

    def mimic(self, where: str, joint: Element) -> tuple[str, float, float] | None:
        element = joint.find("axis/mimic")
        if element is None:
            return None
        factor, offset, reference = (
            self.number(where, joint, f"axis/mimic/{tag}", default)
            for tag, default in (("multiplier", 1.0), ("offset", 0.0), ("reference", 0.0))
        )
        return element.get("joint", ""), factor, offset - factor * reference

    def number(self, where: str, joint: Element, path: str, default: float) -> float:
        element = joint.find(path)
        return words(element, 1, (default,), f"{self.where}: {where}: <{path.rpartition('/')[2]}>")[0]
