"""What every `Robot` must do, as checks that `test/robot_contract.py` and `ros-gym-bridge check-robot` run.

Each check takes a `Trial` and raises `ContractError` where the robot does otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ros_gym_bridge.errors import BridgeError, CommandError, OptionError, ResetNeededError, RobotClosedError
from ros_gym_bridge.robot import Command, FloatArray, Robot, RobotState, read_only

_ARRAYS = ("position", "velocity", "effort")


class ContractError(BridgeError):
    """A robot does not do what every robot must."""


class NotApplicable(Exception):
    """A check that says nothing about this robot; the text says why."""


@dataclass(frozen=True)
class Trial:
    """A robot to be checked.

    Attributes:
        robot: the robot.
        exact: its time moves with the steps, and the same seed gives the same episode: a simulator.
        reach: how far commands go from home towards their bounds; 1 is all the way.
        tolerance: how far from home an episode may begin, rad or m.
    """

    robot: Robot
    exact: bool = True
    reach: float = 1.0
    tolerance: float = 0.06  # the noise of our robot files is 0.05 at most

    def home(self, state: RobotState) -> Command:
        """A good answer to a state: stay at home."""
        return Command(self.robot.spec.command_home, state.stamp_ns)

    def towards_high(self, numbers: slice = slice(None)) -> FloatArray:
        """`(n_command,)`: some numbers of a command on their way from home to their upper bounds."""
        vector = np.array(self.robot.spec.command_home)
        vector[numbers] += self.reach * (self.robot.spec.command_high - vector)[numbers]
        return read_only(vector)

    def steps(self, state: RobotState, vector: FloatArray, count: int) -> RobotState:
        """The state after so many steps under one command."""
        for _ in range(count):
            state = self.robot.step(Command(vector, state.stamp_ns))
        return state


@dataclass(frozen=True)
class Check:
    """One promise, and how it is checked.

    Attributes:
        name: an identifier.
        promise: a sentence.
        run: raises `ContractError` or `NotApplicable`.
        exact: holds for simulators only.
        fresh: needs a robot that was never reset.
        closes: the robot is of no use afterwards.
    """

    name: str
    promise: str
    run: Callable[[Trial], None]
    exact: bool = False
    fresh: bool = False
    closes: bool = False


CHECKS: list[Check] = []


def check(promise: str, **keywords: bool) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
    """Adds a function to `CHECKS`."""

    def add(run: Callable[[Trial], None]) -> Callable[[Trial], None]:
        CHECKS.append(Check(run.__name__, promise, run, **keywords))
        return run

    return add


def expect(good: object, what: str, got: object = "", expected: object = "") -> None:
    """Raises where something is not as it should be.

    Raises:
        ContractError: `good` is false.
    """
    if not good:
        raise ContractError(what, got=str(got), expected=str(expected))


def expect_error(kind: type[BridgeError], pattern: str, call: Callable[[], object]) -> None:
    """Raises where a call is not refused with such an error.

    Raises:
        ContractError: no error, another one, or another text.
    """
    wanted = f"{kind.__name__}: {pattern}"
    try:
        call()
    except kind as error:
        expect(re.search(pattern, str(error)), "an error with another text", error, wanted)
    except Exception as error:
        raise ContractError("another error", got=f"{type(error).__name__}: {error}", expected=wanted) from error
    else:
        raise ContractError("no error", expected=wanted)


@check("step before the first reset is refused", fresh=True)
def needs_a_reset_first(trial: Trial) -> None:
    command = Command(trial.robot.spec.command_home, 1)
    expect_error(ResetNeededError, "step before the first reset", lambda: trial.robot.step(command))


@check("it has the methods of a Robot")
def is_a_robot(trial: Trial) -> None:
    expect(isinstance(trial.robot, Robot), "methods are missing", type(trial.robot).__name__, "the protocol Robot")


@check("a state has float64 arrays with a value for each joint, and the applied command")
def state_has_the_joints_of_the_spec(trial: Trial) -> None:
    state, spec = trial.robot.reset(1), trial.robot.spec
    for name in _ARRAYS:
        array = getattr(state, name)
        shape = (len(spec.joints),)
        expect((array.shape, array.dtype) == (shape, np.float64), name, f"{array.shape} {array.dtype}", shape)
    expect(state.command.shape == (len(spec.commands),), "command", state.command.shape, f"({len(spec.commands)},)")


@check("an episode starts at home")
def starts_at_home(trial: Trial) -> None:
    state, spec = trial.robot.reset(1), trial.robot.spec
    off = np.abs(state.position - spec.home)
    worst = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
    expect(
        off[worst] <= trial.tolerance,
        f"joint '{spec.joints[worst]}' does not start at home",
        f"{state.position[worst]:.4g}",
        f"{spec.home[worst]:.4g} within {trial.tolerance:g}",
    )
    expect(np.array_equal(state.command, spec.command_home), "the command at rest", state.command, spec.command_home)


@check("arrays of a state are read-only")
def arrays_are_read_only(trial: Trial) -> None:
    state = trial.robot.step(trial.home(trial.robot.reset(1)))
    arrays = {name: getattr(state, name) for name in (*_ARRAYS, "command")}
    arrays |= {name: sample.value for name, sample in state.channels.items()}
    writeable = [name for name, array in arrays.items() if array.flags.writeable]
    expect(not writeable, "arrays that can be written to", ", ".join(writeable), "none")


@check("an old state does not change")
def an_old_state_does_not_change(trial: Trial) -> None:
    first = trial.robot.reset(1)
    before = first.position.copy()
    trial.steps(first, trial.towards_high(), 5)
    expect(np.array_equal(first.position, before), "a state has changed", first.position, before)


@check("each step moves the stamp by one control period (a robot: by one or more)")
def stamp_advances_by_one_control_period(trial: Trial) -> None:
    state, spec = trial.robot.reset(1), trial.robot.spec
    expect(state.stamp_ns > 0, "stamp of the first state", state.stamp_ns, "above 0")
    for _ in range(5):
        following = trial.robot.step(trial.home(state))
        one = spec.next_stamp(state.stamp_ns)
        good = following.stamp_ns == one if trial.exact else following.stamp_ns > state.stamp_ns
        expect(good, "stamp after a step", following.stamp_ns, one if trial.exact else f"above {state.stamp_ns}")
        state = following


@check("a reset moves time forward")
def reset_moves_time_forward(trial: Trial) -> None:
    stamps = [trial.robot.reset(1).stamp_ns for _ in range(3)]
    expect(stamps == sorted(set(stamps)), "stamps after three resets", stamps, "each above the one before")


@check("a command moves its own joint")
def command_moves_its_own_joint(trial: Trial) -> None:
    state, spec = trial.robot.reset(1), trial.robot.spec
    entry = spec.commands[0]
    if entry.joint not in spec.joints:
        raise NotApplicable("the first number commands no single joint")
    joint, vector = spec.joints.index(entry.joint), trial.towards_high(slice(1))
    before = state.position[joint]
    state = trial.steps(state, vector, 5 if trial.exact else max(5, spec.control_hz // 2))
    expect(state.position[joint] > before, f"joint '{entry.joint}'", state.position[joint], f"above {before}")


@check("the same seed gives the same episode", exact=True)
def same_seed_same_episode(trial: Trial) -> None:
    def episode() -> list[RobotState]:
        states = [trial.robot.reset(7)]
        for i in range(5):
            vector = read_only(trial.robot.spec.command_home * (1.0 + 0.01 * i))
            states.append(trial.robot.step(Command(vector, states[-1].stamp_ns)))
        return states

    for step, (a, b) in enumerate(zip(episode(), episode(), strict=True)):
        for name in (*_ARRAYS, "command"):
            one, other = getattr(a, name), getattr(b, name)
            expect(np.array_equal(one, other), f"{name} after step {step}", other, f"{one}, as the first time")


@check("commands are limited, and what was applied is told", exact=True)
def commands_are_limited_and_told(trial: Trial) -> None:
    spec, state = trial.robot.spec, trial.robot.reset(1)
    state = trial.robot.step(Command(read_only(spec.command_high * 10.0 + 10.0), state.stamp_ns))
    expect((state.command <= spec.command_high).all(), "applied command", state.command, f"up to {spec.command_high}")
    change = np.abs(state.command - spec.command_home)
    expect((change <= spec.max_change + 1e-12).all(), "change in a period", change, f"up to {spec.max_change}")


@check("a command of the wrong shape is refused, and nothing applied")
def refuses_a_command_of_the_wrong_shape(trial: Trial) -> None:
    state, n = trial.robot.reset(1), len(trial.robot.spec.commands)
    for size in (n - 1, n + 1):
        command = Command(read_only([0.0] * size), state.stamp_ns)
        pattern = r"command of the wrong shape; got .* Nothing was applied"
        expect_error(CommandError, pattern, partial(trial.robot.step, command))
    _goes_on(trial, state)


@check("a command that is no number is refused, and nothing applied")
def refuses_what_is_no_number(trial: Trial) -> None:
    spec, state = trial.robot.spec, trial.robot.reset(1)
    for bad in (np.nan, np.inf, -np.inf):
        vector = np.array(spec.command_home)
        vector[-1] = bad
        command = Command(read_only(vector), state.stamp_ns)
        pattern = f"command for {re.escape(spec.commands[-1].name)} is not finite; got {bad}"
        expect_error(CommandError, pattern, partial(trial.robot.step, command))
    following = _goes_on(trial, state)
    expect(np.isfinite(following.position).all(), "positions", following.position, "numbers")


@check("an answer to another state than the newest is refused")
def refuses_an_answer_to_another_state(trial: Trial) -> None:
    first = trial.robot.reset(1)
    second = trial.robot.step(trial.home(first))
    pattern = f"got stamp_ns {first.stamp_ns}; expected stamp_ns {second.stamp_ns}"
    expect_error(CommandError, pattern, lambda: trial.robot.step(trial.home(first)))
    _goes_on(trial, second)


@check("unknown options of a reset are refused")
def refuses_unknown_options(trial: Trial) -> None:
    pattern = "unknown reset option 'speed'; expected 'strict'"
    expect_error(OptionError, pattern, lambda: trial.robot.reset(1, {"speed": 2}))
    pattern = "reset option 'strict'; got 'yes'; expected True or False"
    expect_error(OptionError, pattern, lambda: trial.robot.reset(1, {"strict": "yes"}))


@check("a strict reset gives the same state", exact=True)
def strict_reset_gives_the_same_state(trial: Trial) -> None:
    default, strict = trial.robot.reset(5), trial.robot.reset(5, {"strict": True})
    for name in ("position", "velocity"):
        one, other = getattr(default, name), getattr(strict, name)
        expect(np.array_equal(one, other), f"{name} after a strict reset", other, one)


@check("it can be closed twice, and does nothing afterwards", closes=True)
def close_twice_and_then_nothing(trial: Trial) -> None:
    state = trial.robot.reset(1)
    trial.robot.close()
    trial.robot.close()
    for call in (lambda: trial.robot.step(trial.home(state)), lambda: trial.robot.reset(1)):
        expect_error(RobotClosedError, "the robot is closed", call)


def _goes_on(trial: Trial, state: RobotState) -> RobotState:
    """The robot can be stepped from a state as if nothing had happened."""
    following = trial.robot.step(trial.home(state))
    one = trial.robot.spec.next_stamp(state.stamp_ns)
    good = following.stamp_ns == one if trial.exact else following.stamp_ns > state.stamp_ns
    expect(good, "stamp after what was refused", following.stamp_ns, one if trial.exact else f"above {state.stamp_ns}")
    return following
