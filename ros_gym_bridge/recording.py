"""What was commanded to a robot and what its states were, as values and as a file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.errors import BridgeError, OptionError
from ros_gym_bridge.robot import NANOSECONDS, Command, FloatArray, Robot, RobotSpec, RobotState, read_only

_SUFFIXES = (".npz", ".jsonl")
_WORDS = ("robot", "joints", "commands", "control_hz", "seed")


@dataclass(frozen=True, eq=False)
class Recording:
    """One episode.

    Attributes:
        robot: the robot's name.
        joints, commands: names, in the order of the arrays.
        control_hz: control periods per second.
        seed: of the reset; None where that does not matter.
        actions: `(n, n_command)`, what was asked for in each step.
        stamps_ns: int64 `(n + 1,)`, of the state after the reset and after each step.
        positions, velocities: `(n + 1, n_joints)`, rad or m, rad/s or m/s; NaN where nothing was told.
        round_trips_s: `(n,)`, wall-clock seconds from a command to its state; NaN where no wire was between.
    """

    robot: str
    joints: tuple[str, ...]
    commands: tuple[str, ...]
    control_hz: int
    seed: int | None
    actions: FloatArray
    stamps_ns: npt.NDArray[np.int64]
    positions: FloatArray
    velocities: FloatArray
    round_trips_s: FloatArray

    @property
    def seconds(self) -> FloatArray:
        """`(n + 1,)` since the first state."""
        seconds: FloatArray = (self.stamps_ns - self.stamps_ns[0]) / NANOSECONDS
        return seconds


def record(robot: Robot, seed: int | None, actions: FloatArray, stop: Callable[[], bool] = lambda: False) -> Recording:
    """Reset a robot and make a step for each action.

    Args:
        robot: the robot.
        seed: of the reset.
        actions: `(n, n_command)`, in the commands' units.
        stop: asked after every step; true interrupts.

    Raises:
        KeyboardInterrupt: `stop` said so.
    """
    states: list[RobotState] = [robot.reset(seed)]
    trips = []
    for action in actions:
        states.append(robot.step(Command(read_only(action), states[-1].stamp_ns)))
        trips.append(robot.timing().get("round_trip_s", np.nan))
        if stop():
            raise KeyboardInterrupt
    spec = robot.spec
    return Recording(
        spec.name,
        spec.joints,
        tuple(entry.name for entry in spec.commands),
        spec.control_hz,
        seed,
        np.array(actions, dtype=np.float64),
        np.array([state.stamp_ns for state in states], dtype=np.int64),
        np.array([state.position for state in states]),
        np.array([state.velocity for state in states]),
        np.array(trips),
    )


def waves(spec: RobotSpec, seed: int, steps: int, reach: float) -> FloatArray:
    """Smooth actions `(steps, n_command)`: each number swings about home, as far as `reach` of the way to its nearer
    bound, in a period of its own between 1 and 4 s, and begins at home."""
    rng = np.random.default_rng(seed)
    n = len(spec.commands)
    room = np.minimum(spec.command_high - spec.command_home, spec.command_home - spec.command_low)
    wide = np.where(room > 0.0, room, spec.command_high - spec.command_home)  # home is a bound
    hertz, sign = rng.uniform(0.25, 1.0, n), rng.choice([-1.0, 1.0], n)
    seconds = np.arange(steps)[:, None] / spec.control_hz
    swing = np.sin(2.0 * np.pi * hertz * seconds) * np.where(room > 0.0, sign, 1.0)
    swing = np.where(room > 0.0, swing, np.abs(swing))
    actions: FloatArray = np.clip(spec.command_home + reach * wide * swing, spec.command_low, spec.command_high)
    return actions


# --- files


def save(recording: Recording, path: Path) -> None:
    """Write a recording: arrays by name (`.npz`), or JSON lines, a head and one for each state (`.jsonl`).

    Raises:
        OptionError: another suffix. BridgeError: the file cannot be written.
    """
    _check_suffix(path)
    head = {word: getattr(recording, word) for word in _WORDS}
    try:
        if path.suffix == ".npz":
            arrays = {name: getattr(recording, name) for name in _ARRAYS}
            np.savez_compressed(path, head=np.array(json.dumps(head)), **arrays)
        else:
            lines = [head, *_lines(recording)]
            path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise BridgeError(f"{path}: cannot be written", got=str(error), remedy="Choose another place") from error


def load(path: Path) -> Recording:
    """Read a recording.

    Raises:
        OptionError: no such file, another format, or arrays that do not fit together; says what.
    """
    _check_suffix(path)
    try:
        head, arrays = _read_npz(path) if path.suffix == ".npz" else _read_lines(path)
        made = Recording(
            str(head["robot"]), tuple(head["joints"]), tuple(head["commands"]), int(head["control_hz"]), head["seed"],
            *(np.asarray(arrays[name], dtype=kind) for name, kind in _ARRAYS.items()),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise OptionError(f"{path}: no recording that can be read", got=f"{type(error).__name__}: {error}") from error
    _check(made, path)
    return made


_ARRAYS: dict[str, Any] = {
    "actions": np.float64,
    "stamps_ns": np.int64,
    "positions": np.float64,
    "velocities": np.float64,
    "round_trips_s": np.float64,
}


def _lines(recording: Recording) -> list[dict[str, Any]]:
    """One for each state; all but the first hold the action that led there."""
    lines: list[dict[str, Any]] = []
    for i, stamp_ns in enumerate(recording.stamps_ns.tolist()):
        line: dict[str, Any] = {"stamp_ns": stamp_ns}
        if i:
            line["action"] = recording.actions[i - 1].tolist()
            line["round_trip_s"] = _plain(recording.round_trips_s[i - 1])
        line |= {"position": _plain(recording.positions[i]), "velocity": _plain(recording.velocities[i])}
        lines.append(line)
    return lines


def _plain(values: Any) -> Any:
    """JSON has no NaN."""
    listed = np.asarray(values).tolist()
    if isinstance(listed, list):
        return [None if value != value else value for value in listed]
    return None if listed != listed else listed


def _read_npz(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(path, allow_pickle=False) as file:
        return json.loads(str(file["head"])), {name: file[name] for name in _ARRAYS}


def _read_lines(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    head, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    columns = {"stamps_ns": "stamp_ns", "positions": "position", "velocities": "velocity"}
    arrays: dict[str, Any] = {name: [line[key] for line in lines] for name, key in columns.items()}
    arrays |= {"actions": [line["action"] for line in lines[1:]]}
    arrays |= {"round_trips_s": [line.get("round_trip_s") for line in lines[1:]]}
    return head, arrays


def _check(recording: Recording, path: Path) -> None:
    n, commands, joints = len(recording.stamps_ns) - 1, len(recording.commands), len(recording.joints)
    shapes = {
        "actions": (n, commands),
        "positions": (n + 1, joints),
        "velocities": (n + 1, joints),
        "round_trips_s": (n,),
    }
    for name, shape in shapes.items():
        got = getattr(recording, name).shape
        if n < 1 or got != shape:
            raise OptionError(f"{path}: '{name}' does not fit the stamps", got=str(got), expected=str(shape))


def _check_suffix(path: Path) -> None:
    if path.suffix not in _SUFFIXES:
        raise OptionError(f"{path}: recordings of this kind are not known", expected=" or ".join(_SUFFIXES))


def check_fits(recording: Recording, spec: RobotSpec, what: str) -> None:
    """Refuse a recording of another robot.

    Raises:
        OptionError: other joints, commands or control rate.
    """
    names: Sequence[tuple[str, object, object]] = (
        ("joints", recording.joints, spec.joints),
        ("commands", recording.commands, tuple(entry.name for entry in spec.commands)),
        ("control_hz", recording.control_hz, spec.control_hz),
    )
    for name, got, expected in names:
        if got != expected:
            raise OptionError(
                f"{what} was recorded with other {name}",
                got=str(got),
                expected=str(expected),
                remedy="Use the robot file with which it was recorded",
            )
