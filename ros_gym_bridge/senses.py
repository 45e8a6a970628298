"""What an environment makes of a robot's channels: entries of the observation, and a verdict on how old they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box

from ros_gym_bridge.channel_readings import Reading, readings
from ros_gym_bridge.channel_views import ChannelView
from ros_gym_bridge.channels import SensorChannel
from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.errors import OptionError, StaleChannelError
from ros_gym_bridge.robot import NANOSECONDS, RobotState
from ros_gym_bridge.yaml_file import suggest

STATE = "state"  # the entry that holds the task's own numbers


class Verdict(NamedTuple):
    """How the samples of a state are.

    Attributes:
        stale: by name, whether a sample is older than its channel allows.
        absent: by name, whether an optional channel has never come.
        ages: `NAME.stamp_ns` and `NAME.age_s` of every sample that is there.
        truncate: a stale one ends the episode.
    """

    stale: dict[str, bool]
    absent: dict[str, bool]
    ages: dict[str, float]
    truncate: bool


class Senses:
    """The channels that an environment looks at.

    Attributes:
        observed: whether there are entries of the observation.
        watched: whether there is anything to say about any channel.

    Args:
        robot: the robot file.
        names: samples that become entries of the observation.
        simulated: the robot is simulated in this process, where channels of topics are not made.

    Raises:
        OptionError: a name that no channel has, one twice, or a required channel that is not simulated.
    """

    def __init__(self, robot: RobotFile, names: Sequence[str], simulated: bool) -> None:
        found = {reading.sample: reading for reading in readings(robot.config)}
        self._views = {name: ChannelView(found[name]) for name in _checked(found, names, simulated)}
        self._watched = [r for r in found.values() if r.sample in self._views or _bounded(r, simulated)]
        self.observed, self.watched = bool(self._views), bool(self._watched)

    def spaces(self) -> dict[str, Box]:
        """The entries by name, with finite bounds."""
        return {name: _box(view) for name, view in self._views.items()}

    def entries(self, state: RobotState) -> dict[str, npt.NDArray[Any]]:
        """The entries of a state."""
        entries = {}
        for name, view in self._views.items():
            sample = state.channels.get(name)
            entries[name] = view.fill() if sample is None else view(sample.value)
        return entries

    def judge(self, state: RobotState) -> Verdict:
        """How old everything is.

        Raises:
            StaleChannelError: a stale sample of a channel with `when_stale: raise`.
        """
        verdict = Verdict({}, {}, {}, False)
        for reading in self._watched:
            verdict = _with(verdict, reading, state)
        return verdict


def _box(view: ChannelView) -> Box:
    low, high = (np.broadcast_to(np.asarray(end, view.dtype), view.shape) for end in (view.low, view.high))
    return Box(low, high, view.shape, view.dtype.type)


def _with(verdict: Verdict, reading: Reading, state: RobotState) -> Verdict:
    name, channel, sample = reading.sample, reading.channel, state.channels.get(reading.sample)
    if channel is not None and not channel.required:
        verdict.absent[name] = sample is None
    if sample is None:
        return verdict
    age_s = (state.stamp_ns - sample.stamp_ns) / NANOSECONDS
    verdict.ages[f"{name}.stamp_ns"], verdict.ages[f"{name}.age_s"] = sample.stamp_ns, age_s
    if channel is None or channel.max_age_s is None:
        return verdict
    stale = verdict.stale[name] = age_s > channel.max_age_s
    if stale and channel.when_stale == "raise":
        raise StaleChannelError(
            f"the newest sample of channel '{name}' is too old",
            got=f"{age_s:.3f} s, of {sample.stamp_ns} ns in a state of {state.stamp_ns} ns",
            expected=f"at most max_age_s: {channel.max_age_s}",
            remedy="Look whether its publisher still runs, and whether it stamps with the robot's clock",
        )
    return verdict._replace(truncate=True) if stale and channel.when_stale == "truncate" else verdict


def _bounded(reading: Reading, simulated: bool) -> bool:
    channel = reading.channel
    bounded = channel is not None and channel.max_age_s is not None
    return bounded and (isinstance(channel, SensorChannel) or not simulated)


def _checked(found: dict[str, Reading], names: Sequence[str], simulated: bool) -> Sequence[str]:
    if isinstance(names, str):
        raise OptionError("channels", got=repr(names), expected="a sequence of names", remedy=f"Write ({names!r},)")
    for i, name in enumerate(names):
        if name not in found:
            remedy = suggest(str(name), list(found)) if found else "Add channels to the robot file"
            expected = f"channels of the robot file: {', '.join(found) or 'none'}"
            raise OptionError("channels", got=repr(name), expected=expected, remedy=remedy)
        if name == STATE or name in names[:i]:
            raise OptionError("channels", got=repr(name), expected=f"every name once, and none '{STATE}'")
        channel = found[name].channel
        if simulated and channel is not None and not isinstance(channel, SensorChannel) and channel.required:
            raise OptionError(
                f"channel '{name}' is not simulated",
                got="backend='sim'",
                expected="backend='topics', for channels of the kinds topic and transform",
                remedy="Say 'required: false' in the robot file; its 'fill' is observed then",
            )
    return names
