"""Whether a model is a differential drive beyond doubt: wheels left and right of a free base, which roll ahead."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from ros_gym_bridge.geometry import Matrix, matrix, quaternion
from ros_gym_bridge.guesses import JointGuess
from ros_gym_bridge.kinematics import joint_transform
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.robot_model import Joint, RobotModel
from ros_gym_bridge.survey import moved_links
from ros_gym_bridge.urdf_numbers import numbers

_NEAR = 1e-3  # m, and of unit vectors
_LEFT = np.array([0.0, 1.0, 0.0])  # of the base (REP 103): a wheel that turns about it rolls ahead


@dataclass(frozen=True)
class DriveGuess:
    """A differential drive.

    Attributes:
        left, right: the joints of its wheels.
        separation: between the middles of left and right wheels, m.
        radius: of a wheel, m.
        linear, angular: the most that its wheels can do of both at once, m/s and rad/s.
        casters: joints of wheels that swivel, and of their forks.
    """

    left: tuple[str, ...]
    right: tuple[str, ...]
    separation: float
    radius: float
    linear: float
    angular: float
    casters: tuple[str, ...]


class _Wheel(NamedTuple):
    """A wheel in the frame of the root link, m: the middle of its tread, and its radius."""

    joint: str
    x: float
    y: float
    z: float
    radius: float


def guess_drive(model: RobotModel, joints: Sequence[JointGuess]) -> DriveGuess | None:
    """The drive of a model whose base moves freely; None where there is any doubt.

    Beyond doubt are endless joints right on the base that turn about the axis to its left, with nothing that moves
    behind them, whose links are cylinders about that axis or spheres, all of one size, each opposite to another. Other
    wheels may swivel, without motors; none is steered.

    Args:
        model: the robot.
        joints: as `guess_joints` has them.
    """
    driven = [each.joint for each in joints if each.interface == "velocity" and each.joint.type == "continuous"]
    lying = [joint for joint in driven if _on_base(model, joint) and abs(_axis(model, joint)[2]) < 0.5]
    wheels = [_wheel(model, joint) for joint in lying]
    sure = [wheel for wheel in wheels if wheel is not None]
    left, right = ([wheel for wheel in sure if side * wheel.y > _NEAR] for side in (1, -1))
    if len(sure) < len(wheels) or len(left) + len(right) < len(sure) or not left or not _opposite(left, right):
        return None
    swivelling = [joint for joint in model.movable if _swivels(model, joint)]
    if any(joint.type != "continuous" or 0.0 < joint.effort < math.inf for joint in swivelling):
        return None  # steered
    names = tuple(wheel.joint for wheel in left), tuple(wheel.joint for wheel in right)
    radius, separation = left[0].radius, 2.0 * left[0].y
    fastest = radius * min(_speed(each) for each in joints if each.joint in lying)
    casters = tuple(joint.name for joint in swivelling)
    return DriveGuess(*names, separation, radius, 0.5 * fastest, fastest / separation, casters)


def _speed(guess: JointGuess) -> float:
    """The most that a wheel turns at, rad/s."""
    return guess.joint.velocity if guess.velocity is None else guess.velocity


def _axis(model: RobotModel, joint: Joint) -> FloatArray:
    """In the frame of the root link."""
    return np.asarray(_frame(model, joint)[1] @ np.array(joint.axis))


def _on_base(model: RobotModel, joint: Joint) -> bool:
    return all(each.type == "fixed" for each in model.chain(joint.parent))


def _swivels(model: RobotModel, joint: Joint) -> bool:
    """Whether an endless joint stands behind it, or it is one behind another joint that moves."""
    behind = [each for each in model.movable if each.parent in moved_links(model, joint.name)]
    above = [each for each in model.chain(joint.parent) if each in model.movable]
    return any(each.type == "continuous" for each in behind) or (joint.type == "continuous" and bool(above))


def _frame(model: RobotModel, joint: Joint) -> tuple[FloatArray, Matrix]:
    """Where the joint's child stands in the frame of the root link at position 0, m, and how it is turned."""
    place, turned = np.zeros(3), np.eye(3)
    for each in model.chain(joint.child):
        translation, rotation = joint_transform(each)
        place, turned = place + turned @ np.array(translation), turned @ matrix(rotation)
    return place, turned


def _wheel(model: RobotModel, joint: Joint) -> _Wheel | None:
    """None where it is no wheel that rolls ahead, or nobody knows how large it is."""
    if any(each.parent in moved_links(model, joint.name) for each in model.movable):
        return None
    place, turned = _frame(model, joint)
    link = next(link for link in ElementTree.fromstring(model.text).findall("link") if link.get("name") == joint.child)
    found = next(_round(link, joint.axis), None)
    if found is None or np.abs(_axis(model, joint) - _LEFT).max() > _NEAR:
        return None
    radius, centre = found
    x, y, z = (float(part) for part in place + turned @ centre)
    return _Wheel(joint.name, x, y, z, radius)


def _round(link: Element, axis: Sequence[float]) -> Iterator[tuple[float, FloatArray]]:
    """Radius and middle, in the link's frame, of the shapes that are round about an axis; those that touch first."""
    for part in (*link.findall("collision"), *link.findall("visual")):
        origin, shape = part.find("origin"), part.find("geometry/*")
        xyz, rpy = (numbers(origin.get(key, "0 0 0") if origin is not None else "0 0 0") for key in ("xyz", "rpy"))
        along = matrix(quaternion(rpy))[:, 2]
        if shape is None or np.linalg.norm(np.cross(axis, xyz)) > _NEAR:
            continue
        if shape.tag == "sphere" or (shape.tag == "cylinder" and abs(along @ np.array(axis)) > 1.0 - _NEAR):
            yield float(shape.attrib["radius"]), np.array(xyz)


def _opposite(left: Sequence[_Wheel], right: Sequence[_Wheel]) -> bool:
    """Whether each has its like on the other side, and all stand on one floor."""
    if len(left) != len(right):
        return False
    first = (*left, *right)[0]
    pairs = zip(sorted(left, key=lambda wheel: wheel.x), sorted(right, key=lambda wheel: wheel.x), strict=True)
    return all(
        math.isclose(a.x, b.x, abs_tol=_NEAR)
        and all(math.isclose(abs(each.y), abs(first.y), rel_tol=0.01) for each in (a, b))
        and all(math.isclose(each.z, first.z, abs_tol=_NEAR) for each in (a, b))
        and all(math.isclose(each.radius, first.radius, rel_tol=0.01) for each in (a, b))
        for a, b in pairs
    )
