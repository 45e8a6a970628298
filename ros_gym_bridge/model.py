"""A robot's URDF, read and checked before anything else sees it, whatever format its file has.

PyBullet reads the text again by itself. It dies with a segmentation fault on some broken URDFs and reads others in ways
of its own, so `read_model` corrects or refuses those first, in words that say what to change. Xacro, SDF and MJCF
become URDF before that; nothing else knows them.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from ros_gym_bridge.description import description
from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.convert import to_urdf
from ros_gym_bridge.formats.detect import detect
from ros_gym_bridge.formats.result import Format, Source, Vector
from ros_gym_bridge.robot_model import MOVABLE, Joint, Mimic, RobotModel
from ros_gym_bridge.urdf import parse
from ros_gym_bridge.urdf_numbers import numbers
from ros_gym_bridge.uris import resolve_uri
from ros_gym_bridge.xml_text import check_size, clean, read_text

__all__ = ["Joint", "Mimic", "RobotModel", "description", "model_from_text", "read_model", "resolve_uri"]

Arguments = Sequence[tuple[str, str]]


def read_model(path: Path, arguments: Arguments = (), model_name: str | None = None) -> RobotModel:
    """Read a URDF, xacro, SDF or MJCF file, make a URDF of it, and check that.

    Args:
        path: the file.
        arguments: of a xacro, name and value.
        model_name: which of several models of an SDF or MJCF file is meant; None: the only one, or the only one with
            joints that move.

    Raises:
        ModelError: the file is missing or unreadable, is no model, cannot be said in URDF, or would crash PyBullet or
            be read otherwise by it than by ROS. See `ros_gym_bridge.urdf` for the list.
        MissingDependencyError: a xacro, and no xacro to expand it.
    """
    return _read(read_text(path), None, path, path.parent, arguments, model_name)


def model_from_text(
    text: str,
    format: Format | None = None,
    folder: Path | None = None,
    name: str = "model",
    arguments: Arguments = (),
    model_name: str | None = None,
) -> RobotModel:
    """As `read_model`, of a text that was not read from a file.

    Args:
        text: URDF, xacro, SDF or MJCF.
        format: of the text; None: see for yourself.
        folder: where relative names of meshes begin; None: meshes must be named in full.
        name: for messages.
        arguments, model_name: as for `read_model`.

    Raises:
        ModelError: as `read_model`.
        MissingDependencyError: as `read_model`.
    """
    check_size(len(text.encode("utf-8", "surrogatepass")), name)
    return _read(clean(text), format, Path(name), folder, arguments, model_name)


def _read(
    text: str,
    format: Format | None,
    path: Path,
    folder: Path | None,
    arguments: Arguments,
    model_name: str | None,
) -> RobotModel:
    kind = format or detect(text, str(path))
    if kind != "xacro" and arguments:
        remedy = "Remove them, or let the file's name end in .xacro"
        raise ModelError(f"{path}: arguments for a file that is no xacro", got=str(dict(arguments)), remedy=remedy)
    if kind == "urdf":
        if model_name is not None:
            remedy = "Remove it: a URDF holds one model"
            raise ModelError(f"{path}: model_name for a URDF", got=f"'{model_name}'", remedy=remedy)
        return _model(text, path, folder)
    within = None if folder is None else str(Path(os.path.abspath(folder)))
    made = to_urdf(Source(text, str(path), within, kind, tuple(arguments), model_name))
    model = _model(made.urdf, path, folder)
    return dataclasses.replace(
        model,
        notes=(*made.notes, *model.notes),
        format=kind,
        floating=made.floating,
        position=made.position,
        rpy=made.rpy,
    )


def _model(text: str, path: Path, folder: Path | None) -> RobotModel:
    text, robot, notes = parse(text, str(path), folder)
    joints = tuple(_joint(element) for element in robot.findall("joint"))
    links = tuple(element.attrib["name"] for element in robot.findall("link"))
    children = {joint.child for joint in joints}
    (root,) = (link for link in links if link not in children)
    return RobotModel(path, text, robot.attrib["name"], links, joints, root, folder, notes)


def _joint(element: Element) -> Joint:
    """From an element that `parse` has found good."""
    kind, origin, axis = element.attrib["type"], element.find("origin"), element.find("axis")
    lower, upper, velocity, effort = _limits(kind, element.find("limit"))
    return Joint(
        element.attrib["name"],
        kind,
        _link(element, "parent"),
        _link(element, "child"),
        _vector(origin, "xyz"),
        _vector(origin, "rpy"),
        _unit(_vector(axis, "xyz")) if kind in MOVABLE else (1.0, 0.0, 0.0),
        lower,
        upper,
        velocity,
        effort,
        _mimic(element.find("mimic")),
    )


def _link(element: Element, end: str) -> str:
    return next(each.attrib["link"] for each in element.findall(end))


def _vector(element: Element | None, attribute: str) -> Vector:
    x, y, z = numbers(element.get(attribute, "0 0 0") if element is not None else "0 0 0")
    return x, y, z


def _unit(vector: Vector) -> Vector:
    length = math.hypot(*vector)
    return vector[0] / length, vector[1] / length, vector[2] / length


def _limits(kind: str, limit: Element | None) -> tuple[float, float, float, float]:
    """lower, upper, velocity, effort."""
    if kind == "fixed":
        return 0.0, 0.0, 0.0, 0.0
    if limit is None:
        return -math.inf, math.inf, math.inf, math.inf
    lower, upper = (-math.inf, math.inf) if kind == "continuous" else (limit.get("lower", 0), limit.get("upper", 0))
    return float(lower), float(upper), float(limit.attrib["velocity"]), float(limit.attrib["effort"])


def _mimic(element: Element | None) -> Mimic | None:
    if element is None:
        return None
    return Mimic(element.attrib["joint"], float(element.get("multiplier", 1)), float(element.get("offset", 0)))
