"""`RobotEnv`: any task on any robot as a Gymnasium environment."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import gymnasium
import numpy as np
import numpy.typing as npt

from ros_gym_bridge.backends import BACKENDS, make_robot, robot_options
from ros_gym_bridge.config import load_robot
from ros_gym_bridge.errors import OptionError, ResetNeededError
from ros_gym_bridge.robot import Command, RobotState
from ros_gym_bridge.senses import STATE, Senses, Verdict
from ros_gym_bridge.tasks import TASKS, Evaluation, Task

Observation = npt.NDArray[np.float32]  # with `channels=`: a dict of arrays, that one under `state`


class Timing(Mapping[str, float]):
    """What depends on the wall clock, or on how long a simulator has been running; read like a dict.

    Two timings always count as equal, so that the `info` of one seed and the same actions equals that of another run.
    """

    def __init__(self, stamp_ns: int, **values: float) -> None:
        self._values: dict[str, float] = {"stamp_ns": stamp_ns, **values}

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timing)

    def __hash__(self) -> int:
        return hash(Timing)

    def __repr__(self) -> str:
        return f"Timing({self._values})"


class RobotEnv(gymnasium.Env[Observation, npt.NDArray[np.float32]]):
    """A task on a robot, simulated in this process or behind ROS 2 topics.

    Observation: float32, one number for each of `task.fields`, clipped to their bounds. Action: float32 in [-1, 1],
    one number for each of `robot.spec.commands`, scaled to their bounds. `info` holds what the task adds (at least
    `success`), `applied_command` (what was really applied, after limits, in the commands' units), `timing` (all that
    depends on the wall clock, see `Timing`) and, where the robot ends an episode, the reason as `ended`.

    With `channels`, the observation is a dict: `state` is the vector above, and each channel of the robot file that is
    named is an entry of its own, as its key `observe` says; `gymnasium.wrappers.FlattenObservation` makes one vector of
    it. Of each channel that is named or has a `max_age_s`, `info["stale"][NAME]` says whether its sample is older,
    `info["absent"][NAME]` whether an optional one has never come (its `fill` is observed then), and
    `info["timing"]["NAME.stamp_ns"]` and `["NAME.age_s"]` how old it is.

    Args:
        task: name of a task, `Reach` or `Balance`.
        robot: name or path of a robot file; None takes the task's own.
        backend: `sim` (PyBullet in this process) or `topics` (ROS 2).
        render_mode: None, `rgb_array` or `human`.
        control_hz: control periods per second in place of the robot file's.
        interface: `position`, `velocity` or `effort` in place of the robot file's.
        channels: names of channels of the robot file to observe.
        time_limit_s: simulated seconds until an episode is truncated, in place of the task's.
        options: further keywords of the task or of the backend.

    Raises:
        OptionError: a keyword or value that is not offered.
        RobotFileError: a robot file that cannot be used.
        StaleChannelError: from `reset` and `step`, for channels with `when_stale: raise`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (as Gymnasium declares it)
        "render_modes": ["human", "rgb_array"],
        "render_fps": 25,
    }

    def __init__(
        self,
        task: str,
        robot: str | None = None,
        backend: Literal["sim", "topics"] = "sim",
        render_mode: str | None = None,
        control_hz: int | None = None,
        interface: str | None = None,
        channels: Sequence[str] = (),
        time_limit_s: float | None = None,
        **options: Any,
    ) -> None:
        _check_choice("render_mode", render_mode, (None, *self.metadata["render_modes"]))
        _check_choice("task", task, tuple(TASKS))
        _check_choice("backend", backend, BACKENDS)
        make_task = TASKS[task]
        task_options, backend_options = _split_options(make_task, backend, options)
        self.robot_file = load_robot(robot or make_task.default_robot, control_hz, interface)
        self.task: Task = make_task(self.robot_file, **task_options)
        seconds = self.task.time_limit_s if time_limit_s is None else time_limit_s
        self._last_step = _steps(seconds, self.robot_file.spec.control_hz)
        senses = Senses(self.robot_file, channels, simulated=backend == "sim")
        self._senses = senses if senses.watched else None
        self.robot = make_robot(self.robot_file, backend, backend_options)
        self.render_mode = render_mode
        spec = self.robot_file.spec
        self.metadata = {**type(self).metadata, "render_fps": spec.control_hz}
        self._half = 0.5 * (spec.command_high - spec.command_low)
        self._middle = 0.5 * (spec.command_high + spec.command_low)
        self._low = np.array([field.low for field in self.task.fields], dtype=np.float32)
        self._high = np.array([field.high for field in self.task.fields], dtype=np.float32)
        self.observation_space: Any = gymnasium.spaces.Box(self._low, self._high, dtype=np.float32)
        if senses.observed:
            self.observation_space = gymnasium.spaces.Dict([(STATE, self.observation_space), *senses.spaces().items()])
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (len(spec.commands),), dtype=np.float32)
        self._state: RobotState | None = None
        self._mirror: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode. The same seed gives the same episode on every backend.

        Args:
            seed: seeds everything random in the environment and its robot.
            options: handed to the robot: `strict` (bool) reloads a simulation instead of restoring its snapshot.
        """
        super().reset(seed=seed)
        self._state = self.robot.reset(int(self.np_random.integers(2**31)), options)
        self._step_count = 0
        self.task.begin(self._state, self.np_random)
        evaluation = self.task.evaluate(self._state)
        self._show()
        verdict = None if self._senses is None else self._senses.judge(self._state)
        return self._observe(evaluation, self._state), self._info(evaluation, self._state, verdict)

    def step(self, action: npt.NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """One control period under `action` `(n_command,)`.

        Raises:
            OptionError: an action of the wrong shape.
            CommandError: an action that is not finite; nothing was applied.
            ResetNeededError: before the first `reset`.
        """
        if self._state is None:
            raise ResetNeededError("step before the first reset", remedy="Call reset() first")
        state = self._state = self.robot.step(self._command(action, self._state))
        self._step_count += 1
        evaluation = self.task.evaluate(state)
        if self.render_mode == "human":
            self._show()
        verdict = None if self._senses is None else self._senses.judge(state)
        return (
            self._observe(evaluation, state),
            evaluation.reward,
            evaluation.terminated,
            self._step_count >= self._last_step or state.ended != "" or (verdict is not None and verdict.truncate),
            self._info(evaluation, state, verdict),
        )

    def render(self) -> npt.NDArray[np.uint8] | None:
        """The robot as a picture, uint8 `(360, 480, 3)`, with `render_mode='rgb_array'`.

        Raises:
            ResetNeededError: before the first `reset`.
        """
        if self._state is None:
            raise ResetNeededError("render before the first reset", remedy="Call reset() first")
        if self.render_mode is None:
            gymnasium.logger.warn("render() without a render mode: pass render_mode='rgb_array' to gym.make().")
            return None
        self._pose_mirror()
        return self._mirror.picture() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """End the robot and the window. May be called again."""
        self.robot.close()
        if self._mirror is not None:
            self._mirror.close()
            self._mirror = None

    def _command(self, action: npt.NDArray[np.float32], state: RobotState) -> Command:
        vector = np.asarray(action, dtype=np.float64)
        if vector.shape != self._half.shape:
            names = ", ".join(entry.name for entry in self.robot_file.spec.commands)
            raise OptionError(
                "action of the wrong shape", got=str(vector.shape), expected=f"{self._half.shape}: {names}"
            )
        vector = self._middle + self._half * vector
        vector.setflags(write=False)
        return Command(vector, state.stamp_ns)

    def _observe(self, evaluation: Evaluation, state: RobotState) -> Any:
        observation = np.array(evaluation.observation, dtype=np.float32)
        np.maximum(observation, self._low, out=observation)
        np.minimum(observation, self._high, out=observation)
        if self._senses is not None and self._senses.observed:
            return {STATE: observation, **self._senses.entries(state)}
        return observation

    def _info(self, evaluation: Evaluation, state: RobotState, verdict: Verdict | None) -> dict[str, Any]:
        info = evaluation.info
        info["applied_command"] = state.command.copy()
        if state.ended:
            info["ended"] = state.ended
        if verdict is None:
            info["timing"] = Timing(state.stamp_ns, **self.robot.timing())
            return info
        info["stale"], info["absent"] = verdict.stale, verdict.absent
        info["timing"] = Timing(state.stamp_ns, **self.robot.timing(), **verdict.ages)
        return info

    def _show(self) -> None:
        if self.render_mode == "human":
            self._pose_mirror()

    def _pose_mirror(self) -> None:
        from ros_gym_bridge.sim.mirror import Mirror  # PyBullet is loaded only where pictures are wanted

        assert self._state is not None
        if self._mirror is None:
            self._mirror = Mirror(self.robot_file, gui=self.render_mode == "human")
        poses = self.robot.body_poses() if hasattr(self.robot, "body_poses") else {}
        self._mirror.show(self._state.position, poses, self.task.markers())


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    if value not in choices:
        raise OptionError(name, got=repr(value), expected=f"one of {', '.join(map(repr, choices))}")


def _steps(time_limit_s: float, control_hz: int) -> int:
    if not (isinstance(time_limit_s, int | float) and 0.0 < time_limit_s < math.inf):
        raise OptionError("time_limit_s", got=repr(time_limit_s), expected="seconds above 0")
    return max(1, round(time_limit_s * control_hz))


def _split_options(make_task: Any, backend: str, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keywords of the task, and those of the backend."""
    of_task = list(inspect.signature(make_task).parameters)[1:]
    of_backend = robot_options(backend)
    unknown = [name for name in options if name not in of_task and name not in of_backend]
    if unknown:
        known = ", ".join(sorted([*of_task, *of_backend]))
        raise OptionError(
            f"unknown keyword '{unknown[0]}' for this task with backend='{backend}'",
            got=repr(options[unknown[0]]),
            expected=f"one of {known}" if known else "no further keyword",
            remedy="Check the spelling, and that the keyword belongs to this backend",
        )
    return (
        {name: value for name, value in options.items() if name in of_task},
        {name: value for name, value in options.items() if name in of_backend},
    )
