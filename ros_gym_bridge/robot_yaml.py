"""Robot files as YAML: found by name, read, laid over the file that they extend, validated, and refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ros_gym_bridge.measurement import with_measured
from ros_gym_bridge.paths import share_directory
from ros_gym_bridge.schema import RobotConfig
from ros_gym_bridge.yaml_file import find_file, names_in, read_mapping, refusal, validate


def robot_names() -> list[str]:
    """The robot files that come with the package."""
    return names_in(_robots_directory())


def find_robot_file(robot: str | Path) -> Path:
    """The path of a robot file, from its name or path.

    Raises:
        RobotFileError: there is no such file; the message lists the names that there are.
    """
    return find_file("robot", robot, _robots_directory())


def _robots_directory() -> Path:
    return share_directory() / "config" / "robots"


def read_config(path: Path, control_hz: int | None, interface: str | None) -> RobotConfig:
    """The content of a robot file, with two of its values replaced where they are given.

    Raises:
        RobotFileError: unreadable, unknown or missing keys, wrong types or values.
    """
    content = with_measured(path, _read_yaml(path))
    if control_hz is not None and isinstance(content.get("rates"), dict):
        content["rates"] = {**content["rates"], "control_hz": control_hz}
    if interface is not None and isinstance(content.get("actuators"), list):
        content["actuators"] = _commanded_by(path, interface, content["actuators"])
    return validate(RobotConfig, path, content)


def _commanded_by(path: Path, interface: str, groups: list[Any]) -> list[Any]:
    """The groups with another interface; only those of single joints have one."""
    single = [isinstance(group, dict) and group.get("kind", "joint_group") == "joint_group" for group in groups]
    if not any(single):
        raise refusal(path, "actuators", interface, "an interface for a joint_group, and there is none", "Leave it out")
    return [{**group, "interface": interface} if one else group for one, group in zip(single, groups, strict=True)]


def _read_yaml(path: Path, extended_by: tuple[Path, ...] = ()) -> dict[str, Any]:
    """A file's keys, on top of those of the file that it `extends`."""
    content = read_mapping(path)
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
    if isinstance(content.get("measured"), str):
        anchored["measured"] = str(folder / content["measured"])
    return {**content, **anchored, **({"scene": [anchor(part) for part in scene]} if isinstance(scene, list) else {})}
