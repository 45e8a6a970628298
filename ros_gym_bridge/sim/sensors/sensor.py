"""One channel: a reader, its errors, and which of its samples a state shows."""

from __future__ import annotations

import time
from collections import deque

import numpy as np

from ros_gym_bridge.channels import Camera, Contact, ForceTorque, Imu, Lidar, LinkPose, Odometry, SensorChannel
from ros_gym_bridge.mounts import mount
from ros_gym_bridge.robot import Sample
from ros_gym_bridge.sim.robot_body import RobotBody
from ros_gym_bridge.sim.sensors.camera import CameraReader
from ros_gym_bridge.sim.sensors.errors import Errors
from ros_gym_bridge.sim.sensors.forces import ContactReader, ForceTorqueReader
from ros_gym_bridge.sim.sensors.imu import ImuReader
from ros_gym_bridge.sim.sensors.poses import LinkPoseReader, OdometryReader
from ros_gym_bridge.sim.sensors.rays import LidarReader, RangeReader
from ros_gym_bridge.sim.sensors.reader import Reader
from ros_gym_bridge.sim.sensors.spot import Spot
from ros_gym_bridge.sim.world import World


class Sensor:
    """Takes samples when it is told to, loses some, and hands each out when its latency is over.

    Attributes:
        channel: of the robot file.
        skipped: the newest sample was not taken, for nobody wanted it.
        note: to be called when one physics step is left until a sample is taken; None for most.
        random: whether anything of it is drawn.
        taken_ns: stamp of the newest sample, nanoseconds; 0 before the first.
        cost_ns: what it took of the wall clock, nanoseconds.

    Args:
        channel: as above.
        world, body: what it looks at.
        control_hz: control periods per second.
    """

    def __init__(self, channel: SensorChannel, world: World, body: RobotBody, control_hz: int) -> None:
        self.channel = channel
        self.skipped = False
        self.taken_ns = self.cost_ns = 0
        self._read = _reader(channel, world, body)
        self.note = self._read.note if isinstance(self._read, ImuReader) else None
        self._errors = Errors(channel.noise, channel.bias, self._read.sizes)
        self.random = self._errors.random or channel.dropout > 0.0
        self._every, self._delay = channel.divisor(control_hz), channel.delay(control_hz)
        self._rng = np.random.default_rng()
        self._taken: deque[tuple[int, dict[str, Sample]]] = deque()

    @property
    def late(self) -> bool:
        """Whether a state at which nothing is due may show another sample than the one before."""
        return self._delay > 0

    def due(self, period: int) -> bool:
        """Whether a sample is to be taken in this control period."""
        return period % self._every == 0

    def begin(self, rng: np.random.Generator) -> None:
        """An episode, whose randomness comes from a generator of the sensor's own, seeded by the simulation's."""
        self._taken.clear()
        if self.random:
            self._rng = np.random.default_rng(int(rng.integers(2**63)))
            self._errors.begin(self._rng)

    def take(self, stamp_ns: int, period: int, first: bool = False, fresh: bool = False) -> None:
        """Read the world, unless the sample is lost.

        Args:
            stamp_ns: of the state.
            period: that it stands in.
            first: forget what was taken before; the sample is not lost and shows at once.
            fresh: no physics step has led to the state.
        """
        self.skipped = False
        if first:
            self._taken.clear()
        elif self.channel.dropout and self._rng.random() < self.channel.dropout:
            return
        began_ns = time.perf_counter_ns()
        values = self._read(self._errors, fresh)
        self.taken_ns, self.cost_ns = stamp_ns, time.perf_counter_ns() - began_ns
        samples = [Sample(stamp_ns, value) for value in values]
        self._taken.append((period, dict(zip(self.channel.samples, samples, strict=True))))

    def shown(self, period: int) -> dict[str, Sample]:
        """What a state in this control period shows, by name; nothing before the first sample."""
        taken = self._taken
        while len(taken) > 1 and taken[1][0] <= period - self._delay:
            taken.popleft()
        return taken[0][1] if taken else {}


def _reader(channel: SensorChannel, world: World, body: RobotBody) -> Reader:
    place = mount(channel, body.robot.model)
    spot = Spot(world, body, place)
    if isinstance(channel, LinkPose):
        return LinkPoseReader(spot)
    if isinstance(channel, Odometry):
        return OdometryReader(spot)
    if isinstance(channel, Imu):
        return ImuReader(spot, channel, body.client, 1.0 / body.robot.spec.physics_hz)
    if isinstance(channel, ForceTorque):
        return ForceTorqueReader(body, channel, place)
    if isinstance(channel, Contact):
        return ContactReader(body, place, spot)
    if isinstance(channel, Lidar):
        return LidarReader(body, channel, spot)
    if isinstance(channel, Camera):
        return CameraReader(world, channel, spot)
    return RangeReader(body, channel, spot)
