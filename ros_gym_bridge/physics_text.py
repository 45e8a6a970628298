"""The URDF as PyBullet gets it: full paths, and links that are only frames weigh nothing."""

from __future__ import annotations

from xml.etree import ElementTree

from ros_gym_bridge.description import with_full_names
from ros_gym_bridge.robot_model import RobotModel


def physics_text(model: RobotModel) -> str:
    """The URDF text that PyBullet is given.

    PyBullet makes a link that states no inertia weigh 1 kg, with moments of 1 kg m^2. Where the link only names a
    place, this is corrected: a link that is fixed to another, and a root to which one is fixed, like `base_footprint`.
    (Such a root keeps a milligram, since PyBullet fixes a base without mass. It does so with a root named `world`,
    which is left as it is.)
    """
    text = with_full_names(model, str)
    weights = _weights(model)
    if not weights:
        return text
    robot = ElementTree.fromstring(text)
    for link in robot.findall("link"):
        name = str(link.get("name"))
        if name in weights:
            link.append(_inertial(weights[name]))
    return ElementTree.tostring(robot, encoding="unicode")


def _weights(model: RobotModel) -> dict[str, float]:
    """Mass in kg of every link that is only a frame, by name."""
    fixed = [joint for joint in model.joints if joint.type == "fixed"]
    frames = dict.fromkeys({joint.child for joint in fixed} & set(model.massless), 0.0)
    if model.root in model.massless and model.root != "world" and any(joint.parent == model.root for joint in fixed):
        frames[model.root] = 1e-6
    return frames


def _inertial(mass: float) -> ElementTree.Element:
    """Of a ball of 5 cm, which no simulation of a robot notices."""
    moment = f"{1e-3 * mass:g}"
    inertial = ElementTree.Element("inertial")
    ElementTree.SubElement(inertial, "mass", value=f"{mass:g}")
    zero = dict.fromkeys(("ixy", "ixz", "iyz"), "0")
    ElementTree.SubElement(inertial, "inertia", {**dict.fromkeys(("ixx", "iyy", "izz"), moment), **zero})
    return inertial
