"""What only the whole robot file can say of its actuator groups: names, joints, topics and followers fit together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.groups import ActuatorGroup, DiffDrive, JointGroup
from ros_gym_bridge.robot_model import Mimic, RobotModel
from ros_gym_bridge.schema import RobotConfig
from ros_gym_bridge.yaml_file import refusal, suggest

_JOINT_STATE = "sensor_msgs/msg/JointState"


def command_topics(config: RobotConfig) -> set[str]:
    """Every distinct command topic."""
    return {group.topic for group in config.actuators}


def check_groups(path: Path, config: RobotConfig, model: RobotModel, followers: Mapping[str, Mimic]) -> None:
    """Refuse groups that cannot be.

    Args:
        path: the file.
        config: its content.
        model: that it names.
        followers: the joints that follow others.

    Raises:
        RobotFileError: a joint that is not listed or follows another, a topic with two kinds of messages, gains of
            other joints, a drive on a fixed base, a frame of odometry that is something else.
    """
    known = [joint.name for joint in config.joints]
    for i, group in enumerate(config.actuators):
        for key, name in _named(group):
            at = f"actuators[{i}].{key}"
            if name not in known:
                raise refusal(path, at, name, "joints that are listed under 'joints'", suggest(name, known))
            if name in followers:
                leader = followers[name].joint
                expected = f"joints that move by themselves; '{name}' follows '{leader}' (<mimic>)"
                raise refusal(path, at, name, expected, f"Leave '{name}' out: commanding '{leader}' moves both")
        _check_gains(path, i, group)
        if isinstance(group, DiffDrive) and config.model.fixed_base:
            remedy = "Set 'fixed_base: false' under 'model'"
            raise refusal(path, f"actuators[{i}].kind", group.kind, "a robot that is free to drive", remedy)
    _check_shared_topics(path, config)
    _check_odometry(path, config, model)


def _check_odometry(path: Path, config: RobotConfig, model: RobotModel) -> None:
    """Every frame has one parent, and one place."""
    drives = [(i, group) for i, group in enumerate(config.actuators) if isinstance(group, DiffDrive)]
    telling = [i for i, group in drives if group.enable_odom_tf]
    if len(telling) > 1:
        key, remedy = f"actuators[{telling[1]}].enable_odom_tf", "Set 'enable_odom_tf: false' for one of the two"
        raise refusal(path, key, True, f"one drive that tells where '{model.root}' is", remedy)
    for i, group in drives:
        if group.odom_frame_id in ("world", *model.links):
            expected = "a frame of its own, no link and not 'world'"
            remedy = "Use 'odom', or another name"
            raise refusal(path, f"actuators[{i}].odom_frame_id", group.odom_frame_id, expected, remedy)


def _named(group: ActuatorGroup) -> list[tuple[str, str]]:
    """Every joint that a group names, with the key under which it does."""
    if isinstance(group, DiffDrive):
        wheels = [("left_wheels", name) for name in group.left_wheels]
        return wheels + [("right_wheels", name) for name in group.right_wheels]
    return [("joints", name) for name in group.joints]


def _check_gains(path: Path, i: int, group: ActuatorGroup) -> None:
    for key in ("position_gain", "velocity_gain"):
        gains = getattr(group, key, None)
        for name in gains if isinstance(gains, dict) else ():
            if name not in group.commanded:
                remedy = suggest(name, list(group.commanded))
                raise refusal(path, f"actuators[{i}].{key}", name, "joints of the group", remedy)


def _check_shared_topics(path: Path, config: RobotConfig) -> None:
    """Groups that share a topic are one message, in which joints are named."""
    first: dict[str, ActuatorGroup] = {}
    for i, group in enumerate(config.actuators):
        other = first.setdefault(group.topic, group)
        if other is not group and not (group.message == other.message == _JOINT_STATE):
            raise RobotFileError(
                f"{path}: actuators[{i}].topic",
                got=f"'{group.topic}', on which group '{other.name}' is commanded by {other.message}",
                expected=f"a topic of its own for {group.message}: only {_JOINT_STATE} can command several groups",
                remedy=f"Give '{group.name}' another topic",
            )
        if isinstance(group, JointGroup) and isinstance(other, JointGroup) and group.nan != other.nan:
            expected = f"'{other.nan}', as group '{other.name}' on the same topic '{group.topic}'"
            raise refusal(path, f"actuators[{i}].nan", group.nan, expected, "Give the group a topic of its own")
