"""Reads the commands that name joints: JointState, whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sensor_msgs.msg import JointState

from ros_gym_bridge.ros.refused import CommandRefused, check_names, not_finite
from ros_gym_bridge.sim.targets import Setpoint

_INTERFACES = ("position", "velocity", "effort")


class Slot(NamedTuple):
    """Where a joint's number stands in the command vector, and what it is: `position`, `velocity` or `effort`."""

    column: int
    interface: str


class JointStateCommands:
    """Reads the JointState commands of one topic: by joint name, in any order.

    Each array holds a value for every name; or, where joints are commanded by different interfaces, a value for those
    that have that interface, in the order of the names, as topic-based ros2_control fills it.

    Args:
        slots: the joints that the topic commands.
        followers: joints that follow one of these, with the interface of their leader: they may be named, and a value
            in that interface is left to the leader.
        others: further joints of the robot, which may be named without a value.
        nan_holds: a NaN leaves a joint at its last target; otherwise it refuses the message.
    """

    kind = JointState

    def __init__(
        self,
        slots: Mapping[str, Slot],
        followers: Mapping[str, str] | None = None,
        others: Sequence[str] = (),
        nan_holds: bool = False,
    ) -> None:
        self._slots, self._nan_holds = dict(slots), nan_holds
        self._followers = dict(followers or {})
        self._known = {*slots, *self._followers, *others}
        self._interfaces = [name for name in _INTERFACES if name in {slot.interface for slot in slots.values()}]

    def __call__(self, message: JointState, now_ns: int | None = None) -> Setpoint:
        """What is commanded.

        Raises:
            CommandRefused: unknown or repeated joint, lengths that differ, another interface, a value that is not
                finite, nothing commanded.
        """
        names: Sequence[str] = message.name
        check_names(names, self._known, list(self._slots))
        arrays = {name: getattr(message, name).tolist() for name in _INTERFACES if len(getattr(message, name))}
        if not names or not arrays:
            raise self._nothing(names)
        indices, values = list[int](), list[float]()
        for interface, numbers in arrays.items():
            for name, number in self._pairs(names, interface, numbers):
                if self._obeys(name, interface, number):
                    indices.append(self._slots[name].column)
                    values.append(number)
        if not indices and not self._nan_holds:
            raise self._nothing(names)
        return Setpoint(indices, values)

    def _pairs(self, names: Sequence[str], interface: str, numbers: list[float]) -> Iterator[tuple[str, float]]:
        """The joints that an array is about, with its values."""
        own = [name for name in names if name in self._slots and self._slots[name].interface == interface]
        wide = [name for name in names if name in own or self._followers.get(name) == interface]
        for joints in (names, own, wide):
            if len(joints) == len(numbers):
                return zip(joints, numbers, strict=True)
        few = f", or one for each of the {len(own)} joints with that interface" if 0 < len(own) < len(names) else ""
        raise CommandRefused(
            "length",
            "names and values of different length",
            got=f"{len(names)} names, {len(numbers)} values in '{interface}'",
            expected=f"one value for each name{few}",
        )

    def _obeys(self, name: str, interface: str, number: float) -> bool:
        """Whether a value is a joint's target; False for one that says nothing."""
        slot = self._slots.get(name)
        if slot is None and self._followers.get(name) == interface:
            return False
        if math.isnan(number) and self._nan_holds:
            return False
        if slot is None or slot.interface != interface:
            raise self._wrong(name, interface, number)
        if not math.isfinite(number):
            raise not_finite(f"{interface} for joint '{name}'", number)
        return True

    def _nothing(self, names: Sequence[str]) -> CommandRefused:
        values = " or ".join(f"'{interface}'" for interface in self._interfaces)
        return CommandRefused(
            "nothing_commanded",
            "nothing is commanded",
            got=f"{len(names)} names, no values" if names else "no names",
            expected=f"joint names and {values} values",
        )

    def _wrong(self, name: str, interface: str, number: float) -> CommandRefused:
        remedy = f"Leave '{interface}' empty, or that joint out; the last good command stands"
        slot = self._slots.get(name)
        if slot is None:
            what = f"{interface} for joint '{name}', which is not commanded here"
            return CommandRefused("unknown_joint", what, str(number), f"one of {', '.join(self._slots)}", remedy)
        what = f"{interface} for joint '{name}', which is commanded by {slot.interface}"
        return CommandRefused("wrong_interface", what, str(number), f"'{slot.interface}' for it", remedy)
