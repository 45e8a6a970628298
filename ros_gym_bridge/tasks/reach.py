"""Reach: bring the end effector to a goal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.errors import OptionError, RobotFileError
from ros_gym_bridge.formats.result import Vector
from ros_gym_bridge.kinematics import tip_position
from ros_gym_bridge.robot import RobotState
from ros_gym_bridge.tasks.base import Evaluation, Field, Marker, joint_fields

_LOWEST_GOAL = 0.05  # m above the base: goals in the floor or the pedestal cannot be reached
_SHORTEST_WAY = 2.0  # radii between the start and a goal
_CLEARANCE = 0.12  # of the reach: between a goal and the robot's own links (at the default spread no pose of `panda`
# and `arm` that keeps it collides with itself)
_TRIES = 1000


class Reach:
    """Bring the end effector within `radius` of a goal, drawn anew for each episode.

    A goal is where the end effector stands for a joint position drawn at most `spread` of each joint's half range
    away from home, so that every goal can be reached; draws that would have the end effector in the floor or in the
    robot itself are thrown away. The end effector's position is computed from the joint positions by forward
    kinematics: it is the same for a simulated and a real robot.

    Reward: `dense` minus the distance in m; `sparse` 0 within the radius, otherwise -1. Terminated within the radius.

    Args:
        robot: a robot file that names its `end_effector`.
        reward: `dense` or `sparse`.
        radius: of the goal, m.
        spread: 0 to 1.

    Raises:
        RobotFileError: the robot file names no end effector.
        OptionError: an argument out of its range.
    """

    default_robot: ClassVar[str] = "panda"
    time_limit_s: ClassVar[float] = 4.0

    def __init__(
        self,
        robot: RobotFile,
        reward: Literal["dense", "sparse"] = "dense",
        radius: float = 0.03,
        spread: float = 0.4,
    ) -> None:
        _check_arguments(robot, reward, radius, spread)
        self._spec = robot.spec
        self._tip = tip_position(robot.model, str(robot.config.end_effector), robot.spec.joints)
        order = robot.spec.joints
        self._followers = [
            (order.index(name), order.index(mimic.joint), mimic)
            for name, mimic in robot.followers.items()
            if name in order and mimic.joint in order
        ]
        self._sparse = reward == "sparse"
        self._radius, self._spread = radius, spread
        self._goal = (0.0, 0.0, 0.0)
        reach = _reach(robot)
        self._clear_of_itself = _clear_of_itself(robot, _CLEARANCE * reach)
        self.fields: tuple[Field, ...] = (
            *joint_fields(robot.spec),
            *(Field(f"end effector {axis}", "m", -reach, reach) for axis in "xyz"),
            *(Field(f"goal {axis}", "m", -reach, reach) for axis in "xyz"),
            *(Field(f"goal minus end effector {axis}", "m", -2 * reach, 2 * reach) for axis in "xyz"),
        )

    def begin(self, state: RobotState, rng: np.random.Generator) -> None:
        """Draw a goal that the robot can reach and is not at already."""
        start = self._tip(state.position.tolist())
        spec = self._spec
        half = np.where(np.isfinite(spec.upper - spec.lower), 0.5 * (spec.upper - spec.lower), np.pi)
        for _ in range(_TRIES):
            draw = spec.home + self._spread * half * rng.uniform(-1.0, 1.0, len(spec.joints))
            pose = np.clip(draw, spec.lower, spec.upper).tolist()
            for follower, leader, mimic in self._followers:
                pose[follower] = mimic.multiplier * pose[leader] + mimic.offset
            self._goal = self._tip(pose)
            far = math.dist(start, self._goal) > _SHORTEST_WAY * self._radius
            if far and self._goal[2] > _LOWEST_GOAL and self._clear_of_itself(pose):
                return
        raise OptionError(
            f"no goal found in {_TRIES} draws",
            got=f"spread={self._spread}, radius={self._radius}",
            expected=f"goals more than {_LOWEST_GOAL} m above the base, {_SHORTEST_WAY} radii from the start and clear "
            "of the robot itself",
            remedy="Enlarge 'spread' or reduce 'radius'",
        )

    def evaluate(self, state: RobotState) -> Evaluation:
        """See the class for observation, reward and end."""
        position = state.position.tolist()
        x, y, z = tip = self._tip(position)
        gx, gy, gz = goal = self._goal
        dx, dy, dz = gx - x, gy - y, gz - z
        distance = math.sqrt(dx * dx + dy * dy + dz * dz)
        success = distance <= self._radius
        reward = (0.0 if success else -1.0) if self._sparse else -distance
        observation = (*position, *state.velocity.tolist(), *tip, *goal, dx, dy, dz)
        return Evaluation(observation, reward, success, {"success": success, "distance": distance})

    def markers(self) -> Sequence[Marker]:
        """The goal."""
        return (Marker(self._goal, self._radius),)


def _check_arguments(robot: RobotFile, reward: str, radius: float, spread: float) -> None:
    if robot.config.end_effector is None:
        raise RobotFileError(
            f"{robot.path}: end_effector",
            got="None",
            expected="the link that Reach brings to the goal",
            remedy=f"Add 'end_effector: LINK', one of {', '.join(robot.model.links)}",
        )
    if reward not in ("dense", "sparse"):
        raise OptionError("reward", got=repr(reward), expected="'dense' or 'sparse'")
    if not 0.0 < radius < 1.0:
        raise OptionError("radius", got=repr(radius), expected="metres between 0 and 1")
    if not 0.0 < spread <= 1.0:
        raise OptionError("spread", got=repr(spread), expected="a share of the joints' range between 0 and 1")


def _clear_of_itself(robot: RobotFile, clearance: float) -> Callable[[Sequence[float]], bool]:
    """Make the test whether the end effector keeps its distance (m) from the robot's own links.

    A link is taken as the line from its joint to the next one; the last links, from which the end effector is less
    than twice the clearance away along the chain, do not count.
    """
    names = robot.spec.joints
    chain = robot.model.chain(str(robot.config.end_effector))
    tip = tip_position(robot.model, chain[-1].child, names)
    lengths = [math.hypot(*joint.xyz) for joint in chain]
    counting = [joint.child for i, joint in enumerate(chain) if sum(lengths[i + 1 :]) > 2 * clearance]
    ends = [tip_position(robot.model, link, names) for link in counting]

    def clear(pose: Sequence[float]) -> bool:
        point, start = tip(pose), (0.0, 0.0, 0.0)
        for position in ends:
            end = position(pose)
            if _distance(point, start, end) < clearance:
                return False
            start = end
        return True

    return clear


def _distance(point: Vector, start: Vector, end: Vector) -> float:
    """From a point to the line between two others, m."""
    (x, y, z), (ax, ay, az), (bx, by, bz) = point, start, end
    dx, dy, dz = bx - ax, by - ay, bz - az
    square = dx * dx + dy * dy + dz * dz
    along = ((x - ax) * dx + (y - ay) * dy + (z - az) * dz) / square if square else 0.0
    along = min(max(along, 0.0), 1.0)
    return math.dist(point, (ax + along * dx, ay + along * dy, az + along * dz))


def _reach(robot: RobotFile) -> float:
    """An upper bound of the distance from base to end effector, m: the lengths of the chain and of its slides."""
    chain = robot.model.chain(str(robot.config.end_effector))
    slides = [max(abs(j.lower), abs(j.upper)) for j in chain if j.type == "prismatic"]
    return float(sum(math.hypot(*joint.xyz) for joint in chain) + sum(slides))
