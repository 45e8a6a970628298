"""A robot's links and joints, as its URDF states them.

Conventions: SI units and right-handed frames (REP 103); `rpy` is a rotation about the fixed axes x, y, z of the parent
frame, in this order (URDF specification, https://wiki.ros.org/urdf/XML/joint).
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from xml.etree import ElementTree

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.result import Format, Vector
from ros_gym_bridge.geometry import quaternion
from ros_gym_bridge.notes import Note

ROTARY = ("revolute", "continuous")
MOVABLE = (*ROTARY, "prismatic")


@dataclass(frozen=True)
class Mimic:
    """This joint should stand at `multiplier * position of joint + offset`. PyBullet ignores it."""

    joint: str
    multiplier: float
    offset: float


@dataclass(frozen=True)
class Joint:
    """One joint.

    Attributes:
        type: "revolute", "continuous", "prismatic" or "fixed".
        parent, child: names of links.
        xyz: where the child frame's origin stands at position 0, m, in the parent link's frame.
        rpy: how it is turned there, rad, about the parent's fixed axes x, y, z.
        axis: unit vector in the child's frame.
        lower, upper: limits of the position, rad or m; -inf and inf for a continuous joint, 0 for a fixed one.
        velocity, effort: the largest, rad/s or m/s, Nm or N; inf where the URDF has no <limit>. 0 is what many
            URDFs write when they do not know.
        mimic: what it should follow, if anything.
    """

    name: str
    type: str
    parent: str
    child: str
    xyz: Vector
    rpy: Vector
    axis: Vector
    lower: float
    upper: float
    velocity: float
    effort: float
    mimic: Mimic | None = None

    @cached_property
    def quaternion(self) -> tuple[float, float, float, float]:
        """`rpy` as x, y, z, w."""
        return quaternion(self.rpy)

    @cached_property
    def rotation(self) -> tuple[Vector, Vector, Vector]:
        """`rpy` as a rotation matrix, Rz(yaw) Ry(pitch) Rx(roll): three rows; child to parent."""
        (sr, cr), (sp, cp), (sy, cy) = ((math.sin(angle), math.cos(angle)) for angle in self.rpy)
        return (
            (cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
            (sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
            (-sp, cp * sr, cp * cr),
        )

    @cached_property
    def slide(self) -> Vector:
        """`axis` in the parent's frame: where a prismatic joint moves its child."""
        x, y, z = (sum(a * b for a, b in zip(row, self.axis, strict=True)) for row in self.rotation)
        return x, y, z


@dataclass(frozen=True)
class RobotModel:
    """A URDF that was found good: links and joints in the order of the file.

    Attributes:
        path: the file; of a text, the name that it was given.
        text: the URDF, corrected where it could mean only one thing.
        folder: where relative names of meshes begin; None for a text.
        notes: what was corrected, and what was left out on the way from another format.
        format: in which the file is written.
        floating: whether the file means a base that moves freely; None: it does not say.
        position, rpy: where the file places the root link in the world, m and rad.
    """

    path: Path
    text: str
    name: str
    links: tuple[str, ...]
    joints: tuple[Joint, ...]
    root: str
    folder: Path | None
    notes: tuple[Note, ...] = ()
    format: Format = "urdf"
    floating: bool | None = None
    position: Vector = (0.0, 0.0, 0.0)
    rpy: Vector = (0.0, 0.0, 0.0)

    @cached_property
    def movable(self) -> tuple[Joint, ...]:
        """The revolute, continuous and prismatic joints."""
        return tuple(joint for joint in self.joints if joint.type in MOVABLE)

    def joint(self, name: str) -> Joint:
        """The joint of that name.

        Raises:
            ModelError: there is none.
        """
        try:
            return self._joints[name]
        except KeyError:
            raise self._unknown("joint", name, list(self._joints)) from None

    def chain(self, tip: str) -> tuple[Joint, ...]:
        """The joints from the root link to the link `tip`, fixed ones included; empty for the root itself.

        Raises:
            ModelError: there is no such link.
        """
        if tip not in self.links:
            raise self._unknown("link", tip, list(self.links))
        joints: list[Joint] = []
        while tip != self.root:
            joints.append(self._above[tip])
            tip = joints[-1].parent
        return tuple(reversed(joints))

    @cached_property
    def massless(self) -> tuple[str, ...]:
        """The links that state no `<inertial>`."""
        links = ElementTree.fromstring(self.text).findall("link")
        return tuple(str(link.get("name")) for link in links if link.find("inertial") is None)

    @cached_property
    def _joints(self) -> dict[str, Joint]:
        return {joint.name: joint for joint in self.joints}

    @cached_property
    def _above(self) -> dict[str, Joint]:
        return {joint.child: joint for joint in self.joints}

    def _unknown(self, kind: str, name: str, known: list[str]) -> ModelError:
        near = difflib.get_close_matches(name, known, 1)
        remedy = f"Perhaps '{near[0]}' is meant" if near else "Correct the name, or add it to the URDF"
        expected = f"one of {', '.join(known)}" if known else f"none: the model has no {kind}"
        return ModelError(f"{self.path}: no such {kind}", got=f"'{name}'", expected=expected, remedy=remedy)
