"""A first robot file for a model: it runs as it is, and says what its author should look at."""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from ros_gym_bridge.config import load_robot
from ros_gym_bridge.drives import DriveGuess, guess_drive
from ros_gym_bridge.errors import ModelError, OptionError
from ros_gym_bridge.guesses import JointGuess, guess_end_effector, guess_floating, guess_joints
from ros_gym_bridge.model import RobotModel, read_model
from ros_gym_bridge.probing import Probe, probe
from ros_gym_bridge.uris import resolve_uri

_START = 100.0  # m above the floor: whatever hangs below the base is above it
_CLEARANCE = 0.001  # m


@dataclass(frozen=True)
class NewRobot:
    """What a robot file is made from.

    Attributes:
        file: the model, as the user named it: a path or a URI.
        arguments: of a xacro, name and value.
        model_name: which of several models of an SDF or MJCF file.
        name: of the robot; None: the model's.
        floating: whether its base moves freely; None: a guess.
    """

    file: str
    arguments: Sequence[tuple[str, str]] = ()
    model_name: str | None = None
    name: str | None = None
    floating: bool | None = None


def of_robot(robot: str) -> NewRobot:
    """The model of a robot file, by its name or path.

    Raises:
        RobotFileError: it cannot be used.
    """
    file = load_robot(robot)
    config = file.config.model
    return NewRobot(str(file.model.path), tuple(config.arguments.items()), config.model_name)


def read(new: NewRobot) -> RobotModel:
    """The model, from the working directory.

    Raises:
        ModelError: as `read_model`.
    """
    return read_model(resolve_uri(new.file, Path.cwd()), tuple(new.arguments), new.model_name)


def write(new: NewRobot, output: Path | None = None, force: bool = False) -> Path:
    """Write a robot file for a model, and see that it runs.

    Args:
        new: what it is made from.
        output: the file; None: the robot's name with .yaml, in the working directory.
        force: overwrite it when it is there.

    Returns:
        The file.

    Raises:
        ModelError: the model cannot be used, or has no joint that moves.
        OptionError: a name that cannot be, or a file that is there or cannot be written.
    """
    model = read(new)
    path = output or Path(f"{_name(new, model)}.yaml")
    if path.suffix not in (".yaml", ".yml"):
        raise OptionError("--output", got=repr(str(path)), expected="a name that ends in .yaml")
    if path.exists() and not force:
        raise OptionError(f"{path} is there already", remedy="Choose another name with --output, or overwrite: --force")
    floating = guess_floating(model) if new.floating is None else new.floating
    height = _height(new, model, floating)
    _probe(new, model, floating, height)
    try:
        path.write_text("".join(_text(new, model, floating, height, path.parent)), encoding="utf-8")
    except OSError as error:
        raise OptionError(f"{path} cannot be written", got=str(error), remedy="Choose another --output") from error
    return path


def size(new: NewRobot, model: RobotModel) -> Probe:
    """The model at home, as a first robot file would have it, in PyBullet.

    Raises:
        ModelError: it has no joint that moves, or PyBullet does not take it.
    """
    return _probe(new, model, False, 0.0)


def _height(new: NewRobot, model: RobotModel, floating: bool) -> float:
    """Where the base stands, m: one that floats so that the robot stands on the floor."""
    if not floating:
        return model.position[2]
    away = _probe(new, model, True, _START).away
    return round(_START - (_START if away is None else away) + _CLEARANCE, 4)


def _probe(new: NewRobot, model: RobotModel, floating: bool, height: float) -> Probe:
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft.yaml"
        draft.write_text("".join(_text(new, model, floating, height, None)), encoding="utf-8")
        load_robot(draft)
        return probe(draft, new.file)


def _text(new: NewRobot, model: RobotModel, floating: bool, height: float, folder: Path | None) -> Iterator[str]:
    """The robot file, line by line; `folder` is where it will lie, None for anywhere."""
    joints = guess_joints(model, floating)
    drive = guess_drive(model, joints) if floating else None
    if drive is not None:
        joints = tuple(_rolling(each) if each.joint.name in drive.casters else each for each in joints)
    if not any(joint.interface for joint in joints):
        expected = "at least one joint that moves and could have a motor"
        remedy = "Without one it is a body for the 'scene' of another robot's file"
        raise ModelError(f"{new.file}: no robot", got=f"{len(model.joints)} joints", expected=expected, remedy=remedy)
    yield "# A first robot file, made by: ros-gym-bridge new-robot. What it guesses is for you to put right.\n"
    yield "# All keys: docs/robot_file.md of ros_gym_bridge.\n"
    yield f"name: {_quoted(_name(new, model))}\n"
    yield from _model(new, model, floating, height, folder)
    tip = None if floating else guess_end_effector(model)
    if tip is not None:
        yield "# The link that Reach brings to its goals: the end of the longest chain, or where fingers begin.\n"
        yield f"end_effector: {_quoted(tip)}\n"
    yield "# Physics steps and control periods per simulated second; the first is a multiple of the second.\n"
    yield "rates: {physics_hz: 500, control_hz: 50}\n"
    yield from _joints(joints)
    yield "# Joints that are commanded together. interface: position, velocity or effort.\nactuators:\n"
    if drive is not None:
        yield from _drive(drive)
    wheels = () if drive is None else (*drive.left, *drive.right)
    yield from _groups([each for each in joints if each.joint.name not in wheels])
    if floating:
        yield "# What else stands in the world.\nscene:\n"
        yield '  - {name: floor, file: "pybullet_data://plane.urdf", fixed: true}\n'


