"""The robot file: the one place that says what a robot is and how it speaks ROS, checked against its URDF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ros_gym_bridge.channel_checks import check_channels
from ros_gym_bridge.command_entries import Limits, entries
from ros_gym_bridge.errors import ModelError, RobotFileError
from ros_gym_bridge.group_checks import check_groups, command_topics
from ros_gym_bridge.mimic import followers
from ros_gym_bridge.model import Joint, Mimic, RobotModel, read_model, resolve_uri
from ros_gym_bridge.robot import RobotSpec, read_only
from ros_gym_bridge.robot_yaml import find_robot_file, read_config, robot_names
from ros_gym_bridge.safety_checks import check_safety
from ros_gym_bridge.schema import JointConfig, ModelFile, Rates, RobotConfig
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
        followers: the joints of the model that follow others (<mimic>), and how.
        spec: what follows from them: names, limits, the control period.
    """

    path: Path
    config: RobotConfig
    model: RobotModel
    scene: tuple[RobotModel, ...]
    followers: Mapping[str, Mimic]
    spec: RobotSpec


def load_robot(robot: str | Path, control_hz: int | None = None, interface: str | None = None) -> RobotFile:
    """Read a robot file and everything that it names.

    Args:
        robot: the name of a robot file of the package (`panda`), or a path.
        control_hz: control periods per second in place of the file's.
        interface: `position`, `velocity` or `effort` for every group of the kind `joint_group`, in place of the
            file's.

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
    try:
        following = followers(model)
    except ModelError as error:
        raise _of_file(path, "model", config.model, error) from error
    check_groups(path, config, model, following)
    homes = _homes(path, config, following)
    limits = {
        joint.name: _limits(path, f"joints[{i}]", joint, model, homes[joint.name])
        for i, joint in enumerate(config.joints)
    }
    _check_end_effector(path, config, model)
    check_channels(path, config, model)
    check_safety(path, config, model, following)
    return RobotFile(path, config, model, scene, following, _spec(path, config, limits))


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
        raise _of_file(path, key, file, error) from error


def _of_file(path: Path, key: str, file: ModelFile, error: ModelError) -> RobotFileError:
    got, remedy = error.got or repr(file.file), error.remedy
    return RobotFileError(f"{path}: {key}.file: {error.what}", got=got, expected=error.expected, remedy=remedy)


def _check_rates(path: Path, config: RobotConfig) -> None:
    rates = config.rates
    if rates.physics_hz % rates.control_hz:
        raise RobotFileError(
            f"{path}: rates",
            got=f"physics_hz: {rates.physics_hz}, control_hz: {rates.control_hz}",
            expected="physics_hz to be a multiple of control_hz: a control period is a whole number of physics steps",
            remedy=f"Use a control_hz that divides {rates.physics_hz}, for example {_nearest_divisor(rates)}",
        )


def _nearest_divisor(rates: Rates) -> int:
    divisors = [n for n in range(1, rates.physics_hz + 1) if rates.physics_hz % n == 0]
    return min(divisors, key=lambda n: abs(n - rates.control_hz))


def _check_unique(path: Path, config: RobotConfig) -> None:
    """No name, commanded joint or topic twice. Groups may share a command topic: they are then one message."""
    commanded = [joint for group in config.actuators for joint in group.commanded]
    topics = [config.joint_states.topic, *command_topics(config), *(drive.odom_topic for drive in config.drives)]
    topics += [topic for channel in config.sensors for topic in channel.topics]
    samples = [name for channel in config.channels for name in channel.samples]
    samples += [drive.odometry for drive in config.drives]
    for key, names in (
        ("joints", [joint.name for joint in config.joints]),
        ("actuators", [group.name for group in config.actuators]),
        ("actuators.joints", commanded),
        ("channels", samples),
        ("scene", [body.name for body in config.scene]),
        ("name and scene", [config.name, *(body.name for body in config.scene)]),
        ("poses", [pose.name for pose in config.poses]),
        ("topics", topics),
    ):
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise refusal(path, key, twice, "every name once", f"Remove or rename the second '{twice}'")


def _check_end_effector(path: Path, config: RobotConfig, model: RobotModel) -> None:
    link = config.end_effector
    if link is not None and link not in model.links:
        raise refusal(path, "end_effector", link, f"a link of {model.path}", suggest(link, list(model.links)))


def _homes(path: Path, config: RobotConfig, following: Mapping[str, Mimic]) -> dict[str, float]:
    """Where every joint starts: what the file says, else 0; a follower where its leader has it."""
    homes = {joint.name: joint.home or 0.0 for joint in config.joints}
    for i, joint in enumerate(config.joints):
        mimic = following.get(joint.name)
        if mimic is None:
            continue
        follows = f"'{joint.name}' follows '{mimic.joint}' (<mimic>)"
        homes[joint.name] = place = mimic.multiplier * homes.get(mimic.joint, 0.0) + mimic.offset
        if joint.home is not None and abs(joint.home - place) > 1e-6:
            expected = f"{place}: {follows}"
            raise refusal(path, f"joints[{i}].home", joint.home, expected, f"Give '{mimic.joint}' a home alone")
        for key in ("home_noise", "velocity_noise"):
            if getattr(joint, key):
                remedy = f"Give it to '{mimic.joint}'"
                raise refusal(path, f"joints[{i}].{key}", getattr(joint, key), f"0: {follows}", remedy)
    return homes


def _limits(path: Path, key: str, joint: JointConfig, model: RobotModel, home: float) -> Limits:
    """The URDF's limits, narrowed by the file's; a wider one is refused, never widened silently."""
    movable = {each.name: each for each in model.movable}
    if joint.name not in movable:
        expected = f"a movable joint of {model.path}"
        raise refusal(path, f"{key}.name", joint.name, expected, suggest(joint.name, list(movable)))
    urdf = movable[joint.name]
    _check_narrower(path, key, joint, urdf)
    lower, upper = joint.position or (urdf.lower, urdf.upper)
    if not lower <= home <= upper:
        expected = f"a position within the limits [{lower}, {upper}]"
        raise refusal(path, f"{key}.home", home, expected, f"Move the home position of '{joint.name}' inside")
    return Limits(lower, upper, joint.velocity or urdf.velocity, joint.effort or urdf.effort, home)


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


def _spec(path: Path, config: RobotConfig, limits: Mapping[str, Limits]) -> RobotSpec:
    numbers = [each for g in config.actuators for each in entries(path, g, limits, config.safety)]
    return RobotSpec(
        name=config.name,
        joints=tuple(limits),
        lower=read_only([limit.lower for limit in limits.values()]),
        upper=read_only([limit.upper for limit in limits.values()]),
        max_velocity=read_only([limit.velocity for limit in limits.values()]),
        max_effort=read_only([limit.effort for limit in limits.values()]),
        home=read_only([limit.home for limit in limits.values()]),
        commands=tuple(number.entry for number in numbers),
        max_change=read_only([number.rate * (1.0 / config.rates.control_hz) for number in numbers]),
        physics_hz=config.rates.physics_hz,
        steps_per_period=config.rates.physics_hz // config.rates.control_hz,
    )
