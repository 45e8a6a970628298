"""Models that a client names or sends: found, read, and refused with the code that says why."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from simulation_interfaces.msg import Result, SpawnResult

from ros_gym_bridge.errors import BridgeError, MissingDependencyError, MissingFileError, UnsupportedFileError
from ros_gym_bridge.formats.detect import detect
from ros_gym_bridge.model import RobotModel, model_from_text, read_model
from ros_gym_bridge.paths import share_directory
from ros_gym_bridge.ros.services.answers import Refused
from ros_gym_bridge.ros.services.wire import Resource
from ros_gym_bridge.uris import resolve_uri
from ros_gym_bridge.xml_text import read_text

MAX_TEXT = 2_000_000  # characters of a model or world that is given as text
MAX_SOURCES = 100
ENDINGS = (".urdf", ".xacro", ".sdf", ".xml", ".mjcf")
_TEXT = "resource_string"


def formats() -> list[str]:
    """What can be read here."""
    return ["urdf", *(["xacro"] if find_spec("xacro") is not None else []), "sdf", "mjcf"]


def check_resource(resource: Resource, codes: Any = SpawnResult) -> None:
    """Refuse what need not be read.

    Args:
        resource: of a request.
        codes: the message whose constants are used.

    Raises:
        Refused: there is nothing, or too much.
    """
    if not resource.uri and not resource.text:
        raise Refused(codes.NO_RESOURCE, "neither uri nor resource_string; expected one of them")
    if not resource.uri and len(resource.text) > MAX_TEXT:
        text = f"resource_string is too long; got {len(resource.text)} characters; expected at most {MAX_TEXT}"
        raise Refused(codes.RESOURCE_PARSE_ERROR, text)


def check_sources(sources: Sequence[str]) -> None:
    """Refuse more folders than anybody means.

    Raises:
        Refused: there are too many.
    """
    if len(sources) > MAX_SOURCES:
        raise Refused(Result.RESULT_OPERATION_FAILED, f"{len(sources)} sources; expected at most {MAX_SOURCES}")


def is_quick(resource: Resource) -> bool:
    """Whether it is read in milliseconds: a URDF. Other formats are converted in a process of its own."""
    return resource.uri.lower().endswith(".urdf")


def model_of(resource: Resource) -> RobotModel:
    """The model behind a URI, or in a text.

    Raises:
        Refused: with the code that says why.
    """
    check_resource(resource)
    path = _find(resource.uri) if resource.uri else None
    try:
        _check_format(read_text(path) if path else resource.text, str(path or _TEXT))
        return read_model(path) if path else model_from_text(resource.text, name=_TEXT)
    except MissingFileError as error:
        raise Refused(SpawnResult.MISSING_ASSETS, str(error)) from error
    except UnsupportedFileError as error:
        raise Refused(SpawnResult.UNSUPPORTED_ASSETS, str(error)) from error
    except MissingDependencyError as error:
        raise Refused(SpawnResult.UNSUPPORTED_FORMAT, str(error)) from error
    except BridgeError as error:
        raise Refused(SpawnResult.RESOURCE_PARSE_ERROR, str(error)) from error


def _find(uri: str) -> Path:
    if not uri.lower().endswith(ENDINGS):
        text = f"'{uri[:200]}' is no model in a known format; expected a name that ends in {', '.join(ENDINGS)}"
        raise Refused(SpawnResult.UNSUPPORTED_FORMAT, text)
    try:
        return resolve_uri(uri, share_directory())
    except MissingFileError as error:
        raise Refused(SpawnResult.NO_RESOURCE, str(error)) from error
    except BridgeError as error:
        raise Refused(SpawnResult.RESOURCE_PARSE_ERROR, str(error)) from error


def _check_format(text: str, where: str) -> None:
    try:
        detect(text, where)
    except UnsupportedFileError as error:
        raise Refused(SpawnResult.UNSUPPORTED_FORMAT, str(error)) from error