def _model(new: NewRobot, model: RobotModel, floating: bool, height: float, folder: Path | None) -> Iterator[str]:
    x, y, _ = model.position
    place = [0.0, 0.0, height] if floating else [x, y, height]
    yield "# Which model, whether its base is fixed, and where its root link stands (m; rpy in rad about fixed axes).\n"
    yield f"model:\n  file: {_file(new, folder)}\n"
    if new.arguments:
        yield f"  arguments: {_quoted(dict(new.arguments))}\n"
    if new.model_name is not None:
        yield f"  model_name: {_quoted(new.model_name)}\n"
    yield f"  fixed_base: {str(not floating).lower()}\n"
    if any(place):
        yield f"  base_position: {[round(value, 6) for value in place]}\n"
    if any(round(angle, 6) for angle in model.rpy):
        yield f"  base_rpy: {[round(angle, 6) for angle in model.rpy]}\n"


def _joints(joints: Sequence[JointGuess]) -> Iterator[str]:
    yield "# Joints in the order of states, and where each starts (rad or m). Limits of velocity, effort and position\n"
    yield "# ([lower, upper]) that are narrower than the model's can stand here, too.\njoints:\n"
    for each in joints:
        limits = {"velocity": each.velocity, "effort": each.effort}
        more = "".join(f", {name}: {value}" for name, value in limits.items() if value is not None)
        why = f"  # {each.why}" if each.why else ""
        home = f", home: {each.home}" if each.joint.mimic is None else ""  # a follower starts where its leader has it
        yield f"  - {{name: {_quoted(each.joint.name)}{home}{more}}}{why}\n"


def _rolling(caster: JointGuess) -> JointGuess:
    return replace(caster, interface=None, velocity=None, effort=None, why="no motor: of a caster")


def _drive(drive: DriveGuess) -> Iterator[str]:
    yield "  # Wheels left and right of a free base, commanded by a twist: m/s ahead, and rad/s to the left.\n"
    if len(drive.left) > 1:
        yield "  # Wheels behind each other slip as it turns; a larger wheel_separation makes up for that.\n"
    yield "  - name: diff_drive_controller\n    kind: diff_drive\n"
    for side, wheels in (("left", drive.left), ("right", drive.right)):
        yield f"    {side}_wheels: {_quoted(list(wheels))}\n"
    yield f"    wheel_separation: {round(drive.separation, 6)}\n    wheel_radius: {round(drive.radius, 6)}\n"
    for key, most in (("linear", drive.linear), ("angular", drive.angular)):
        most = _rounded_down(most)
        yield f"    {key}: {{max_velocity: {most}, max_acceleration: {2.0 * most:g}}}\n"


def _rounded_down(value: float) -> float:
    """To two digits."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / unit) * unit:.6g}")


def _groups(joints: Sequence[JointGuess]) -> Iterator[str]:
    interfaces = list(dict.fromkeys(each.interface for each in joints if each.interface is not None))
    for interface in interfaces:
        names = [_quoted(each.joint.name) for each in joints if each.interface == interface]
        topic = "joint_command" if len(interfaces) == 1 else f"joint_{interface}_command"
        yield f"  - name: {interface}_joints\n    interface: {interface}\n    topic: {topic}\n    joints:\n"
        yield "".join(f"      - {name}\n" for name in names)


def _file(new: NewRobot, folder: Path | None) -> str:
    """The model as the robot file names it: relative to its folder where both lie together."""
    if "://" in new.file:
        return _quoted(new.file)
    path = Path(os.path.abspath(new.file))
    return _quoted(str(path) if folder is None else os.path.relpath(path, os.path.abspath(folder)))


def _name(new: NewRobot, model: RobotModel) -> str:
    name = new.name or re.sub(r"\W+", "_", model.name, flags=re.ASCII).strip("_")[:100]
    if re.fullmatch(r"[A-Za-z_][\w.\-]{0,100}", name, flags=re.ASCII):
        return name
    if new.name:
        expected = "letters, digits and _ . - that begin with a letter"
        raise OptionError("--name", got=repr(new.name), expected=expected)
    return "robot"


def _quoted(value: object) -> str:
    """As YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.strip().removesuffix("...").strip()
