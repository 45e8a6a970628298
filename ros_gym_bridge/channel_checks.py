"""What the channels of a robot file must be to fit its model, scene, rates and each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ros_gym_bridge.channel_readings import channel_readings
from ros_gym_bridge.channel_views import ChannelView
from ros_gym_bridge.channels import (
    Camera,
    Channel,
    ForceTorque,
    Lidar,
    LinkPose,
    Odometry,
    Range,
    SensorChannel,
)
from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.message_types import WantedError
from ros_gym_bridge.model import RobotModel
from ros_gym_bridge.mounts import Mount, mount
from ros_gym_bridge.schema import RobotConfig
from ros_gym_bridge.yaml_file import refusal, suggest

_Refuse = Callable[[str, object, str, str], RobotFileError]


def check_channels(path: Path, config: RobotConfig, model: RobotModel) -> None:
    """Refuse the first channel that cannot be.

    Raises:
        RobotFileError: a rate that does not divide, a link, joint or body that is not there, bounds that are no bounds,
            one name for two frames, or what the message of a channel does not have.
        MissingDependencyError: a message type whose package is broken.
    """
    for i, channel in enumerate(config.channels):
        if isinstance(channel, SensorChannel):
            for error in _mistakes(path, f"channels[{i}]", channel, config, model):
                raise error
        _check_reading(path, f"channels[{i}]", channel)
    _check_frames(path, config, model)
    _check_types(path, config)


def _check_types(path: Path, config: RobotConfig) -> None:
    """A topic has one type; the middleware refuses a second one."""
    types: dict[str, str] = {group.topic: group.message for group in config.actuators}
    types[config.joint_states.topic] = "sensor_msgs/msg/JointState"
    for i, channel in enumerate(config.channels):
        for reading in channel_readings(channel):
            there = types.setdefault(reading.topic, reading.message)
            if there != reading.message:
                key, expected = f"channels[{i}].message", f"{there}, which '{reading.topic}' carries already"
                raise refusal(path, key, reading.message, expected, "Take another topic, or the same message")


def _check_reading(path: Path, key: str, channel: Channel) -> None:
    """What is read of its messages, and how that enters an observation."""
    try:
        for reading in channel_readings(channel):
            ChannelView(reading)
    except WantedError as error:
        raise refusal(path, f"{key}.{error.key}", error.got, error.expected, error.remedy) from error


def _mistakes(
    path: Path, key: str, channel: SensorChannel, config: RobotConfig, model: RobotModel
) -> Iterator[RobotFileError]:
    """What is wrong with one channel by itself."""

    def refuse(name: str, got: object, expected: str, remedy: str) -> RobotFileError:
        return refusal(path, f"{key}.{name}", got, expected, remedy)

    hz = config.rates.control_hz
    if channel.rate_hz is not None and hz % channel.rate_hz:
        yield refuse("rate_hz", channel.rate_hz, f"a rate that divides control_hz: {hz}", "Change one of the two")
    if isinstance(channel, LinkPose | Odometry):
        yield from _watching(refuse, channel, config, model)
    elif isinstance(channel, ForceTorque):
        yield from _known(refuse, "joint", channel.joint, [joint.name for joint in model.joints], f"of {model.path}")
    else:
        yield from _known(refuse, "link", channel.link, list(model.links), f"of {model.path}")
    yield from _bounds(refuse, channel)


def _watching(
    refuse: _Refuse, channel: LinkPose | Odometry, config: RobotConfig, model: RobotModel
) -> Iterator[RobotFileError]:
    if (channel.link is None) == (channel.body is None):
        got = None if channel.link is None else [channel.link, channel.body]
        yield refuse("link", got, "either a 'link' of the robot or a 'body' of the scene", "Give one of the two")
    if channel.link is not None:
        yield from _known(refuse, "link", channel.link, list(model.links), f"of {model.path}")
    if channel.body is not None:
        bodies = [body.name for body in config.scene]
        yield from _known(refuse, "body", channel.body, bodies, "listed under 'scene'")


def _known(refuse: _Refuse, what: str, name: str, known: list[str], where: str) -> Iterator[RobotFileError]:
    if name not in known:
        yield refuse(what, name, f"a {what} {where}", suggest(name, known) if known else f"Name a {what} that is there")


def _bounds(refuse: _Refuse, channel: SensorChannel) -> Iterator[RobotFileError]:
    """Lower bounds below upper ones, and no more rays than PyBullet casts at once."""
    pairs: list[tuple[str, str, bool]] = []
    if isinstance(channel, Lidar):
        pairs += [("min_angle", "max_angle", channel.rays == 1)]
        pairs += [("min_elevation", "max_elevation", channel.layers == 1)]
        if channel.rays * channel.layers > 16384:
            yield refuse("rays", channel.rays * channel.layers, "at most 16384 rays in all layers", "Use fewer")
    if isinstance(channel, Lidar | Range):
        pairs += [("range_min", "range_max", False)]
    if isinstance(channel, Camera):
        pairs += [("near", "far", False)]
    for low, high, alone in pairs:
        least, most = getattr(channel, low), getattr(channel, high)
        if not alone and least >= most:
            yield refuse(low, least, f"less than {high}: {most}", "Change one of the two")


def _check_frames(path: Path, config: RobotConfig, model: RobotModel) -> None:
    """One name, one frame: that of a link belongs to the link, any other to one place on one link or body."""
    found: dict[str, Mount] = {}
    others = ["world", *(drive.odom_frame_id for drive in config.drives)]
    for i, channel in enumerate(config.channels):
        if not isinstance(channel, SensorChannel):
            continue
        place = mount(channel, model)
        key, remedy = f"channels[{i}].frame_id", "Give the sensor a frame_id that nothing else has"
        if place.frame in others:
            raise refusal(path, key, place.frame, f"none of {', '.join(others)}, which stand elsewhere", remedy)
        if place.frame in model.links and (not place.on_robot or place.moved or place.frame != place.link):
            raise refusal(path, key, place.frame, "no name of a link, for the sensor sits elsewhere", remedy)
        if found.setdefault(place.frame, place) != place:
            raise refusal(path, key, place.frame, "the same place for the same frame", remedy)
