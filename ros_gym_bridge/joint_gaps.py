"""What a robot does not measure of its joints: filled in, or named. No ROS."""

from __future__ import annotations

from collections import deque

import numpy as np

from ros_gym_bridge.robot import NANOSECONDS, FloatArray, RobotSpec

Joints = tuple[FloatArray, FloatArray, FloatArray]

_KEPT = 1000


class JointGaps:
    """Joint states without NaN. A velocity that is not measured is the mean one of the last control period, from
    positions and stamps; an effort that is not measured is 0.

    Attributes:
        velocities, efforts: names of the joints for which this was done in the last message.
        positions: names of the joints without a position in it; such a message cannot be used.

    Args:
        spec: of the robot.
    """

    def __init__(self, spec: RobotSpec) -> None:
        self._joints, self._period_ns = spec.joints, NANOSECONDS // spec.control_hz
        self.positions: list[str] = []
        self.velocities: list[str] = []
        self.efforts: list[str] = []
        self.restart()

    def restart(self) -> None:
        """Forget what came before: the robot's clock has jumped."""
        self._past: deque[tuple[int, FloatArray]] = deque(maxlen=_KEPT)

    def __call__(self, stamp_ns: int, joints: Joints) -> Joints | None:
        """Position, velocity and effort, `(n_joints,)` each and read-only, all finite; None without a position."""
        position, velocity, effort = joints
        total = float(position.sum() + velocity.sum() + effort.sum())
        if total - total == 0.0:
            self.positions, self.velocities, self.efforts = [], [], []
            return joints
        self.positions = self._named(position)
        if self.positions:
            return None
        self.velocities, self.efforts = self._named(velocity), self._named(effort)
        if self.velocities:
            velocity = np.where(np.isfinite(velocity), velocity, self._mean_velocity(stamp_ns, position))
        effort = np.where(np.isfinite(effort), effort, 0.0)
        velocity.setflags(write=False)
        effort.setflags(write=False)
        return position, velocity, effort

    def _named(self, values: FloatArray) -> list[str]:
        return [name for name, good in zip(self._joints, np.isfinite(values), strict=True) if not good]

    def _mean_velocity(self, stamp_ns: int, position: FloatArray) -> FloatArray:
        """Since the newest state that is a control period old, or the oldest; 0 for the first."""
        past = self._past
        while len(past) > 1 and past[1][0] <= stamp_ns - self._period_ns:
            past.popleft()
        then_ns, then = past[0] if past else (stamp_ns, position)
        if not past or past[-1][0] < stamp_ns:
            past.append((stamp_ns, position))
        gone_ns = stamp_ns - then_ns
        return (position - then) * (NANOSECONDS / gone_ns) if gone_ns > 0 else np.zeros_like(position)
