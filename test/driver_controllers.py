"""The controllers of ros2_control as a user meets them on topics, for `robot_driver.py`; nothing of this package."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from geometry_msgs.msg import TransformStamped, TwistStamped
from nav_msgs.msg import Odometry
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from driver_plant import INTERFACES, POSITION, VELOCITY, Plant

_NS = 10**9


def nanoseconds(stamp: Any) -> int:
    """builtin_interfaces/Time or Duration as an integer."""
    return int(stamp.sec) * _NS + int(stamp.nanosec)


class Refused(Exception):
    """A message that a controller does not take; the text says why."""


class Forward:
    """`forward_command_controller`: numbers in the order of its joints; the newest stands for ever."""

    kind = Float64MultiArray

    def __init__(self, plant: Plant, name: str, joints: list[str], interface: str = "position") -> None:
        self.topic = f"{name}/commands"
        self._plant, self._mode = plant, INTERFACES.index(interface)
        self._indices = [plant.index(joint) for joint in joints]

    def take(self, message: Float64MultiArray, now_s: float, clock_ns: int) -> None:
        """A command has arrived, at `now_s` on the steady clock, `clock_ns` on the robot's."""
        if len(message.data) != len(self._indices):
            raise Refused(f"{len(message.data)} values for {len(self._indices)} joints")
        values = np.array(message.data)
        if not np.isfinite(values).all():
            self._plant.stop(f"command that is not finite on {self.topic}")
            return
        self._plant.target[self._indices], self._plant.mode[self._indices] = values, self._mode

    def update(self, now_s: float) -> None:
        """Before every piece of time."""

    def halt(self) -> None:
        """Forget what was commanded."""


class TopicBased:
    """Topic-based ros2_control and Isaac Sim: a JointState by name, in any order; what is NaN or left out holds. Where
    arrays are shorter than the names, each holds the values of those joints that have its interface."""

    kind = JointState

    def __init__(
        self, plant: Plant, topic: str, joints: list[str], interfaces: dict[str, str] | None = None, name: str = ""
    ) -> None:
        self.topic = topic
        self._plant, self._joints, self._interfaces = plant, joints, interfaces or {}

    def take(self, message: JointState, now_s: float, clock_ns: int) -> None:
        """See `Forward.take`."""
        unknown = [name for name in message.name if name not in self._joints]
        if unknown:
            raise Refused(f"unknown joints {unknown}")
        for mode, interface in enumerate(INTERFACES):
            values = getattr(message, interface)
            names = list(message.name)
            if len(values) != len(names):
                names = [name for name in names if self._interfaces.get(name, "position") == interface]
            if len(values) not in (0, len(names)):
                raise Refused(f"{len(values)} values of {interface} for {len(names)} joints")
            for name, value in zip(names, values, strict=False):
                if not math.isnan(value):
                    i = self._plant.index(name)
                    self._plant.target[i], self._plant.mode[i] = value, mode

    def update(self, now_s: float) -> None:
        """See `Forward.update`."""

    def halt(self) -> None:
        """See `Forward.halt`."""


class Trajectory:
    """`joint_trajectory_controller`: all joints by name unless `allow_partial`; straight lines between the points from
    where the joints are commanded now; the last point is held."""

    kind = JointTrajectory

    def __init__(self, plant: Plant, name: str, joints: list[str], allow_partial: bool = False) -> None:
        self.topic = f"{name}/joint_trajectory"
        self._plant, self._joints, self._allow_partial = plant, joints, allow_partial
        self._indices: list[int] = []
        self._times: list[float] = []
        self._points = np.zeros((0, 0))

    def take(self, message: JointTrajectory, now_s: float, clock_ns: int) -> None:
        """See `Forward.take`."""
        names = list(message.joint_names)
        unknown, missing = set(names) - set(self._joints), set(self._joints) - set(names)
        if unknown or (missing and not self._allow_partial):
            raise Refused(f"joints {sorted(unknown or missing)} are {'unknown' if unknown else 'missing'}")
        if not message.points:
            return self.halt()
        points = np.array([list(point.positions) for point in message.points])
        if points.shape != (len(message.points), len(names)) or not np.isfinite(points).all():
            raise Refused("points without a finite position for every joint")
        stamp_ns = nanoseconds(message.header.stamp)
        begin_s = now_s + ((stamp_ns - clock_ns) / _NS if stamp_ns else 0.0)
        times = [begin_s + nanoseconds(point.time_from_start) / _NS for point in message.points]
        if any(a >= b for a, b in itertools.pairwise(times)):
            raise Refused("times that do not increase")
        if times[-1] < now_s:
            raise Refused(f"a trajectory that ended {now_s - times[-1]:.3f} s ago")
        self._indices = [self._plant.index(name) for name in names]
        here = self._plant.measured()[0][self._indices]
        at = np.where(self._plant.mode[self._indices] == POSITION, self._plant.target[self._indices], here)
        self._times, self._points = [max(now_s, begin_s - 1e-6), *times], np.vstack([at, points])
        return None

    def update(self, now_s: float) -> None:
        """See `Forward.update`."""
        if self._times:
            values = [np.interp(now_s, self._times, column) for column in self._points.T]
            self._plant.target[self._indices], self._plant.mode[self._indices] = values, POSITION
            if now_s >= self._times[-1]:
                self._times = []

    def halt(self) -> None:
        """See `Forward.halt`."""
        self._times = []


