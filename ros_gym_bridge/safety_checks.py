"""What only the whole robot file can say of its section `safety`: joints, links and times fit together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.groups import ActuatorGroup, DiffDrive, JointGroup
from ros_gym_bridge.robot_model import Mimic, RobotModel
from ros_gym_bridge.schema import RobotConfig
from ros_gym_bridge.schema_safety import Workspace, of_joint
from ros_gym_bridge.workspace import make_excess, movers
from ros_gym_bridge.yaml_file import refusal, suggest

_PER_JOINT = ("max_acceleration", "max_effort", "max_effort_rate", "damping")


def check_safety(path: Path, config: RobotConfig, model: RobotModel, followers: Mapping[str, Mimic]) -> None:
    """Refuse a section `safety` that cannot be obeyed.

    Args:
        path: the file.
        config: its content.
        model: that it names.
        followers: the joints that follow others.

    Raises:
        RobotFileError: a number for a joint that is not commanded, a timeout shorter than the commands' period, damping
            that is not known, a workspace of a link that is not there, is not moved or starts outside.
    """
    safety = config.safety
    commanded = [name for group in config.actuators if not isinstance(group, DiffDrive) for name in group.commanded]
    for key in _PER_JOINT:
        numbers = getattr(safety, key)
        for name in numbers if isinstance(numbers, dict) else ():
            if name not in commanded:
                remedy = suggest(name, commanded)
                raise refusal(path, f"safety.{key}", name, "joints that are commanded", remedy)
    _check_times(path, config)
    _check_damping(path, config)
    if safety.workspace is not None:
        _check_workspace(path, config, safety.workspace, model, followers)


def command_timeout_s(config: RobotConfig, group: ActuatorGroup) -> float:
    """Silence after which the commands of a group are too old, seconds; inf: never.

    Topic-based ros2_control (`nan: hold`) says by silence that all is well: there it must be asked for.
    """
    safety = config.safety
    if isinstance(group, JointGroup) and group.nan == "hold" and safety.command_timeout_s is None:
        return math.inf
    return safety.timeout_s(config.rates.control_hz)


def _check_times(path: Path, config: RobotConfig) -> None:
    period_s = 1.0 / config.rates.control_hz
    for key in ("command_timeout_s", "state_timeout_s"):
        given = getattr(config.safety, key)
        if given and given < 2.0 * period_s:
            expected = f"at least two control periods, {2.0 * period_s:g} s, or what comes in time would be too old"
            raise refusal(path, f"safety.{key}", given, expected, "Raise it, or 'control_hz'")


def _check_damping(path: Path, config: RobotConfig) -> None:
    pushed = [n for g in config.actuators if isinstance(g, JointGroup) and g.interface == "effort" for n in g.joints]
    for name in pushed if config.safety.stop == "damp" else ():
        if of_joint(config.safety.damping, name, 0.0) == 0.0:
            expected = f"'damping' for '{name}', which is commanded by effort"
            raise refusal(path, "safety.stop", "damp", expected, "Give it under 'safety', or choose 'zero'")


def _check_workspace(
    path: Path, config: RobotConfig, box: Workspace, model: RobotModel, followers: Mapping[str, Mimic]
) -> None:
    link = box.link or config.end_effector
    for key, name in (("link", link), ("frame", box.frame or model.root)):
        if name not in model.links:
            remedy = suggest(name, list(model.links)) if name else "Give 'link', or the robot an 'end_effector'"
            raise refusal(path, f"safety.workspace.{key}", name, f"a link of {model.path}", remedy)
    moving = [joint.name for joint in model.chain(box.frame or model.root) if joint.type != "fixed"]
    if moving:
        expected = f"a link that is fixed to '{model.root}'; '{moving[-1]}' moves this one"
        raise refusal(path, "safety.workspace.frame", box.frame, expected, "Leave it out, or choose another link")
    _check_movers(path, config, str(link), movers(config, model, followers))
    homes = [joint.home or 0.0 for joint in config.joints]
    names = [joint.name for joint in config.joints]
    out = make_excess(config, model, followers)([homes[names.index(name)] for name in names])
    if out > 0.0:
        raise RobotFileError(
            f"{path}: safety.workspace",
            got=f"'{link}' {out:.4g} m outside at the home position",
            expected="a box that holds the home position",
            remedy="Widen the box, or move the joints' 'home'",
        )


def _check_movers(path: Path, config: RobotConfig, link: str, moving: Mapping[str, str]) -> None:
    """The joints that move the link must be told where to go, or how fast."""
    if not moving:
        expected = "a link that commanded joints move"
        raise refusal(path, "safety.workspace.link", link, expected, "Choose another link")
    for name, interface in moving.items():
        if interface == "effort":
            raise RobotFileError(
                f"{path}: safety.workspace",
                got=f"joint '{name}', which moves '{link}', commanded by effort",
                expected="position or velocity: an effort does not say where the link goes",
                remedy="Choose another interface, or leave 'workspace' out",
            )
