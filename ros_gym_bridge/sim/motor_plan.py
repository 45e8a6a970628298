"""Which motors a robot has and what each is told: from the numbers of its command to targets of joints. No physics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.groups import ActuatorGroup, DiffDrive, Interface, JointGroup, JointTrajectory

_DRIVE_GAIN = 1.0


@dataclass(frozen=True)
class Motor:
    """One motor and its target: the sum of numbers of the command, each times a factor.

    Attributes:
        joint: what it moves.
        interface: what the target is.
        terms: index into the command vector, and factor.
        effort: the most, N m or N.
        position_gain, velocity_gain: PyBullet's.
    """

    joint: str
    interface: Interface
    terms: tuple[tuple[int, float], ...]
    effort: float
    position_gain: float
    velocity_gain: float

    @property
    def column(self) -> int | None:
        """The index of the number that is the target as it stands, if there is one."""
        (index, factor), *others = self.terms
        return index if factor == 1.0 and not others else None

    def target(self) -> Callable[[Sequence[float]], float]:
        """The function from a command `(n_command,)` to the target."""
        terms = self.terms
        return lambda command: sum([command[index] * factor for index, factor in terms])


def motors(robot: RobotFile) -> tuple[Motor, ...]:
    """All motors. A joint that follows another has none: the gear between the two moves it."""
    found: list[Motor] = []
    first = 0
    for group in robot.config.actuators:
        if isinstance(group, DiffDrive):
            found += _drive(robot, group, first)
            first += 2
        else:
            found += _single(robot, group, first)
            first += len(group.joints)
    return tuple(found)


def _single(robot: RobotFile, group: JointGroup | JointTrajectory, first: int) -> list[Motor]:
    return [
        Motor(
            joint,
            group.interface,
            ((first + i, 1.0),),
            _effort(robot, group, joint),
            group.gain("position_gain", joint),
            group.gain("velocity_gain", joint),
        )
        for i, joint in enumerate(group.joints)
    ]


def _drive(robot: RobotFile, group: DiffDrive, first: int) -> list[Motor]:
    """A wheel turns by the speed at which it rolls: v - w s / 2 on the left, v + w s / 2 on the right, over its
    radius."""
    sides: tuple[tuple[Sequence[str], Literal[-1, 1]], ...] = ((group.left_wheels, -1), (group.right_wheels, 1))
    return [
        Motor(
            joint,
            "velocity",
            ((first, 1.0 / group.wheel_radius), (first + 1, side * 0.5 * group.wheel_separation / group.wheel_radius)),
            _effort(robot, group, joint),
            _DRIVE_GAIN,
            _DRIVE_GAIN,
        )
        for wheels, side in sides
        for joint in wheels
    ]


def _effort(robot: RobotFile, group: ActuatorGroup, joint: str) -> float:
    spec = robot.spec
    return min(float(spec.max_effort[spec.joints.index(joint)]), group.max_effort or math.inf)
