"""The seam between an environment and whatever moves: plain values and one protocol. Imports numpy only, beside the
error types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.errors import CommandError, OptionError

FloatArray = npt.NDArray[np.float64]

NANOSECONDS = 10**9


class Command(NamedTuple):
    """What the agent asks for during one control period.

    Attributes:
        vector: read-only float64 `(n_command,)`, the actuator groups of the robot file one after the other; rad or m
            for a position, rad/s or m/s for a velocity, N m or N for an effort; m/s and rad/s for a drive's `linear`
            and `angular`.
        stamp_ns: stamp of the state that this command answers.
    """

    vector: FloatArray
    stamp_ns: int


class Sample(NamedTuple):
    """One reading of a sensor: when (`stamp_ns`) and what (`value`, a read-only array)."""

    stamp_ns: int
    value: npt.NDArray[Any]


class RobotState(NamedTuple):
    """What is known of the robot at one instant. All arrays are read-only, joints in the robot file's order.

    Attributes:
        stamp_ns: the instant, nanoseconds on the robot's clock.
        position: float64 `(n_joints,)`, rad or m.
        velocity: float64 `(n_joints,)`, rad/s or m/s.
        effort: float64 `(n_joints,)`, N m or N, of the motors during the last physics step.
        command: float64 `(n_command,)`, what was really applied, after limits, during the period that ended here.
        channels: the robot file's sensors by name.
        ended: why the episode must end here, in words; empty while it goes on.
    """

    stamp_ns: int
    position: FloatArray
    velocity: FloatArray
    effort: FloatArray
    command: FloatArray
    channels: Mapping[str, Sample]
    ended: str = ""


@dataclass(frozen=True)
class CommandEntry:
    """One number of a command: which joint (of a drive, which commands no single one: which group), in which interface
    (`position`, `velocity`, `effort`; of a drive: `linear`, `angular`), within which bounds."""

    group: str
    joint: str
    interface: str
    low: float
    high: float
    home: float

    @property
    def name(self) -> str:
        """`joint/interface`, unique within a robot."""
        return f"{self.joint}/{self.interface}"


@dataclass(frozen=True, eq=False)
class RobotSpec:
    """What can be said of a robot before it is connected; derived from the robot file and its URDF.

    Attributes:
        joints: names, in the order of every joint array.
        lower, upper: `(n_joints,)` position limits, rad or m; infinite for a continuous joint.
        max_velocity, max_effort: `(n_joints,)`, rad/s or m/s, N m or N.
        home: `(n_joints,)`, rad or m.
        commands: one entry for each number of a command, in order.
        max_change: `(n_command,)`, the most that an applied command may change in one control period.
        physics_hz, steps_per_period: physics steps per second, and in one control period.
    """

    name: str
    joints: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray
    max_velocity: FloatArray
    max_effort: FloatArray
    home: FloatArray
    commands: tuple[CommandEntry, ...]
    max_change: FloatArray
    physics_hz: int
    steps_per_period: int

    @property
    def control_hz(self) -> int:
        """Control periods per second."""
        return self.physics_hz // self.steps_per_period

    def stamp_ns(self, steps: int) -> int:
        """Simulated time after so many physics steps, nanoseconds; never a sum of rounded periods."""
        return steps * NANOSECONDS // self.physics_hz

    def steps(self, stamp_ns: int) -> int:
        """Inverse of `stamp_ns`."""
        return -(-stamp_ns * self.physics_hz // NANOSECONDS)

    def next_stamp(self, stamp_ns: int, periods: int = 1) -> int:
        """The stamp that stands so many control periods after another."""
        return self.stamp_ns(self.steps(stamp_ns) + periods * self.steps_per_period)

    @property
    def command_low(self) -> FloatArray:
        """`(n_command,)` lower bound of every command."""
        return read_only([entry.low for entry in self.commands])

    @property
    def command_high(self) -> FloatArray:
        """`(n_command,)` upper bound of every command."""
        return read_only([entry.high for entry in self.commands])

    @property
    def command_home(self) -> FloatArray:
        """`(n_command,)` the command that keeps the robot at home: home positions, zero velocities and efforts."""
        return read_only([entry.home for entry in self.commands])


@runtime_checkable
class Robot(Protocol):
    """A robot that moves in control periods. `contract.py` holds what every implementation must pass."""

    @property
    def spec(self) -> RobotSpec:
        """What this robot is."""

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> RobotState:
        """Bring the robot to the start of an episode and return its state, whose stamp is newer than any before.

        Args:
            seed: makes the episode repeatable; None goes on with the robot's generator.
            options: `strict` (bool): reload the whole simulation instead of restoring its snapshot.
        """

    def step(self, command: Command) -> RobotState:
        """Apply a command for exactly one control period and return the state at its end.

        Raises:
            CommandError: wrong length, not finite, or an answer to another state than the current one; nothing was
            applied. ResetNeededError: no reset yet.
            RobotClosedError: after `close`.
        """

    def timing(self) -> dict[str, float]:
        """What the last step cost in wall-clock terms, by name with the unit as suffix; empty where no wire is
        involved."""

    def close(self) -> None:
        """Give everything back. May be called any number of times."""


def check_command(spec: RobotSpec, command: Command, stamp_ns: int) -> None:
    """Refuse a command that no robot can obey.

    Args:
        spec: the robot.
        command: what was asked.
        stamp_ns: stamp of the robot's current state.

    Raises:
        CommandError: wrong length, not finite, or an answer to another state than the current one.
    """
    vector = command.vector
    if vector.shape != (len(spec.commands),):
        names = ", ".join(entry.name for entry in spec.commands)
        raise CommandError(
            "command of the wrong shape",
            got=str(vector.shape),
            expected=f"({len(spec.commands)},): {names}",
            remedy="Nothing was applied",
        )
    total = sum(vector.tolist())
    if total - total != 0.0:
        bad = next(i for i, value in enumerate(vector) if not np.isfinite(value))
        raise CommandError(
            f"command for {spec.commands[bad].name} is not finite",
            got=str(vector[bad]),
            expected="a number",
            remedy="Nothing was applied; look for the NaN in the agent",
        )
    if command.stamp_ns != stamp_ns:
        raise CommandError(
            "command answers another state than the current one",
            got=f"stamp_ns {command.stamp_ns}",
            expected=f"stamp_ns {stamp_ns}",
            remedy="Nothing was applied; build the command from the newest state",
        )


def strict_option(options: Mapping[str, Any] | None) -> bool:
    """The one option of `Robot.reset`: `strict`.

    Raises:
        OptionError: another option, or a value that is not a bool.
    """
    unknown = [key for key in options or {} if key != "strict"]
    if unknown:
        raise OptionError(f"unknown reset option '{unknown[0]}'", expected="'strict'", remedy="Remove it")
    strict = (options or {}).get("strict", False)
    if not isinstance(strict, bool):
        raise OptionError("reset option 'strict'", got=repr(strict), expected="True or False")
    return strict


def read_only(values: Sequence[float] | FloatArray) -> FloatArray:
    """A float64 copy of `values` that cannot be written to."""
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array
