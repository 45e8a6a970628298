"""Sensors: from the world to the channels of the robot file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ros_gym_bridge.robot import FloatArray, Sample, read_only
from ros_gym_bridge.schema import Channel
from ros_gym_bridge.sim.robot_body import RobotBody

_NONE: Mapping[str, Sample] = MappingProxyType({})


class Sensors:
    """All channels of a robot, each read when it is due.

    Args:
        body: the robot's.
    """

    def __init__(self, body: RobotBody) -> None:
        config = body.robot.config
        self._readers = [
            (channel.name, _reader(body, channel), channel.divisor(config.rates.control_hz))
            for channel in config.channels
        ]
        self._last: Mapping[str, Sample] = _NONE

    def read(self, stamp_ns: int, period: int, fresh: bool = False) -> Mapping[str, Sample]:
        """Every channel's newest sample.

        Args:
            stamp_ns: stamp of the current state.
            period: control periods since the simulation began; a channel is due when its divisor divides this.
            fresh: read every channel, due or not: the start of an episode.
        """
        if not self._readers:
            return _NONE
        samples = dict(self._last)
        for name, reader, every in self._readers:
            if fresh or period % every == 0:
                samples[name] = Sample(stamp_ns, reader())
        self._last = MappingProxyType(samples)
        return self._last


def _reader(body: RobotBody, channel: Channel) -> Callable[[], FloatArray]:
    """`link_pose`: x y z (m) and quaternion x y z w of a link's frame in the world frame, `(7,)`."""

    def link_pose() -> FloatArray:
        position, orientation = body.link_pose(channel.link)
        return read_only((*position, *orientation))

    return link_pose
