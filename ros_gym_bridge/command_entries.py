"""What the numbers of a robot's command mean: one entry for each, with bounds, from the actuator groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.groups import ActuatorGroup, DiffDrive, JointGroup, JointTrajectory, SpeedLimit
from ros_gym_bridge.robot import CommandEntry
from ros_gym_bridge.schema_safety import Safety, of_joint


@dataclass(frozen=True)
class Limits:
    """Of one joint: position (rad or m), velocity (rad/s or m/s) and effort (N m or N); where it starts."""

    lower: float
    upper: float
    velocity: float
    effort: float
    home: float


@dataclass(frozen=True)
class Bounded:
    """A number of the command, and the most that it may change in a second."""

    entry: CommandEntry
    rate: float


def entries(path: Path, group: ActuatorGroup, limits: Mapping[str, Limits], safety: Safety) -> list[Bounded]:
    """The numbers by which a group is commanded, in order.

    Args:
        path: of the robot file.
        group: the group.
        limits: of every joint of the robot file, by name.
        safety: limits on top.

    Raises:
        RobotFileError: limits that are not finite, or with which a motor would never move.
    """
    if isinstance(group, DiffDrive):
        return _drive(path, group, limits)
    return [_joint(path, group, name, limits[name], safety) for name in group.joints]


def _joint(path: Path, group: JointGroup | JointTrajectory, name: str, limits: Limits, safety: Safety) -> Bounded:
    effort = min(limits.effort, group.max_effort or math.inf, of_joint(safety.max_effort, name))
    acceleration, effort_rate = of_joint(safety.max_acceleration, name), of_joint(safety.max_effort_rate, name)
    low, high, start, rate = {
        "position": (limits.lower, limits.upper, limits.home, limits.velocity if safety.rate_limit else math.inf),
        "velocity": (-limits.velocity, limits.velocity, 0.0, acceleration),
        "effort": (-effort, effort, 0.0, effort_rate),
    }[group.interface]
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise RobotFileError(
            f"{path}: actuators: joint '{name}' of group '{group.name}' has no finite {group.interface} limits",
            got=f"[{low}, {high}]",
            expected="a lower limit below an upper limit, both finite, since actions are scaled to them",
            remedy=f"Give '{name}' a '{group.interface}' limit under 'joints', or choose another interface",
        )
    needed = {"position": ("effort", "velocity"), "velocity": ("effort",), "effort": ()}[group.interface]
    _check_motor(path, group.name, name, limits, needed)
    return Bounded(CommandEntry(group.name, name, group.interface, low, high, start), rate)


def _check_motor(path: Path, group: str, name: str, limits: Limits, needed: tuple[str, ...]) -> None:
    """A motor that follows a target needs an effort, and to follow a position at a limited rate a velocity."""
    for limit in needed:
        if getattr(limits, limit) == 0.0:
            raise RobotFileError(
                f"{path}: actuators: joint '{name}' of group '{group}' has the {limit} limit 0 in the URDF",
                expected="more than 0, or it would never move",
                remedy=f"Give '{name}' its true '{limit}' under 'joints', or leave it out of the group",
            )


def _drive(path: Path, group: DiffDrive, limits: Mapping[str, Limits]) -> list[Bounded]:
    reach = {"linear": group.wheel_radius, "angular": 2.0 * group.wheel_radius / group.wheel_separation}
    for name in group.commanded:
        _check_motor(path, group.name, name, limits[name], ("effort",))
        for key, factor in reach.items():
            _check_speed(path, group, key, name, limits[name].velocity * factor)
    return [_speed(group, key, getattr(group, key)) for key in reach]


def _speed(group: DiffDrive, key: str, limit: SpeedLimit) -> Bounded:
    low = -limit.max_velocity if limit.min_velocity is None else limit.min_velocity
    entry = CommandEntry(group.name, group.name, key, low, limit.max_velocity, 0.0)
    return Bounded(entry, limit.max_acceleration or math.inf)


def _check_speed(path: Path, group: DiffDrive, key: str, wheel: str, most: float) -> None:
    """A speed that a wheel cannot turn at is none that the robot could drive at. A velocity of 0 is not known."""
    limit: SpeedLimit = getattr(group, key)
    fastest = max(limit.max_velocity, -(limit.min_velocity or 0.0))
    if 0.0 < most < fastest:
        raise RobotFileError(
            f"{path}: actuators: {key} speed of group '{group.name}'",
            got=f"{fastest}",
            expected=f"at most {most:.6g}: wheel '{wheel}' turns no faster",
            remedy=f"Lower 'max_velocity' and 'min_velocity' of '{key}', or raise the velocity of '{wheel}'",
        )
