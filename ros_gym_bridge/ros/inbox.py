"""Puts the parts of a state together again: joint states and channels, by their stamps."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, TypeVar

from ros_gym_bridge.channels import Camera
from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.robot import FloatArray, RobotState, Sample

JOINT_STATES = "joint_states"  # what is missing or refused; other names are of channels

Joints = tuple[FloatArray, FloatArray, FloatArray]
Find = Callable[[int], Sample | None]
Part = TypeVar("Part")

_KEPT = 16
_KEPT_IMAGES = 3


class StateInbox:
    """Collects what arrives and says when the state at a stamp is complete.

    A state is complete when the joint states and every sensor that is due at its stamp have arrived with that stamp. A
    sensor that is not due keeps its last sample. Of a sensor that may lose samples or be late, it must have arrived
    which sample the state shows, and that sample. Of channels that are only observed, and of all after `relax`, the
    newest sample counts; there must be one unless the channel is optional. No ROS here: the caller hands in converted
    values.

    Attributes:
        newest_ns: the highest stamp of joint states so far; 0 before the first. What comes late does not lower it.
        latest_ns: the stamp of the joint states that came last; 0 before the first.
        heard: how many joint states have arrived.
        received: how many parts have arrived.
        refused: of each sample, or `joint_states`, of which messages were refused, how many, and why the last one was.

    Args:
        robot: the robot file.
    """

    def __init__(self, robot: RobotFile) -> None:
        config = robot.config
        self._spec = robot.spec
        samples = [(name, channel) for channel in config.sensors for name in channel.samples]
        self._every = {name: channel.divisor(config.rates.control_hz) for name, channel in samples}
        self._every |= {drive.odometry: 1 for drive in config.drives}
        images = [name for name, channel in samples if isinstance(channel, Camera)]
        self._kept = dict.fromkeys(self._every, _KEPT) | dict.fromkeys(images, _KEPT_IMAGES)
        self._times: dict[str, dict[int, int]] = {c.name: {} for c in config.sensors if not c.punctual}
        self._timed = {name: self._times[channel.name] for name, channel in samples if not channel.punctual}
        self.newest_ns = self.latest_ns = 0
        self.heard = 0
        self.received = 0
        self.refused: dict[str, tuple[int, str]] = {}
        self._bad: set[str] = set()  # of what the newest message was refused
        self._joints: dict[int, Joints] = {}
        self._samples: dict[str, dict[int, Sample]] = {name: {} for name in self._every}
        self._newest: dict[str, Sample] = {}
        self._optional = {name for channel in config.channels if not channel.required for name in channel.samples}
        observed = [name for channel in config.channels for name in channel.samples if name not in self._every]
        self._loose: dict[str, Find] = {name: self._newest_of(name) for name in observed}

    def watch(self, name: str, find: Find) -> None:
        """A channel whose sample is asked for, by the stamp of a state, when that is put together."""
        self._loose[name] = find

    def relax(self) -> None:
        """Take the newest sample of everything from now on: the sensors of a robot do not wait for each other."""
        for name, samples in self._samples.items():
            if samples:
                self._newest[name] = samples[max(samples)]
            self._loose[name] = self._newest_of(name)
        self._every = {}

    def put_joints(self, stamp_ns: int, joints: Joints) -> None:
        """Joint states have arrived. A position that is not a number makes them useless."""
        total = float(joints[0].sum())
        if total - total != 0.0:
            joints_ = zip(self._spec.joints, joints[0], strict=True)
            self.refuse_positions([name for name, value in joints_ if not math.isfinite(value)])
            return
        self.received += 1
        self.heard += 1
        self._bad.discard(JOINT_STATES)
        self.latest_ns = stamp_ns
        self.newest_ns = max(self.newest_ns, stamp_ns)
        _keep(self._joints, stamp_ns, joints, _KEPT)

    def put_sample(self, name: str, sample: Sample) -> None:
        """A channel's sample has arrived."""
        self.received += 1
        self._bad.discard(name)
        if name in self._every:
            _keep(self._samples[name], sample.stamp_ns, sample, self._kept[name])
        else:
            self._newest[name] = sample

    def put_time(self, channel: str, stamp_ns: int, taken_ns: int) -> None:
        """It has arrived which sample of a channel the state at `stamp_ns` shows: the one that was taken at
        `taken_ns`."""
        self.received += 1
        _keep(self._times[channel], stamp_ns, taken_ns, _KEPT)

    def turn_back(self, stamp_ns: int) -> None:
        """The robot's time was turned back: forget what is newer than this. What is only observed may have been said
        once and for all; it stays, as old as that."""
        self.newest_ns = self.latest_ns = stamp_ns
        every: list[dict[int, Any]] = [self._joints, *self._samples.values(), *self._times.values()]
        for parts in every:
            for stamp in [stamp for stamp in parts if stamp > stamp_ns]:
                del parts[stamp]
        newer = [(name, sample) for name, sample in self._newest.items() if sample.stamp_ns > stamp_ns]
        for name, sample in newer:
            if name in self._samples:
                del self._newest[name]
            else:
                self._newest[name] = Sample(stamp_ns, sample.value)

    def touch(self) -> None:
        """Something has arrived that is asked for later."""
        self.received += 1

    def refuse(self, name: str, why: str) -> None:
        """A message of a sample is not what the robot file declares."""
        self.received += 1
        self._bad.add(name)
        self.refused[name] = self.refused.get(name, (0, ""))[0] + 1, why

    def refuse_positions(self, joints: list[str]) -> None:
        """Joint states have arrived without positions of these."""
        self.refuse(JOINT_STATES, f"a position of {', '.join(joints)} that is not a number")

    def take(self, stamp_ns: int, command: FloatArray, all_due: bool = False) -> RobotState | None:
        """The state at a stamp, or None while something is missing.

        Args:
            stamp_ns: which state.
            command: `(n_command,)`, what was applied before it.
            all_due: every channel is due: the first state of an episode.
        """
        joints = self._joints.get(stamp_ns)
        if joints is None:
            return None
        channels: dict[str, Sample] = {}
        due = self._due(stamp_ns, all_due)
        for name in self._every:
            sample = self._sample(name, stamp_ns, name in due)
            if sample is None:
                return None
            channels[name] = sample
        for name, find in self._loose.items():
            sample = find(stamp_ns)
            if sample is not None:
                channels[name] = sample
            elif name not in self._optional:
                return None
        return RobotState(stamp_ns, *joints, command, MappingProxyType(channels))

    def missing(self, stamp_ns: int) -> list[str]:
        """What a state still lacks: `joint_states`, or names of channels."""
        lacking = [] if stamp_ns in self._joints else [JOINT_STATES]
        due = self._due(stamp_ns, False)
        lacking += [name for name in self._every if self._sample(name, stamp_ns, name in due) is None]
        return lacking + [n for n, find in self._loose.items() if n not in self._optional and find(stamp_ns) is None]

    def refusals(self, name: str) -> str:
        """What was refused of something, to be put behind its name; empty when its newest message was good."""
        if name not in self._bad:
            return ""
        count, why = self.refused[name]
        return f" ({count} refused, the last one for {why})"

    def has(self, name: str) -> bool:
        """Whether there has been any sample."""
        find = self._loose.get(name)
        return bool(self._samples[name]) if find is None else find(self.newest_ns) is not None

    def _newest_of(self, name: str) -> Find:
        return lambda _: self._newest.get(name)

    def _sample(self, name: str, stamp_ns: int, due: bool) -> Sample | None:
        """The sample of just this stamp where one is due, otherwise the newest one that is not after it; or the one
        that is said to be shown."""
        samples = self._samples[name]
        if name in self._timed:
            return samples.get(self._timed[name].get(stamp_ns, -1))
        if due:
            return samples.get(stamp_ns)
        return samples.get(max((stamp for stamp in samples if stamp <= stamp_ns), default=-1))

    def _due(self, stamp_ns: int, all_due: bool) -> list[str]:
        if not self._every:
            return []
        period = self._spec.steps(stamp_ns) // self._spec.steps_per_period
        return [name for name, every in self._every.items() if all_due or period % every == 0]


def _keep(parts: dict[int, Part], stamp_ns: int, part: Part, most: int) -> None:
    parts[stamp_ns] = part
    if len(parts) > most:
        del parts[next(iter(parts))]
