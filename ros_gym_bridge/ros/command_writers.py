"""Writes a robot's command as messages: one for each distinct command topic."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Protocol

from geometry_msgs.msg import Twist, TwistStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from ros_gym_bridge import groups
from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.robot import NANOSECONDS, FloatArray, RobotSpec
from ros_gym_bridge.ros.messages import to_duration, to_time


class Writer(Protocol):
    """Fills the message of one topic."""

    kind: Any

    def __call__(self, command: FloatArray, stamp_ns: int) -> Any:
        """The message, of the type `kind`, for a command `(n_command,)` that answers the state with this stamp."""


class JointStateWriter:
    """Joints by name. Where they have different interfaces, each array holds the values of those that have that one,
    in the order of the names, as topic-based ros2_control fills it.

    Args:
        parts: the groups of the topic, each with the index of its first joint in the command vector.
    """

    kind = JointState

    def __init__(self, parts: Sequence[tuple[groups.JointGroup, int]]) -> None:
        self._message = JointState(name=[joint for group, _ in parts for joint in group.joints])
        self._places: dict[str, list[int]] = {}
        for group, first in parts:
            self._places.setdefault(group.interface, []).extend(range(first, first + len(group.joints)))

    def __call__(self, command: FloatArray, stamp_ns: int) -> JointState:
        """See `Writer`."""
        self._message.header.stamp = to_time(stamp_ns)
        for interface, places in self._places.items():
            setattr(self._message, interface, array("d", command[places].tobytes()))
        return self._message


class ArrayWriter:
    """Numbers in the order of the group.

    Args:
        first, count: where the group stands in the command vector.
    """

    kind = Float64MultiArray

    def __init__(self, first: int, count: int) -> None:
        self._part, self._message = slice(first, first + count), Float64MultiArray()

    def __call__(self, command: FloatArray, stamp_ns: int) -> Float64MultiArray:
        """See `Writer`."""
        self._message.data = array("d", command[self._part].tobytes())
        return self._message


class TrajectoryWriter:
    """One point, to be reached one control period from now.

    Args:
        group: the group.
        first: index of its first joint in the command vector.
        spec: of the robot.
        begins_now: the state that is answered is of the past by now; otherwise the trajectory begins at its stamp.
    """

    kind = JointTrajectory

    def __init__(self, group: groups.JointTrajectory, first: int, spec: RobotSpec, begins_now: bool) -> None:
        self._part, self._spec, self._begins_now = slice(first, first + len(group.joints)), spec, begins_now
        self._point = JointTrajectoryPoint()
        self._point.time_from_start = to_duration(NANOSECONDS // spec.control_hz)
        self._message = JointTrajectory(joint_names=list(group.joints), points=[self._point])

    def __call__(self, command: FloatArray, stamp_ns: int) -> JointTrajectory:
        """See `Writer`."""
        if not self._begins_now:
            self._message.header.stamp = to_time(stamp_ns)
            self._point.time_from_start = to_duration(self._spec.next_stamp(stamp_ns) - stamp_ns)
        self._point.positions = array("d", command[self._part].tobytes())
        return self._message

    def path(self, times_s: Sequence[float], commands: Sequence[FloatArray], speeds: Sequence[FloatArray]) -> Any:
        """A whole way that begins when it is heard: the group's part of commands `(n_command,)` at times from then,
        and how fast they change there."""
        points = [
            JointTrajectoryPoint(
                positions=array("d", command[self._part].tobytes()),
                velocities=array("d", speed[self._part].tobytes()),
                time_from_start=to_duration(round(time_s * NANOSECONDS)),
            )
            for time_s, command, speed in zip(times_s, commands, speeds, strict=True)
        ]
        return JointTrajectory(joint_names=self._message.joint_names, points=points)


class TwistWriter:
    """Speed ahead and to the left.

    Args:
        first: index of the linear speed in the command vector; the angular one follows.
        stamped: TwistStamped, otherwise Twist.
        frame: of the robot.
    """

    def __init__(self, first: int, stamped: bool, frame: str) -> None:
        self.kind = TwistStamped if stamped else Twist
        self._first, self._stamped, self._message = first, stamped, self.kind()
        self._twist = self._message.twist if stamped else self._message
        if stamped:
            self._message.header.frame_id = frame

    def __call__(self, command: FloatArray, stamp_ns: int) -> Twist | TwistStamped:
        """See `Writer`."""
        if self._stamped:
            self._message.header.stamp = to_time(stamp_ns)
        self._twist.linear.x, self._twist.angular.z = command[self._first : self._first + 2].tolist()
        return self._message


def command_writers(robot: RobotFile, realtime: bool) -> dict[str, Writer]:
    """One writer for each distinct command topic.

    Args:
        robot: the robot file.
        realtime: time goes on while a state is answered.
    """
    writers: dict[str, Writer] = {}
    named: dict[str, list[tuple[groups.JointGroup, int]]] = {}
    first = 0
    for group in robot.config.actuators:
        if isinstance(group, groups.JointTrajectory):
            writers[group.topic] = TrajectoryWriter(group, first, robot.spec, realtime)
        elif isinstance(group, groups.DiffDrive):
            writers[group.topic] = TwistWriter(first, group.stamped, robot.model.root)
        elif not group.stamped:
            writers[group.topic] = ArrayWriter(first, len(group.joints))
        else:
            named.setdefault(group.topic, []).append((group, first))
        first += 2 if isinstance(group, groups.DiffDrive) else len(group.joints)
    return writers | {topic: JointStateWriter(parts) for topic, parts in named.items()}
