"""Between our values and ROS messages: pure conversions."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Duration, Time
from sensor_msgs.msg import JointState

from ros_gym_bridge.robot import NANOSECONDS, FloatArray, RobotState


def to_time(stamp_ns: int) -> Time:
    """A stamp as builtin_interfaces/Time."""
    return Time(sec=stamp_ns // NANOSECONDS, nanosec=stamp_ns % NANOSECONDS)


def to_duration(nanoseconds: int) -> Duration:
    """A length of time as builtin_interfaces/Duration."""
    return Duration(sec=nanoseconds // NANOSECONDS, nanosec=nanoseconds % NANOSECONDS)


def to_ns(time: Time | Duration) -> int:
    """builtin_interfaces/Time or Duration as nanoseconds."""
    return int(time.sec) * NANOSECONDS + int(time.nanosec)


def fill_joint_state(message: JointState, state: RobotState) -> JointState:
    """Write a state into a message that has its names already; arrays of doubles are what rosidl takes fastest."""
    message.header.stamp = to_time(state.stamp_ns)
    message.position = array("d", state.position.tobytes())
    message.velocity = array("d", state.velocity.tobytes())
    message.effort = array("d", state.effort.tobytes())
    return message


class JointStateReader:
    """Joint arrays in the robot file's order from a JointState in any order.

    Args:
        joints: the robot file's joints.
    """

    def __init__(self, joints: Sequence[str]) -> None:
        self._joints = list(joints)
        self._names: list[str] = []
        self._order: list[int] = []

    def __call__(self, message: JointState) -> tuple[FloatArray, FloatArray, FloatArray] | list[str]:
        """Position, velocity and effort, `(n_joints,)` each and read-only, or the names of the joints that are missing.

        Further joints are ignored. What a message leaves out is NaN.
        """
        if message.name != self._names:
            missing = [name for name in self._joints if name not in message.name]
            if missing:
                return missing
            self._names = list(message.name)
            self._order = [self._names.index(name) for name in self._joints]
        block = np.empty((3, len(self._joints)))
        for row, values in enumerate((message.position, message.velocity, message.effort)):
            block[row] = np.frombuffer(values)[self._order] if len(values) == len(self._names) else math.nan
        block.setflags(write=False)
        return block[0], block[1], block[2]
