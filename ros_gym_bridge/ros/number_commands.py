"""Reads the commands that are bare numbers, Float64MultiArray and Twist, whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence

from geometry_msgs.msg import Twist, TwistStamped
from std_msgs.msg import Float64MultiArray

from ros_gym_bridge.robot import NANOSECONDS
from ros_gym_bridge.ros.messages import to_ns
from ros_gym_bridge.ros.refused import CommandRefused, not_finite
from ros_gym_bridge.sim.targets import Setpoint


class ArrayCommands:
    """Reads the Float64MultiArray commands of one group.

    Args:
        first: index of the group's first joint in the command vector.
        joints: in the order of the numbers.
        interface: what the numbers are.
    """

    kind = Float64MultiArray

    def __init__(self, first: int, joints: Sequence[str], interface: str) -> None:
        self._joints, self._interface = list(joints), interface
        self._indices = list(range(first, first + len(joints)))

    def __call__(self, message: Float64MultiArray, now_ns: int | None = None) -> Setpoint:
        """What is commanded.

        Raises:
            CommandRefused: another number of values than joints, or one that is not finite.
        """
        values = message.data.tolist()
        if len(values) != len(self._joints):
            raise CommandRefused(
                "length",
                "another number of values than joints",
                got=f"{len(values)} values",
                expected=f"{len(self._joints)}: {self._interface} of {', '.join(self._joints)}",
            )
        for name, value in zip(self._joints, values, strict=True):
            if not math.isfinite(value):
                raise not_finite(f"{self._interface} for joint '{name}'", value)
        return Setpoint(self._indices, values)


class TwistCommands:
    """Reads the commands of one drive: `linear.x` and `angular.z`; what a drive cannot do is left alone.

    Args:
        first: index of the linear speed in the command vector; the angular one follows.
        stamped: TwistStamped, otherwise Twist.
        timeout_s: one that is older is refused, as `diff_drive_controller` does; 0: none is too old.
    """

    def __init__(self, first: int, stamped: bool, timeout_s: float) -> None:
        self.kind = TwistStamped if stamped else Twist
        self._indices, self._stamped = [first, first + 1], stamped
        self._timeout_ns = round(timeout_s * NANOSECONDS)

    def __call__(self, message: Twist | TwistStamped, now_ns: int | None = None) -> Setpoint:
        """What is commanded.

        Args:
            message: the twist.
            now_ns: the present stamp; None where the message's stamp is that of the state that it answers.

        Raises:
            CommandRefused: a value that is not finite, or too old a stamp.
        """
        twist = message.twist if self._stamped else message
        for part in ("linear", "angular"):
            for axis in "xyz":
                value = getattr(getattr(twist, part), axis)
                if not math.isfinite(value):
                    raise not_finite(f"{part}.{axis}", value)
        if self._stamped and now_ns is not None:
            self._check_age(to_ns(message.header.stamp), now_ns)
        return Setpoint(self._indices, [twist.linear.x, twist.angular.z])

    def _check_age(self, stamp_ns: int, now_ns: int) -> None:
        if self._timeout_ns and stamp_ns and now_ns - stamp_ns >= self._timeout_ns:
            raise CommandRefused(
                "old_stamp",
                "the twist is older than cmd_vel_timeout_s",
                got=f"stamp {stamp_ns} ns",
                expected=f"a stamp after {now_ns - self._timeout_ns} ns, or 0",
            )
