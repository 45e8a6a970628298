"""Where a drive believes to be: what its wheels have turned, added up. Wheels slip, so it drifts as on a real robot."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.groups import DiffDrive
from ros_gym_bridge.robot import Sample, read_only


class WheelOdometry:
    """The odometry of one drive, from the joint positions that its robot tells.

    Attributes:
        name: of its sample in `RobotState.channels`.

    Args:
        robot: the robot file.
        group: the drive.
    """

    def __init__(self, robot: RobotFile, group: DiffDrive) -> None:
        order = robot.spec.joints
        self.name = group.odometry
        self._sides = [[order.index(name) for name in side] for side in (group.left_wheels, group.right_wheels)]
        self._radius, self._separation = group.wheel_radius, group.wheel_separation
        self._physics_hz = robot.spec.physics_hz
        self.begin()

    def begin(self) -> None:
        """The next reading is that of the origin."""
        self._x = self._y = self._yaw = self._linear = self._angular = 0.0
        self._steps, self._turned = 0, list[float]()

    def lift(self) -> None:
        """The wheels are turned without the ground under them: what they turn until the next reading moves nothing."""
        self._turned = []

    def read(self, steps: int, stamp_ns: int, positions: Sequence[float]) -> Sample:
        """The pose in the frame in which it began and the velocity in the robot's own: x y z (m), quaternion x y z w,
        linear (m/s) and angular (rad/s), float64 `(13,)`.

        Args:
            steps: physics steps done.
            stamp_ns: stamp of the state.
            positions: of the robot's joints, rad.
        """
        turned = [sum(positions[i] for i in side) / len(side) for side in self._sides]
        if self._turned:
            left, right = ((now - then) * self._radius for now, then in zip(turned, self._turned, strict=True))
            self._move(0.5 * (left + right), (right - left) / self._separation, steps - self._steps)
        self._steps, self._turned = steps, turned
        half = 0.5 * self._yaw
        pose = (self._x, self._y, 0.0, 0.0, 0.0, math.sin(half), math.cos(half))
        twist = (self._linear, 0.0, 0.0, 0.0, 0.0, self._angular)
        return Sample(stamp_ns, read_only((*pose, *twist)))

    def _move(self, way: float, turn: float, steps: int) -> None:
        """Along an arc of this length and angle; when no time has passed, the velocity stays."""
        chord = way * (math.sin(0.5 * turn) / (0.5 * turn) if turn else 1.0)
        self._x += chord * math.cos(self._yaw + 0.5 * turn)
        self._y += chord * math.sin(self._yaw + 0.5 * turn)
        self._yaw += turn
        if steps > 0:
            self._linear, self._angular = way * self._physics_hz / steps, turn * self._physics_hz / steps
