"""What the joints of a URDF must be, beside the numbers in them."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

from ros_gym_bridge.urdf_numbers import numbers
from ros_gym_bridge.urdf_tree import Refuse

_TYPES = ("revolute", "continuous", "prismatic", "fixed")
_INSTEAD = {
    "floating": "Remove it, let its child be the root, and write fixed_base: false in the robot file",
    "planar": "Use two prismatic joints and a continuous one, with links between them",
    "spherical": "Use three revolute joints with axes across each other, with links between them",
}


def check_types(robot: Element, refuse: Refuse) -> None:
    """Every joint of a type that is simulated; looked at first, since it says what else a joint needs.

    Raises:
        ModelError: made by `refuse`.
    """
    for joint in robot.findall("joint"):
        _kind(joint, refuse)


def check_joints(robot: Element, refuse: Refuse) -> None:
    """Two ends, an axis, limits, and nothing that mimics itself or nobody. Numbers have been checked.

    Raises:
        ModelError: made by `refuse`.
    """
    for joint in robot.findall("joint"):
        _joint(joint, refuse)
    _mimics(robot.findall("joint"), refuse)


def _kind(joint: Element, refuse: Refuse) -> None:
    kind = joint.get("type", "")
    if kind not in _TYPES:
        what = f"joint '{joint.get('name')}' is of an unsupported type"
        expected, remedy = f"one of {', '.join(_TYPES)}", _INSTEAD.get(kind, "Use one of these types")
        raise refuse(what, got=f"'{kind}'", expected=expected, remedy=remedy)


def _joint(joint: Element, refuse: Refuse) -> None:
    where, kind = f"joint '{joint.get('name')}'", joint.attrib["type"]
    for end in ("parent", "child"):
        element = joint.find(end)
        if element is None or not element.get("link"):
            raise refuse(f"{where} has no {end}", expected=f'<{end} link="..."/>', remedy="Add it")
    if kind != "fixed":
        _axis(where, joint.find("axis"), refuse)
    if kind in ("revolute", "prismatic"):
        _limit(where, kind, joint.find("limit"), refuse)


def _axis(where: str, axis: Element | None, refuse: Refuse) -> None:
    assert axis is not None
    vector = numbers(axis.attrib["xyz"])
    if math.hypot(*vector) < 0.5:  # any other length was made 1
        expected, remedy = "a direction", "Write a unit vector, such as 0 0 1"
        raise refuse(f"{where} has no axis", got=axis.attrib["xyz"], expected=expected, remedy=remedy)


def _limit(where: str, kind: str, limit: Element | None, refuse: Refuse) -> None:
    if limit is None:
        expected = '<limit lower="..." upper="..." velocity="..." effort="..."/>'
        remedy = "Add it" if kind == "prismatic" else "Add it, or make the joint continuous"
        raise refuse(f"{where} is {kind} and has no limit", expected=expected, remedy=remedy)
    lower, upper = float(limit.get("lower", 0)), float(limit.get("upper", 0))
    if lower > upper:
        unlimited = "make it continuous" if kind == "revolute" else "write wide ones"
        got, remedy = f"lower {lower}, upper {upper}", f"Swap them, or {unlimited} if it has no end"
        raise refuse(f"{where}: empty range", got=got, expected="lower <= upper", remedy=remedy)


def _mimics(joints: list[Element], refuse: Refuse) -> None:
    names = [joint.attrib["name"] for joint in joints]
    for joint in joints:
        mimic = joint.find("mimic")
        if mimic is not None and (mimic.get("joint") == joint.get("name") or mimic.get("joint") not in names):
            what = f"joint '{joint.get('name')}' mimics no other joint"
            expected, remedy = "the name of another joint", "Correct the name, or remove <mimic>"
            raise refuse(what, got=repr(mimic.get("joint", "")), expected=expected, remedy=remedy)
