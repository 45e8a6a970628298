"""Which motors a robot has and what each is told: from the numbers of its command to targets of joints. No physics."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.groups import ActuatorGroup, DiffDrive, Interface
from ros_gym_bridge.robot_model import Mimic

_DRIVE_GAIN = 1.0


@dataclass(frozen=True)
class Motor:
    """One motor and its target: the sum of numbers of the command, each times a factor, and of an offset.

    Attributes:
        joint: what it moves.
        interface: what the target is.
        terms: index into the command vector, and factor.
        offset: rad or m.
        effort: the most, N m or N.
        position_gain, velocity_gain: PyBullet's.
    """

    joint: str
    interface: Interface
    terms: tuple[tuple[int, float], ...]
    offset: float
    effort: float
    position_gain: float
    velocity_gain: float

    @property
    def column(self) -> int | None:
        """The index of the number that is the target as it stands, if there is one."""
        (index, factor), *others = self.terms
        return index if factor == 1.0 and self.offset == 0.0 and not others else None

    def target(self) -> Callable[[Sequence[float]], float]:
        """The function from a command `(n_command,)` to the target."""
        terms, offset = self.terms, self.offset
        return lambda command: offset + sum([command[index] * factor for index, factor in terms])


def motors(robot: RobotFile) -> tuple[Motor, ...]:
    """All motors, those of a group's followers behind the group's own.

    A follower of a joint that is told an effort has none: the gear between the two moves it.
    """
    found: list[Motor] = []
    first = 0
    for group in robot.config.actuators:
        own = _drive(robot, group, first) if isinstance(group, DiffDrive) else _single(robot, group, first)
        found += own + [each for motor in own for each in _followers(robot, group, motor)]
        first += 2 if isinstance(group, DiffDrive) else len(group.joints)
    return tuple(found)


def _single(robot: RobotFile, group: ActuatorGroup, first: int) -> list[Motor]:
    assert not isinstance(group, DiffDrive)
    return [
        Motor(
            joint,
            group.interface,
            ((first + i, 1.0),),
            0.0,
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
            0.0,
            _effort(robot, group, joint),
            _DRIVE_GAIN,
            _DRIVE_GAIN,
        )
        for wheels, side in sides
        for joint in wheels
    ]


def _followers(robot: RobotFile, group: ActuatorGroup, leader: Motor) -> list[Motor]:
    """The motors of the joints that follow a motor's joint."""
    names = [name for name, mimic in robot.followers.items() if mimic.joint == leader.joint]
    if leader.interface == "effort":
        return []
    return [_follow(leader, name, robot.followers[name], _effort(robot, group, name)) for name in names]


def _follow(leader: Motor, joint: str, mimic: Mimic, effort: float) -> Motor:
    terms = tuple((index, mimic.multiplier * factor) for index, factor in leader.terms)
    offset = mimic.multiplier * leader.offset + mimic.offset if leader.interface == "position" else 0.0
    return replace(leader, joint=joint, terms=terms, offset=offset, effort=effort or leader.effort)


def _effort(robot: RobotFile, group: ActuatorGroup, joint: str) -> float:
    spec = robot.spec
    listed = joint in spec.joints
    most = float(spec.max_effort[spec.joints.index(joint)]) if listed else robot.model.joint(joint).effort
    return min(most, group.max_effort or math.inf)
