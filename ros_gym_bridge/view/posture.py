"""Where a robot's links stand, from everything that is known: joint states first, transforms where these are silent."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from ros_gym_bridge.kinematics import joint_transform
from ros_gym_bridge.robot_model import MOVABLE, Joint
from ros_gym_bridge.view.description import Description
from ros_gym_bridge.view.frames import Frames, Matrix, matrix


class Posture:
    """The joints of one robot, and its links.

    Args:
        description: the robot.
        frames: the transforms, as they are told.
        prefixes: what may stand before the robot's link names in transforms; the first with which they are known.
    """

    def __init__(self, description: Description, frames: Frames, prefixes: Sequence[str] = ("",)) -> None:
        self.description = description
        self._frames, self._prefixes = frames, prefixes
        self._joints = {joint.name: joint for joint in description.joints}
        self._told: dict[str, float] = {}

    def hear(self, names: Iterable[str], positions: Iterable[float]) -> bool:
        """Take positions (rad or m) by joint name; whether something has changed.

        Joints that the robot lacks, and values that are not finite, are passed over; a joint that is not named stays.
        """
        news = {
            name: position
            for name, position in zip(names, positions, strict=False)
            if name in self._joints and math.isfinite(position) and self._told.get(name) != position
        }
        self._told.update(news)
        return bool(news)

    def position(self, name: str) -> float | None:
        """Of a joint, rad or m, its own or by what it mimics; None when nobody told."""
        factor, offset = 1.0, 0.0
        for _ in self._joints:  # a ring of joints that mimic each other ends, too
            if name in self._told:
                return factor * self._told[name] + offset
            joint = self._joints.get(name)
            if joint is None or joint.mimic is None:
                return None
            factor, offset = factor * joint.mimic.multiplier, factor * joint.mimic.offset + offset
            name = joint.mimic.joint
        return None

    @property
    def _prefix(self) -> str:
        """Looked up anew, since transforms may come late."""
        known = (each for each in self._prefixes if any(self._frames.knows(each + r) for r in self.description.roots))
        return next(known, self._prefixes[0])

    def fixed_frame(self) -> str:
        """The frame above the robot."""
        roots = self.description.roots
        return self._frames.top(self._prefix + roots[0]) if roots else ""

    def connected(self, fixed: str) -> bool:
        """Whether transforms lead from every root link to the frame `fixed`."""
        return all(self._frames.pose(self._prefix + root, fixed) is not None for root in self.description.roots)

    def links(self, fixed: str) -> dict[str, Matrix]:
        """Pose of every link in the frame `fixed`. A root that no transform connects to it stands at its origin."""
        poses: dict[str, Matrix] = {}
        for root in self.description.roots:
            pose = self._frames.pose(self._prefix + root, fixed)
            poses[root] = np.eye(4) if pose is None else pose
        for joint in self.description.joints:
            poses[joint.child] = poses[joint.parent] @ self._step(joint)
        return poses

    def _step(self, joint: Joint) -> Matrix:
        position = self.position(joint.name) if joint.type in MOVABLE else None
        if position is None and joint.type != "fixed":
            told = self._frames.between(self._prefix + joint.parent, self._prefix + joint.child)
            if told is not None:
                return told
        return matrix(*joint_transform(joint, position or 0.0))

    def place(self, frame: str, fixed: str, links: dict[str, Matrix]) -> Matrix | None:
        """Where any frame stands in the frame `fixed`: a link of the robot, or what transforms tell; None: unknown.

        Args:
            links: as `links(fixed)` returned them.
        """
        frame = frame.lstrip("/")
        link = frame.removeprefix(self._prefix)
        if link in links:
            return links[link]
        pose = self._frames.pose(frame, fixed)
        if pose is not None:
            return pose
        top = self._frames.top(frame)
        above = links.get(top.removeprefix(self._prefix))
        below = self._frames.pose(frame, top)
        return None if above is None or below is None else above @ below