class DiffDrive:
    """`diff_drive_controller`: speed ahead and to the left; a twist that is too old by the robot's clock is refused,
    and silence for `timeout_s` stops the wheels. Odometry comes with every state."""

    kind = TwistStamped

    def __init__(
        self,
        plant: Plant,
        name: str,
        left: list[str],
        right: list[str],
        separation: float,
        radius: float,
        timeout_s: float = 0.5,
        max_acceleration: float = math.inf,
        base_frame: str = "base_link",
    ) -> None:
        self.topic, self.odom_topic = f"{name}/cmd_vel", f"{name}/odom"
        self._plant, self._timeout_s, self._acceleration = plant, timeout_s, max_acceleration
        self._sides = [[plant.index(joint) for joint in side] for side in (left, right)]
        self._separation, self._radius, self._frame = separation, radius, base_frame
        self._wanted, self._speed = np.zeros(2), np.zeros(2)
        self._heard_s, self._updated_s = -math.inf, -math.inf
        self._turned: Any = None
        self._pose = np.zeros(3)

    def take(self, message: TwistStamped, now_s: float, clock_ns: int) -> None:
        """See `Forward.take`."""
        stamp_ns = nanoseconds(message.header.stamp)
        age_s = (clock_ns - stamp_ns) / _NS if stamp_ns else 0.0
        if self._timeout_s and age_s > self._timeout_s:
            raise Refused(f"a twist that is {age_s:.3f} s old")
        self._wanted = np.array([message.twist.linear.x, message.twist.angular.z])
        self._heard_s = now_s

    def update(self, now_s: float) -> None:
        """See `Forward.update`."""
        if self._timeout_s and now_s - self._heard_s > self._timeout_s:
            self._wanted = np.zeros(2)
        step = self._acceleration * max(0.0, now_s - self._updated_s)
        self._updated_s = now_s
        self._speed = np.clip(self._wanted, self._speed - step, self._speed + step)
        half = 0.5 * self._speed[1] * self._separation
        for side, speed in zip(self._sides, (self._speed[0] - half, self._speed[0] + half), strict=True):
            self._plant.target[side], self._plant.mode[side] = speed / self._radius, VELOCITY

    def halt(self) -> None:
        """See `Forward.halt`."""
        self._wanted, self._speed = np.zeros(2), np.zeros(2)

    def odometry(self, stamp: Any) -> Odometry:
        """Where the wheels say that the robot is; to be called once for each state."""
        turned, speeds, _ = (np.array([row[side].mean() for side in self._sides]) for row in self._plant.measured())
        left, right = self._radius * (turned - (turned if self._turned is None else self._turned))
        self._turned = turned
        x, y, yaw = self._pose
        turn, ahead = (right - left) / self._separation, 0.5 * (left + right)
        self._pose = np.array([x + ahead * math.cos(yaw + turn / 2), y + ahead * math.sin(yaw + turn / 2), yaw + turn])
        message = Odometry(child_frame_id=self._frame)
        message.header.stamp, message.header.frame_id = stamp, "odom"
        message.pose.pose.position.x, message.pose.pose.position.y = self._pose[:2].tolist()
        message.pose.pose.orientation.z, message.pose.pose.orientation.w = _half_angle(self._pose[2])
        message.twist.twist.linear.x = float(self._radius * speeds.mean())
        message.twist.twist.angular.z = float(self._radius * (speeds[1] - speeds[0]) / self._separation)
        return message


def transform(odometry: Odometry) -> TransformStamped:
    """The same place as a transform."""
    made = TransformStamped(header=odometry.header, child_frame_id=odometry.child_frame_id)
    place, turn = odometry.pose.pose.position, odometry.pose.pose.orientation
    made.transform.translation.x, made.transform.translation.y = place.x, place.y
    made.transform.rotation = turn
    return made


def _half_angle(yaw: float) -> tuple[float, float]:
    return math.sin(0.5 * yaw), math.cos(0.5 * yaw)


CONTROLLERS = {"forward": Forward, "topic_based": TopicBased, "trajectory": Trajectory, "diff_drive": DiffDrive}
