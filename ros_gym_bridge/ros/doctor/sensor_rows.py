"""Rows about what else a robot tells: channels, its description, transforms."""

from __future__ import annotations

from collections.abc import Iterator

from ros_gym_bridge.channel_readings import Reading
from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.findings import Finding, Verdict, judged
from ros_gym_bridge.message_types import MessageRefused
from ros_gym_bridge.robot_model import Joint
from ros_gym_bridge.ros.doctor.watch import Look, Track
from ros_gym_bridge.topic_channels import TransformChannel
from ros_gym_bridge.view.description import read_description

_SLOW = 0.8
_SLACK = 1e-6


def channels(look: Look) -> Iterator[Finding]:
    """A row for each sample."""
    for reading, track in look.samples:
        yield _channel(look, reading, track)
    for channel in look.robot.config.channels:
        if isinstance(channel, TransformChannel):
            yield _transform(look, channel)


def description(look: Look) -> Iterator[Finding]:
    """The limits of the robot file against those of the robot's own description."""
    track, subject = look.description, "limits"
    if track.newest is None:
        yield Finding(subject, Verdict.OPEN, f"nobody publishes {track.topic}: not compared")
        return
    try:
        joints = {joint.name: joint for joint in read_description(track.newest.data).joints}
    except ModelError as error:
        yield Finding(subject, Verdict.BAD, f"{track.topic} cannot be read: {error}", "Correct the description")
        return
    spec, wider = look.robot.spec, []
    for i, name in enumerate(spec.joints):
        limits = (spec.lower[i], spec.upper[i], spec.max_velocity[i], spec.max_effort[i])
        wider += _wider(name, joints.get(name), *map(float, limits))
    yield judged(subject, not wider, "; ".join(wider) or f"within those of {track.topic}", _WIDER)


def frames(look: Look) -> Iterator[Finding]:
    """Whether every link has a place, and one parent."""
    heard = look.frames
    forked = [f"{child} in {' and '.join(sorted(names))}" for child, names in heard.parents.items() if len(names) > 1]
    if not heard.count:
        yield Finding("transforms", Verdict.OPEN, "nobody publishes any on /tf or /tf_static")
        return
    yield judged(
        "parents of frames",
        not forked,
        f"more than one: {', '.join(sorted(forked))}" if forked else "one each",
        "End the node that tells the other one: a frame has one parent (REP 105)",
    )
    yield _links(look)


def _channel(look: Look, reading: Reading, track: Track) -> Finding:
    subject = f"channel '{reading.sample}'"
    if track.newest is None:
        needed = reading.channel is None or reading.channel.required or track.listener.mistaken
        verdict = Verdict.BAD if needed else Verdict.OPEN
        return Finding(subject, verdict, track.listener.trouble(), _NO_CHANNEL if needed else "")
    try:
        reading.read(track.newest)
    except MessageRefused as error:
        return Finding(subject, Verdict.BAD, f"{track.topic}: {error}", "Correct the channel in the robot file")
    if track.stands or not track.stamps:
        return Finding(subject, Verdict.GOOD, f"{track.message} on {track.topic}")
    wanted = _wanted_hz(look, reading)
    rate = track.stamp_rate_hz or track.rate_hz
    found = f"{track.message} on {track.topic}, {rate:.1f} Hz" + (f" of {wanted:g}" if wanted else "")
    return judged(subject, rate >= _SLOW * wanted, found, _SLOW_CHANNEL)


def _wanted_hz(look: Look, reading: Reading) -> float:
    """What the robot file asks for; 0 where it asks for nothing."""
    asked = getattr(reading.channel, "rate_hz", None)
    max_age_s = getattr(reading.channel, "max_age_s", None)
    return float(asked or (1.0 / max_age_s if max_age_s else 0.0))


def _transform(look: Look, channel: TransformChannel) -> Finding:
    transforms, subject = look.frames.transforms, f"channel '{channel.name}'"
    if transforms.find(channel.parent, channel.child, 1) is not None:
        return Finding(subject, Verdict.GOOD, f"{channel.child} has a place in {channel.parent}")
    missing = transforms.missing(channel.parent, channel.child)
    found = f"no transform names {' or '.join(missing)}" if missing else "no transforms connect the two frames"
    verdict = Verdict.BAD if channel.required else Verdict.OPEN
    return Finding(subject, verdict, found, _NO_FRAME if channel.required else "")


def _links(look: Look) -> Finding:
    """With whatever prefix the robot's frames have."""
    model, namespace = look.robot.model, look.session.node.get_namespace().strip("/")
    told = {*look.frames.parents, *(parent for names in look.frames.parents.values() for parent in names)}
    lacking = min(
        ([link for link in model.links if f"{prefix}{link}" not in told] for prefix in ("", f"{namespace}/")), key=len
    )
    found = f"no place for {', '.join(lacking[:6])}" if lacking else f"all {len(model.links)} links have a place"
    if len(lacking) > 6:
        found += f" and {len(lacking) - 6} more"
    return judged("links", not lacking, found, _NO_LINK)


def _wider(name: str, joint: Joint | None, lower: float, upper: float, velocity: float, effort: float) -> list[str]:
    """Where the robot file allows more than the description; a limit of 0 says that nobody knows."""
    if joint is None:
        return [f"the description has no joint {name}"]
    found = []
    if lower < joint.lower - _SLACK or upper > joint.upper + _SLACK:
        found.append(
            f"{name} may go to [{lower:.4g}, {upper:.4g}], the robot to [{joint.lower:.4g}, {joint.upper:.4g}]"
        )
    for word, mine, most in (("velocity", velocity, joint.velocity), ("effort", effort, joint.effort)):
        if mine > most + _SLACK > 0.0 and most > 0.0:
            found.append(f"{word} of {name} up to {mine:.4g}, the robot's {most:.4g}")
    return found


_WIDER = "Narrow 'position', 'velocity' or 'effort' of the joint in the robot file, or correct its model"
_NO_CHANNEL = "Start the sensor; or correct 'topic' of the channel, remap, or say 'required: false'"
_SLOW_CHANNEL = "Raise the sensor's rate, or lower rate_hz, or allow a longer max_age_s"
_NO_FRAME = "Start who tells the transform, or correct 'parent' and 'child' of the channel"
_NO_LINK = "Start robot_state_publisher with the robot's URDF, and have joint states name all its joints"
