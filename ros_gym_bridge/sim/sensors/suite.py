"""All sensors of a robot."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from ros_gym_bridge.channels import Camera, Lidar, Range
from ros_gym_bridge.mounts import mount
from ros_gym_bridge.robot import Sample
from ros_gym_bridge.sim.robot_body import RobotBody
from ros_gym_bridge.sim.sensors.sensor import Sensor
from ros_gym_bridge.sim.world import World

_NONE: Mapping[str, Sample] = MappingProxyType({})


class Cost(NamedTuple):
    """Of one sample, nanoseconds: its stamp, and the time that reading it took on the wall clock."""

    taken_ns: int
    spent_ns: int


class Sensors:
    """All channels of a robot, each read when it is due.

    Pictures are dear: a camera is read only while somebody wants to see it. Its errors come from a generator of its
    own, so nothing else changes with that.

    Attributes:
        random: whether anything of them is drawn.
        notes: whether `note` has anything to do.
        bodies: names of the scene's bodies that they sit on.
        round: control periods after which they are due as before.
        wanted: tells of a camera's channel, by name, whether anybody looks.

    Args:
        world: what they look at.
        body: the robot's.
    """

    wanted: Callable[[str], bool]

    def __init__(self, world: World, body: RobotBody) -> None:
        config = body.robot.config
        self._sensors = [Sensor(channel, world, body, config.rates.control_hz) for channel in config.sensors]
        self._noting = [(sensor, sensor.note) for sensor in self._sensors if sensor.note is not None]
        self.notes = bool(self._noting)
        self.round = math.lcm(*(channel.divisor(config.rates.control_hz) for channel in config.sensors))
        self._body, self._cast = body, any(isinstance(channel, Lidar | Range) for channel in config.sensors)
        places = [mount(channel, body.robot.model) for channel in config.sensors]
        self.bodies = frozenset(place.link for place in places if not place.on_robot)
        self.random = any(sensor.random for sensor in self._sensors)
        self.wanted = lambda _: True
        self._last: Mapping[str, Sample] = _NONE

    def begin(self, rng: np.random.Generator) -> None:
        """An episode begins."""
        self._last = _NONE
        for sensor in self._sensors:
            sensor.begin(rng)

    def note(self, period: int) -> None:
        """One physics step is left until a state in this control period is read."""
        for sensor, note in self._noting:
            if sensor.due(period):
                note()

    def read(self, stamp_ns: int, period: int, first: bool = False, fresh: bool = False) -> Mapping[str, Sample]:
        """What a state shows of every channel.

        Args:
            stamp_ns: stamp of the state.
            period: control periods since the simulation began; a channel is due when its divisor divides this.
            first: time begins anew: every channel is due, and nothing from before is shown.
            fresh: no physics step has led to the state.
        """
        if not self._sensors:
            return _NONE
        if first and self._cast:
            self._body.client.performCollisionDetection()  # or rays look for bodies where they were before
        shown = {} if first else dict(self._last)
        for sensor in self._sensors:
            due = first or sensor.due(period)
            if due and self._wanted(sensor):
                sensor.take(stamp_ns, period, first, fresh)
            elif due:
                sensor.skipped = True
            elif not sensor.late:
                continue
            shown.update(sensor.shown(period))
        self._last = MappingProxyType(shown)
        return self._last

    @property
    def unseen(self) -> frozenset[str]:
        """The channels whose newest sample was not taken, for nobody wants to see it."""
        return frozenset(sensor.channel.name for sensor in self._sensors if sensor.skipped)

    def costs(self) -> dict[str, Cost]:
        """What the newest sample of every channel has cost, by topic; of those that have been read."""
        return {
            sensor.channel.topic: Cost(sensor.taken_ns, sensor.cost_ns) for sensor in self._sensors if sensor.taken_ns
        }

    def catch_up(self, stamp_ns: int, period: int) -> Mapping[str, Sample] | None:
        """What the state that was read last shows, when somebody has come who wants to see what was skipped; None when
        there is nobody."""
        skipped = [sensor for sensor in self._sensors if sensor.skipped and self._wanted(sensor)]
        if not skipped:
            return None
        shown = dict(self._last)
        for sensor in skipped:
            sensor.take(stamp_ns, period, first=True)
            shown.update(sensor.shown(period))
        self._last = MappingProxyType(shown)
        return self._last

    def _wanted(self, sensor: Sensor) -> bool:
        return not isinstance(sensor.channel, Camera) or self.wanted(sensor.channel.name)
