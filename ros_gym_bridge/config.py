"""The robot file: the one place that says what a robot is and how it speaks ROS, checked against its URDF."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ros_gym_bridge.errors import ModelError, RobotFileError
from ros_gym_bridge.model import Joint, RobotModel, read_model, resolve_uri
from ros_gym_bridge.robot import CommandEntry, RobotSpec, read_only
from ros_gym_bridge.robot_yaml import find_robot_file, read_config, robot_names
from ros_gym_bridge.schema import ActuatorGroup, JointConfig, ModelFile, Rates, RobotConfig
from ros_gym_bridge.yaml_file import refusal, suggest

__all__ = ["RobotFile", "find_robot_file", "load_robot", "read_model_file", "robot_names"]


@dataclass(frozen=True, eq=False)
class RobotFile:
    """A robot file that has been read, checked against its URDF and found good.

    Attributes:
        path: the file.
        config: its content.
        model: the URDF that it names.
        scene: the URDF of every scene body, in order.
        spec: what follows from the three: names, limits, the control period.
    """

    path: Path
    config: RobotConfig
    model: RobotModel
    scene: tuple[RobotModel, ...]
    spec: RobotSpec


def load_robot(robot: str | Path, control_hz: int | None = None, interface: str | None = None) -> RobotFile:
    """Read a robot file and everything that it names.

    Args:
        robot: the name of a robot file of the package (`panda`), or a path.
        control_hz: control periods per second in place of the file's.
        interface: `position`, `velocity` or `effort` for every actuator group, in place of the file's.

    Raises:
        RobotFileError: names the file, the key, the value, what was expected and what to do.
    """
    path = find_robot_file(robot)
    return _assemble(path, read_config(path, control_hz, interface))


def _assemble(path: Path, config: RobotConfig) -> RobotFile:
    _check_rates(path, config)
    _check_unique(path, config)
    model = _load_model(path, "model", config.model)
    scene = tuple(_load_model(path, f"scene[{i}]", body) for i, body in enumerate(config.scene))
    limits = [_limits(path, f"joints[{i}]", joint, model) for i, joint in enumerate(config.joints)]
    _check_links(path, config, model)
    return RobotFile(path, config, model, scene, _spec(path, config, limits))


def read_model_file(file: ModelFile, folder: Path) -> RobotModel:
    """The model that a robot file or world file in `folder` means.

    Raises:
        ModelError: as `read_model`.
        MissingDependencyError: as `read_model`.
    """
    return read_model(resolve_uri(file.file, folder), tuple(sorted(file.arguments.items())), file.model_name)


def _load_model(path: Path, key: str, file: ModelFile) -> RobotModel:
    try:
        return read_model_file(file, path.parent)
    except ModelError as error:
        got, remedy = error.got or repr(file.file), error.remedy
        raise RobotFileError(
            f"{path}: {key}.file: {error.what}", got=got, expected=error.expected, remedy=remedy
        ) from error


def _check_rates(path: Path, config: RobotConfig) -> None:
    rates = config.rates
    if rates.physics_hz % rates.control_hz:
        raise RobotFileError(
            f"{path}: rates",
            got=f"physics_hz: {rates.physics_hz}, control_hz: {rates.control_hz}",
            expected="physics_hz to be a multiple of control_hz: a control period is a whole number of physics steps",
            remedy=f"Use a control_hz that divides {rates.physics_hz}, for example {_nearest_divisor(rates)}",
        )
    for i, channel in enumerate(config.channels):
        if channel.rate_hz is not None and rates.control_hz % channel.rate_hz:
            remedy = "Change one of the two"
            expected = f"a rate that divides control_hz: {rates.control_hz}"
            raise refusal(path, f"channels[{i}].rate_hz", channel.rate_hz, expected, remedy)


def _nearest_divisor(rates: Rates) -> int:
    divisors = [n for n in range(1, rates.physics_hz + 1) if rates.physics_hz % n == 0]
    return min(divisors, key=lambda n: abs(n - rates.control_hz))


def _check_unique(path: Path, config: RobotConfig) -> None:
    """No name, commanded joint or topic twice. Groups may share a command topic: they are then one message."""
    commanded = [joint for group in config.actuators for joint in group.joints]
    shared = {group.topic for group in config.actuators}
    topics = [config.joint_states.topic, *shared, *(channel.topic for channel in config.channels)]
    for key, names in (
        ("joints", [joint.name for joint in config.joints]),
        ("actuators", [group.name for group in config.actuators]),
        ("actuators.joints", commanded),
        ("channels", [channel.name for channel in config.channels]),
        ("scene", [body.name for body in config.scene]),
        ("name and scene", [config.name, *(body.name for body in config.scene)]),
        ("poses", [pose.name for pose in config.poses]),
        ("topics", topics),
    ):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise refusal(path, key, twice, "every name once", f"Remove or rename the second '{twice}'")
    _check_shared_topics(path, config)
    known = [joint.name for joint in config.joints]
    for i, group in enumerate(config.actuators):
        for name in group.joints:
            if name not in known:
                key = f"actuators[{i}].joints"
                raise refusal(path, key, name, "joints that are listed under 'joints'", suggest(name, known))


def _check_shared_topics(path: Path, config: RobotConfig) -> None:
    """Groups that share a topic are one message, which carries one interface."""
    first: dict[str, ActuatorGroup] = {}
    for i, group in enumerate(config.actuators):
        other = first.setdefault(group.topic, group)
        if other.interface != group.interface:
            expected = f"'{other.interface}', as group '{other.name}' on the same topic '{group.topic}'"
            raise refusal(
                path, f"actuators[{i}].interface", group.interface, expected, "Give the group a topic of its own"
            )


def _check_links(path: Path, config: RobotConfig, model: RobotModel) -> None:
    named = [("end_effector", config.end_effector)]
    named += [(f"channels[{i}].link", channel.link) for i, channel in enumerate(config.channels)]
    for key, link in named:
        if link is not None and link not in model.links:
            raise refusal(path, key, link, f"a link of {model.path}", suggest(link, list(model.links)))


@dataclass(frozen=True)
class _Limits:
    lower: float
    upper: float
    velocity: float
    effort: float


def _limits(path: Path, key: str, joint: JointConfig, model: RobotModel) -> _Limits:
    """The URDF's limits, narrowed by the file's; a wider one is refused, never widened silently."""
    movable = {each.name: each for each in model.movable}
    if joint.name not in movable:
        expected = f"a movable joint of {model.path}"
        raise refusal(path, f"{key}.name", joint.name, expected, suggest(joint.name, list(movable)))
    urdf = movable[joint.name]
    _check_narrower(path, key, joint, urdf)
    lower, upper = joint.position or (urdf.lower, urdf.upper)
    if not lower <= joint.home <= upper:
        expected = f"a position within the limits [{lower}, {upper}]"
        raise refusal(path, f"{key}.home", joint.home, expected, f"Move the home position of '{joint.name}' inside")
    return _Limits(lower, upper, joint.velocity or urdf.velocity, joint.effort or urdf.effort)


def _check_narrower(path: Path, key: str, joint: JointConfig, urdf: Joint) -> None:
    remedy = f"Narrow it, or change the URDF's limit of '{joint.name}'"
    if joint.position is not None:
        lower, upper = joint.position
        if not urdf.lower <= lower < upper <= urdf.upper:
            expected = f"lower < upper within the URDF's [{urdf.lower}, {urdf.upper}]"
            raise refusal(path, f"{key}.position", list(joint.position), expected, remedy)
    for name, value, most in (
        ("velocity", joint.velocity, urdf.velocity),
        ("effort", joint.effort, urdf.effort),
    ):
        if value is not None and value > most > 0.0:  # 0 says that the URDF does not know
            raise refusal(path, f"{key}.{name}", value, f"at most the URDF's {most}", remedy)


def _spec(path: Path, config: RobotConfig, limits: list[_Limits]) -> RobotSpec:
    by_name = dict(zip((joint.name for joint in config.joints), limits, strict=True))
    home = {joint.name: joint.home for joint in config.joints}
    entries = tuple(
        _entry(path, group, name, by_name[name], home[name]) for group in config.actuators for name in group.joints
    )
    period_s = 1.0 / config.rates.control_hz
    change = [
        by_name[e.joint].velocity * period_s if e.interface == "position" and config.safety.rate_limit else math.inf
        for e in entries
    ]
    return RobotSpec(
        name=config.name,
        joints=tuple(by_name),
        lower=read_only([limit.lower for limit in limits]),
        upper=read_only([limit.upper for limit in limits]),
        max_velocity=read_only([limit.velocity for limit in limits]),
        max_effort=read_only([limit.effort for limit in limits]),
        home=read_only(list(home.values())),
        commands=entries,
        max_change=read_only(change),
        physics_hz=config.rates.physics_hz,
        steps_per_period=config.rates.physics_hz // config.rates.control_hz,
    )


def _entry(path: Path, group: ActuatorGroup, name: str, limits: _Limits, home: float) -> CommandEntry:
    low, high, start = {
        "position": (limits.lower, limits.upper, home),
        "velocity": (-limits.velocity, limits.velocity, 0.0),
        "effort": (-limits.effort, limits.effort, 0.0),
    }[group.interface]
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise RobotFileError(
            f"{path}: actuators: joint '{name}' of group '{group.name}' has no finite {group.interface} limits",
            got=f"[{low}, {high}]",
            expected="a lower limit below an upper limit, both finite, since actions are scaled to them",
            remedy=f"Give '{name}' a '{group.interface}' limit under 'joints', or choose another interface",
        )
    _check_motor(path, group, name, limits)
    return CommandEntry(group.name, name, group.interface, low, high, start)


def _check_motor(path: Path, group: ActuatorGroup, name: str, limits: _Limits) -> None:
    """A motor that follows a target needs an effort, and to follow a position at a limited rate a velocity."""
    needed = {"position": ("effort", "velocity"), "velocity": ("effort",), "effort": ()}[group.interface]
    for limit in needed:
        if getattr(limits, limit) == 0.0:
            raise RobotFileError(
                f"{path}: actuators: joint '{name}' of group '{group.name}' has the {limit} limit 0 in the URDF",
                expected="more than 0, or it would never move",
                remedy=f"Give '{name}' its true '{limit}' under 'joints', or leave it out of the group",
            )
