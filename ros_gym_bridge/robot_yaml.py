"""Robot files as YAML: found by name, read, laid over the file that they extend, validated, and refused in words."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.paths import share_directory
from ros_gym_bridge.schema import RobotConfig


def robot_names() -> list[str]:
    """The robot files that come with the package."""
    return sorted(path.stem for path in (share_directory() / "config" / "robots").glob("*.yaml"))


def find_robot_file(robot: str | Path) -> Path:
    """The path of a robot file, from its name or path.

    Raises:
        RobotFileError: there is no such file; the message lists the names that there are.
    """
    path = Path(robot)
    if path.suffix not in (".yaml", ".yml"):
        path = share_directory() / "config" / "robots" / f"{robot}.yaml"
    if path.is_file():
        return path.resolve()
    near = difflib.get_close_matches(str(robot), robot_names(), 1)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    raise RobotFileError(
        f"no robot file '{robot}'",
        expected=f"one of {', '.join(robot_names())}, or the path of a .yaml file",
        remedy=f"{hint}Check the spelling, or write such a file (see CONTRIBUTING.md)",
    )


def read_config(path: Path, control_hz: int | None, interface: str | None) -> RobotConfig:
    """The content of a robot file, with two of its values replaced where they are given.

    Raises:
        RobotFileError: unreadable, unknown or missing keys, wrong types or values.
    """
    content = _read_yaml(path)
    if control_hz is not None and isinstance(content.get("rates"), dict):
        content["rates"] = {**content["rates"], "control_hz": control_hz}
    if interface is not None and isinstance(content.get("actuators"), list):
        content["actuators"] = [{**group, "interface": interface} for group in content["actuators"]]
    return _validate(path, content)


def refusal(path: Path, key: str, value: object, expected: str, remedy: str) -> RobotFileError:
    """The error for one value of a robot file."""
    return RobotFileError(f"{path}: {key}", got=repr(value), expected=expected, remedy=remedy)


def suggest(name: str, known: list[str]) -> str:
    """A remedy for a name that is not known."""
    near = difflib.get_close_matches(name, known, 1, cutoff=0.5)
    return f"Did you mean '{near[0]}'?" if near else f"Use one of {', '.join(known)}"


class _UniqueKeys(yaml.SafeLoader):
    """YAML that refuses a key given twice, where the safe loader would keep the last."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key '{key.value}' is given twice", key.start_mark)
        seen.add(key.value)
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _read_yaml(path: Path, extended_by: tuple[Path, ...] = ()) -> dict[str, Any]:
    """A file's keys, on top of those of the file that it `extends`."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise RobotFileError(
            f"{path}: not readable", got=_reason(error), expected="YAML", remedy="Correct the file at that place"
        ) from error
    if not isinstance(content, dict):
        raise RobotFileError(
            f"{path}: not a robot file", got=type(content).__name__, expected="a mapping with the keys name, model, ..."
        )
    base = content.pop("extends", None)
    if base is None:
        return content
    below = find_robot_file(path.parent / str(base) if str(base).endswith((".yaml", ".yml")) else str(base))
    if below in (*extended_by, path.resolve()):
        raise refusal(path, "extends", base, "a file that does not extend this one", "Remove the circle")
    return {**_anchored(_read_yaml(below, (*extended_by, path.resolve())), below.parent), **content}


def _anchored(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Relative paths of models are relative to the file that says them, also when another file extends it."""

    def anchor(part: Any) -> Any:
        uri = part.get("file") if isinstance(part, dict) else None
        return {**part, "file": str(folder / uri)} if isinstance(uri, str) and "://" not in uri else part

    scene = content.get("scene")
    anchored = {"model": anchor(content.get("model"))} if "model" in content else {}
    return {**content, **anchored, **({"scene": [anchor(part) for part in scene]} if isinstance(scene, list) else {})}


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or error)
    return f"{problem} in line {mark.line + 1}, column {mark.column + 1}" if mark else " ".join(problem.split())


def _validate(path: Path, content: dict[str, Any]) -> RobotConfig:
    try:
        return RobotConfig.model_validate(_tuples(content))
    except ValidationError as error:
        raise _translated(path, error) from None


def _tuples(value: Any) -> Any:
    """YAML lists as tuples, so that what was validated cannot be changed."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _translated(path: Path, error: ValidationError) -> RobotFileError:
    """The first of pydantic's complaints in our words, with the number of the others."""
    found = error.errors()
    errors = [
        e for e in found if not any(e["loc"] == other["loc"][: len(e["loc"])] for other in found if other is not e)
    ]
    first = errors[0]
    key = _key(first["loc"])
    more = len(errors) - 1
    suffix = f" ({more} more problem{'s' if more > 1 else ''} after this one)" if more else ""
    if first["type"] == "extra_forbidden":
        return _unknown_key(path, first, suffix)
    if first["type"] == "missing":
        return refusal(path, key, None, "a value", f"Add the key '{key}'{suffix}")
    expected = first["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return refusal(path, key, _plain(first["input"]), expected, f"Change the value of '{key}'{suffix}")


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _key(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _unknown_key(path: Path, detail: ErrorDetails, suffix: str) -> RobotFileError:
    valid = _fields_at(detail["loc"][:-1])
    unknown = str(detail["loc"][-1])
    near = difflib.get_close_matches(unknown, valid, 1, cutoff=0.5)
    remedy = f"Did you mean '{near[0]}'?" if near else "Remove it"
    return RobotFileError(
        f"{path}: {_key(detail['loc'])}: unknown key",
        got=repr(_plain(detail["input"])),
        expected=f"one of {', '.join(valid)}",
        remedy=remedy + suffix,
    )


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    """The keys that are valid at a place in the file."""
    model: type[BaseModel] = RobotConfig
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            annotation: Any = model.model_fields[part].annotation
            arguments = getattr(annotation, "__args__", None)
            model = arguments[0] if arguments else annotation
    return list(model.model_fields)
