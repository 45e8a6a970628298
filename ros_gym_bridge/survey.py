"""What a model's links weigh, and what is worth knowing before it is simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.notes import Note
from ros_gym_bridge.robot_model import RobotModel

_LISTED = 6  # names in one remark


@dataclass(frozen=True)
class LinkFacts:
    """What a URDF states about one link.

    Attributes:
        mass: kg; None where it states no inertia.
        moments: principal moments of inertia, kg m^2, ascending; None where it states none.
        visuals, collisions: how many shapes it has.
    """

    name: str
    mass: float | None
    moments: tuple[float, float, float] | None
    visuals: int
    collisions: int


def link_facts(model: RobotModel) -> tuple[LinkFacts, ...]:
    """Of every link, in the order of the file."""
    return tuple(_facts(link) for link in ElementTree.fromstring(model.text).findall("link"))


def total_mass(model: RobotModel) -> float:
    """Of all links that state one, kg."""
    return sum(link.mass or 0.0 for link in link_facts(model))


def moved_links(model: RobotModel, joint: str) -> set[str]:
    """The links that a joint moves."""
    moved = {model.joint(joint).child}
    while True:
        more = {each.child for each in model.joints if each.parent in moved} - moved
        if not more:
            return moved
        moved |= more


def remarks(model: RobotModel) -> tuple[Note, ...]:
    """What was corrected or left out on reading, and what is unusual in what was read."""
    return (*deviations(model), *_shapes(link_facts(model)), *_joints(model))


def deviations(model: RobotModel) -> tuple[Note, ...]:
    """In what the robot that is simulated is not what its file says, or not what any real one is."""
    return (*model.notes, *_weights(model, link_facts(model)))


def _facts(link: Element) -> LinkFacts:
    inertial = link.find("inertial")
    mass: float | None = None
    moments: tuple[float, float, float] | None = None
    if inertial is not None:
        weight, tensor = inertial.find("mass"), inertial.find("inertia")
        assert weight is not None
        assert tensor is not None
        xx, xy, xz, yy, yz, zz = (float(tensor.attrib[f"i{pair}"]) for pair in ("xx", "xy", "xz", "yy", "yz", "zz"))
        a, b, c = (float(moment) for moment in np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]))
        mass, moments = float(weight.attrib["value"]), (a, b, c)
    return LinkFacts(str(link.get("name")), mass, moments, len(link.findall("visual")), len(link.findall("collision")))


def _weights(model: RobotModel, links: tuple[LinkFacts, ...]) -> Iterator[Note]:
    fixed = [joint for joint in model.joints if joint.type == "fixed"]
    frames = {joint.child for joint in fixed} | {joint.parent for joint in fixed if joint.parent == model.root}
    bare = [link.name for link in links if link.mass is None and link.name not in frames | {"world"}]
    if bare:
        what = "no inertia is stated; PyBullet makes it 1 kg, with moments of 1 kg m^2"
        yield Note(_listed("link", bare), what, "Add <inertial>")
    points = [link.name for link in links if link.mass and link.moments == (0.0, 0.0, 0.0)]
    if points:
        yield Note(_listed("link", points), "a mass without moments of inertia", "Correct <inertia>")
    for link in links:
        a, b, c = link.moments or (0.0, 0.0, 0.0)
        if a + b < c * (1.0 - 1e-3):
            what = f"no body has moments of {a:.3g}, {b:.3g} and {c:.3g} kg m^2: two are together less than the third"
            yield Note(f"link '{link.name}'", what, "Correct <inertia>; it is simulated as it is")
    weights = {link.name: link.mass for link in links}
    idle = [
        joint.name for joint in model.movable if all(weights[name] == 0.0 for name in moved_links(model, joint.name))
    ]
    if idle:
        what = "what is moved weighs nothing, and so never moves"
        yield Note(_listed("joint", idle), what, "Add masses to the links")


def _shapes(links: tuple[LinkFacts, ...]) -> Iterator[Note]:
    bare = [link.name for link in links if link.visuals and not link.collisions]
    if bare:
        what = "seen, but without a collision shape: nothing touches there"
        yield Note(_listed("link", bare), what, "Add one where it matters")


def _joints(model: RobotModel) -> Iterator[Note]:
    locked = [joint.name for joint in model.movable if joint.lower == joint.upper]
    if locked:
        yield Note(_listed("joint", locked), "lower and upper are the same: no movement", "Widen the range")
    for limit in ("effort", "velocity"):
        unknown = [joint.name for joint in model.movable if getattr(joint, limit) == 0.0]
        if unknown:
            what = f"{limit} limit 0, which says that nobody knew, or that there is no motor"
            yield Note(_listed("joint", unknown), what, f"Give '{limit}' in the robot file where there is one")
    unlimited = [joint.name for joint in model.movable if joint.effort == np.inf]
    if unlimited:
        what = "no <limit>: nothing is known about a motor"
        yield Note(_listed("joint", unlimited), what, "Give velocity and effort in the robot file where there is one")
    for joint in model.movable:
        if joint.mimic is not None:
            what = f"it mimics '{joint.mimic.joint}'"
            yield Note(f"joint '{joint.name}'", what, "Leave it out of the actuator groups")


def _listed(kind: str, names: list[str]) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(f"'{name}'" for name in names[:_LISTED])
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{kind}{'s' if len(names) > 1 else ''} {shown}{more}"
