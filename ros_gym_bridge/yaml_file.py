"""YAML files as frozen models: read, validated, and refused in words."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ros_gym_bridge.errors import RobotFileError, UnknownKeyError
from ros_gym_bridge.schema_paths import place

Model = TypeVar("Model", bound=BaseModel)

_MAX_VALUES = 100_000
_MAPPINGS = ("model_type", "model_attributes_type", "dict_type")  # pydantic's names of what is no mapping


def find_file(kind: str, given: str | Path, folder: Path) -> Path:
    """The path of a file, from its name among those of `folder` or its path.

    Args:
        kind: "robot" or "world", for the message.
        given: a name without ending, or a path with one.
        folder: of the files that come with the package.

    Raises:
        RobotFileError: there is no such file; the message lists the names that there are.
    """
    path = Path(given)
    if path.suffix not in (".yaml", ".yml"):
        path = folder / f"{given}.yaml"
    if path.is_file():
        return path.resolve()
    names = names_in(folder)
    near = difflib.get_close_matches(str(given), names, 1)
    hint = f"Did you mean '{near[0]}'? " if near else ""
    raise RobotFileError(
        f"no {kind} file '{given}'",
        expected=f"one of {', '.join(names)}, or the path of a .yaml file",
        remedy=f"{hint}Check the spelling, or write such a file (see CONTRIBUTING.md)",
    )


def names_in(folder: Path) -> list[str]:
    """Names of the YAML files in a folder, without their ending."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def refusal(path: Path, key: str, value: object, expected: str, remedy: str) -> RobotFileError:
    """The error for one value of a file."""
    return RobotFileError(f"{path}: {key}", got=repr(value), expected=expected, remedy=remedy)


def suggest(name: str, known: list[str]) -> str:
    """A remedy for a name that is not known."""
    near = difflib.get_close_matches(name, known, 1, cutoff=0.5)
    return f"Did you mean '{near[0]}'?" if near else f"Use one of {', '.join(known)}"


def read_mapping(path: Path, text: str | None = None, kind: str = "robot", keys: str = "name, model") -> dict[str, Any]:
    """The keys of a file.

    Args:
        path: the file, named in every message.
        text: its content; None reads it.
        kind, keys: what it should be, for the message.

    Raises:
        RobotFileError: unreadable, a key twice, or not a mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8") if text is None else text, Loader=_UniqueKeys)
    except (yaml.YAMLError, UnicodeDecodeError, OSError, ValueError, RecursionError) as error:
        raise RobotFileError(
            f"{path}: not readable", got=_reason(error), expected="YAML", remedy="Correct the file at that place"
        ) from error
    if not isinstance(content, dict):
        raise RobotFileError(
            f"{path}: not a {kind} file", got=type(content).__name__, expected=f"a mapping with the keys {keys}, ..."
        )
    _check_size(path, content)
    return content


def _check_size(path: Path, content: Any) -> None:
    """A few lines of YAML with aliases of aliases can mean more values than fit in memory."""
    rest, count = [content], 0
    while rest:
        value = rest.pop()
        rest.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
        count += 1
        if count > _MAX_VALUES:
            expected = f"at most {_MAX_VALUES} values, with aliases written out"
            raise RobotFileError(f"{path}: too large", got="more", expected=expected, remedy="Remove aliases")


def validate(model: type[Model], path: Path, content: dict[str, Any]) -> Model:
    """The content of a file as a model.

    Raises:
        RobotFileError: missing keys, wrong types or values.
        UnknownKeyError: a key that the model does not have.
    """
    try:
        return model.model_validate(_tuples(content))
    except ValidationError as error:
        raise _translated(model, path, error) from None


class _UniqueKeys(yaml.SafeLoader):
    """YAML that refuses a key given twice, where the safe loader would keep the last."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value in seen:
            raise yaml.constructor.ConstructorError(None, None, f"key '{key.value}' is given twice", key.start_mark)
        seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or error)
    return f"{problem} in line {mark.line + 1}, column {mark.column + 1}" if mark else " ".join(problem.split())


def _tuples(value: Any) -> Any:
    """YAML lists as tuples, so that what was validated cannot be changed."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _translated(model: type[BaseModel], path: Path, error: ValidationError) -> RobotFileError:
    """The first of pydantic's complaints in our words, with the number of the others."""
    found = error.errors()
    errors = [
        e for e in found if not any(e["loc"] == other["loc"][: len(e["loc"])] for other in found if other is not e)
    ]
    # a misspelled key is both unknown and missing, and only the former says how it is spelled
    first = min(errors, key=lambda each: each["type"] != "extra_forbidden")
    key, _ = place(model, first["loc"])
    more = len(errors) - 1
    suffix = f" ({more} more problem{'s' if more > 1 else ''} after this one)" if more else ""
    if first["type"] == "extra_forbidden":
        return _unknown_key(model, path, first, suffix)
    if first["type"] == "union_tag_not_found":
        return refusal(path, f"{key}.kind", None, "a value", f"Add the key '{key}.kind'{suffix}")
    if first["type"] == "union_tag_invalid":
        kinds = [kind.strip("'") for kind in first["ctx"]["expected_tags"].split(", ")]
        kind = first["ctx"]["tag"]
        return refusal(path, f"{key}.kind", kind, f"one of {', '.join(kinds)}", suggest(kind, kinds) + suffix)
    if first["type"] == "missing":
        return refusal(path, key, None, "a value", f"Add the key '{key}'{suffix}")
    expected = first["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    if first["type"] in _MAPPINGS:
        expected = "a mapping of keys to values"
    return refusal(path, key, _plain(first["input"]), expected, f"Change the value of '{key}'{suffix}")


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _unknown_key(model: type[BaseModel], path: Path, detail: ErrorDetails, suffix: str) -> RobotFileError:
    _, valid = place(model, detail["loc"][:-1])
    unknown = str(detail["loc"][-1])
    near = difflib.get_close_matches(unknown, valid, 1, cutoff=0.5)
    remedy = f"Did you mean '{near[0]}'?" if near else "Remove it"
    error = UnknownKeyError(
        f"{path}: {place(model, detail['loc'])[0]}: unknown key",
        got=repr(_plain(detail["input"])),
        expected=f"one of {', '.join(valid)}",
        remedy=remedy + suffix,
    )
    error.location = detail["loc"]
    return error
