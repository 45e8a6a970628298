"""What was measured on a robot: a YAML file that `ros-gym-bridge measure` writes and robot files name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from ros_gym_bridge.noise import JointNoise
from ros_gym_bridge.schema_parts import Frozen, Name, Text
from ros_gym_bridge.yaml_file import read_mapping, refusal, suggest, validate


class Statistics(Frozen):
    """Of `count` measurements, in seconds: mean, standard deviation, percentiles."""

    count: int = Field(ge=1)
    mean: float
    std: float = Field(ge=0.0)
    p50: float
    p95: float
    p99: float


class MeasuredGroup(Frozen):
    """One actuator group. `command_latency_s` and `command_jitter_s` are what the simulator takes: mean and standard
    deviation of `round_trip_s`, from a command to the arrival of the first state that shows it."""

    joint: str
    move: float
    command_latency_s: float = Field(ge=0.0, le=10.0)
    command_jitter_s: float = Field(ge=0.0, le=10.0)
    round_trip_s: Statistics


class MeasuredStates(Frozen):
    """Joint states at rest: how many in a second by the robot's clock, the time between two, and their `noise`, which
    the simulator takes."""

    rate_hz: float = Field(gt=0.0)
    period_s: Statistics
    noise: JointNoise


class Measurement(Frozen):
    """The content of the file."""

    robot: Name
    measured_at: Text
    groups: dict[str, MeasuredGroup]
    joint_states: MeasuredStates


def read_measurement(path: Path) -> Measurement:
    """A file that was written by `write_measurement`, perhaps changed by hand.

    Raises:
        RobotFileError: unreadable, unknown or missing keys, wrong types or values.
    """
    keys = ", ".join(Measurement.model_fields)
    return validate(Measurement, path, read_mapping(path, kind="measurement", keys=keys))


def write_measurement(path: Path, measurement: Measurement) -> None:
    """As YAML, with six digits of each number."""
    text = yaml.safe_dump(_rounded(measurement.model_dump()), sort_keys=False, width=120)
    head = "# Written by ros-gym-bridge measure; a robot file takes it with: measured: " + path.name
    path.write_text(f"{head}\n{text}", encoding="utf-8")


def now_text() -> str:
    """The present time for `measured_at`."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def with_measured(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """The keys of a robot file with what its key `measured` names in the places that the file itself leaves open.

    Args:
        path: of the robot file.
        content: its keys.

    Raises:
        RobotFileError: as `read_measurement`; a group that the robot file does not have.
    """
    given = content.get("measured")
    if not isinstance(given, str):
        return content
    measurement = read_measurement(path.parent / given)
    groups = content.get("actuators")
    if not isinstance(groups, list):
        return content
    names = [str(group.get("name")) for group in groups if isinstance(group, dict)]
    for name in measurement.groups:
        if name not in names:
            raise refusal(path.parent / given, "groups", name, f"a group of {path}", suggest(name, names))
    told = content.get("joint_states", {})
    return {
        **content,
        "measured": None,
        "actuators": [_with_latency(group, measurement.groups) for group in groups],
        "joint_states": {"noise": measurement.joint_states.noise.model_dump(), **(told if told else {})},
    }


def _with_latency(group: Any, measured: Mapping[str, MeasuredGroup]) -> Any:
    of_group = measured.get(str(group.get("name"))) if isinstance(group, dict) else None
    if of_group is None:
        return group
    return {
        "command_latency_s": of_group.command_latency_s,
        "command_jitter_s": of_group.command_jitter_s,
        **group,
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return float(f"{value:.6g}") if isinstance(value, float) else value
