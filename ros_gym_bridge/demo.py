"""The demonstration: episodes of Reach over ROS 2 topics, and the first one again in process, equal bit for bit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ros_gym_bridge.env import Observation, RobotEnv
from ros_gym_bridge.episode import Count, Episode, count_steps, difference
from ros_gym_bridge.errors import BridgeError, OptionError, RobotLostError
from ros_gym_bridge.policies import ReachPolicy

_PICTURE = (800, 600)  # pixels; rendered at twice the size


def demo(
    robot: str, episodes: int, seed: int, console: Console, folder: Path, stop: Callable[[], bool] = lambda: False
) -> None:
    """Run it, and say what came out.

    Args:
        robot: name or path of a robot file with an end effector.
        episodes: how many over topics.
        seed: of the first episode; each further one adds 1.
        console: where to say it.
        folder: where the picture goes.
        stop: asked after every step and while waiting; true interrupts.

    Raises:
        KeyboardInterrupt: `stop` said so.
        BridgeError: a step was lost or doubled, or the two episodes differ; or as `gymnasium.make`.
    """
    with _Bench(robot, stop, backend="topics", stop=stop) as bench:
        done = _run_all(bench, episodes, seed, console)
        spec = bench.env.robot_file.spec
        counted = count_steps(done, spec)
        console.print(_table(done, counted, bench))
        _check_count(counted)
    with _Bench(robot, stop, backend="sim") as bench:
        again = bench.run(seed)
        _compare(done[0], again, bench, console)
        where = _save_picture(bench.env, folder)
    what = "at its goal" if again.success else "at the end of the first episode"
    console.print(f"Picture of the robot {what}: [bold]{where}[/]", highlight=False, soft_wrap=True)


class _Bench:
    """An environment, the policy that acts in it, and the end of both.

    Args:
        robot: name or path of a robot file.
        stop_asked: after every step; true interrupts.
        options: see `RobotEnv`.
    """

    def __init__(self, robot: str, stop_asked: Callable[[], bool], **options: Any) -> None:
        self._stop_asked = stop_asked
        self._made = gymnasium.make("ros_gym_bridge/Reach-v0", robot=robot, **options)
        unwrapped = self._made.unwrapped
        assert isinstance(unwrapped, RobotEnv)
        self.env = unwrapped
        self._node_pid: int | None = None
        try:
            self._policy = ReachPolicy(self.env.robot_file, self.env.task.fields)
        except OptionError:
            self._made.close()
            raise

    def __enter__(self) -> _Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._made.close()

    def run(self, seed: int) -> Episode:
        """One episode, to its end."""
        episode, env = Episode(), self._made
        observation, info = env.reset(seed=seed)
        self._check_same_node()
        _note(episode, observation, info)
        ended = False
        while not ended:
            action = self._policy(observation)
            begun = time.perf_counter()
            observation, reward, terminated, truncated, info = env.step(action)
            episode.stepping_s += time.perf_counter() - begun
            episode.rewards.append(float(reward))
            _note(episode, observation, info)
            if "round_trip_s" in info["timing"]:
                episode.round_trips_s.append(info["timing"]["round_trip_s"])
            ended = terminated or truncated
            if self._stop_asked():
                raise KeyboardInterrupt
        episode.resent, episode.success = int(info["timing"].get("resent", 0)), bool(info["success"])
        return episode

    def _check_same_node(self) -> None:
        """A reset starts a new node where the old one has ended; the figures of a demo are of one node."""
        pid = getattr(self.env.robot, "node_pid", None)
        self._node_pid = self._node_pid or pid
        if pid != self._node_pid:
            raise RobotLostError(
                f"the simulation node (process {self._node_pid}) has ended between two episodes",
                expected="one node for the whole demo",
                remedy="Run the demo again",
            )


def _note(episode: Episode, observation: Observation, info: dict[str, Any]) -> None:
    episode.observations.append(observation)
    episode.stamps_ns.append(info["timing"]["stamp_ns"])


def _run_all(bench: _Bench, episodes: int, seed: int, console: Console) -> list[Episode]:
    """The episodes over topics, under a progress bar."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("Starting the simulation node", total=episodes)
        done: list[Episode] = []
        for number in range(episodes):
            done.append(bench.run(seed + number))
            reached = sum(episode.success for episode in done)
            progress.update(task, advance=1, description=f"Episodes of Reach, {reached} goals reached")
        return done


def _table(episodes: Sequence[Episode], counted: Count, bench: _Bench) -> Table:
    spec, robot = bench.env.robot_file.spec, bench.env.robot
    reached = sum(episode.success for episode in episodes)
    trips = 1e3 * np.array([trip for episode in episodes for trip in episode.round_trips_s])
    seconds = sum(episode.stepping_s for episode in episodes)
    table = Table(
        title=f"Reach with '{spec.name}' over ROS 2 topics, in lockstep", title_justify="left", caption_justify="left"
    )
    table.add_column("Figure")
    table.add_column("Value", justify="right")
    table.add_column("Meaning")
    rows = [
        ("goals reached", f"{reached} of {len(episodes)}", "by a scripted policy, from observations alone"),
        ("steps", f"{counted.steps}", f"control periods of {1e3 / spec.control_hz:g} ms, one command each"),
        (
            "steps per second",
            f"{counted.steps / seconds:.0f}",
            f"{counted.steps / spec.control_hz / seconds:.1f} times real time",
        ),
        ("latency, median", f"{np.median(trips):.2f} ms", "from sending a command to its state"),
        ("latency, 99 %", f"{np.percentile(trips, 99):.2f} ms", "99 of 100 are quicker"),
        ("sent again", f"{sum(episode.resent for episode in episodes)}", "commands without an answer in time"),
        ("lost", f"{counted.lost}", "steps that did not move the simulator's time"),
        ("doubled", f"{counted.doubled}", "steps that moved it more than once"),
        ("the node's count", f"{counted.simulated}", "control periods on its clock, resets left out"),
    ]
    for row in rows:
        table.add_row(*row)
    table.caption = f"The simulation node ran in a process of its own, {getattr(robot, 'node_pid', None)}."
    return table


def _check_count(counted: Count) -> None:
    if counted.lost or counted.doubled or counted.simulated != counted.steps:
        raise BridgeError(
            "steps and simulated time do not agree",
            got=f"{counted.lost} lost, {counted.doubled} doubled, {counted.simulated} periods on the simulator's clock",
            expected=f"{counted.steps} steps, none lost, none doubled",
        )


def _compare(topics: Episode, process: Episode, bench: _Bench, console: Console) -> None:
    where = difference(topics, process, [entry.name for entry in bench.env.task.fields])
    if where:
        raise BridgeError("the first episode repeated in process differs", got=where, expected="the same bits")
    console.print(
        f"The first episode repeated in process is equal bit for bit: {len(process.observations)} observations, "
        f"{len(process.rewards)} rewards and their stamps.\nsha256 {process.digest()}",
        highlight=False,
        soft_wrap=True,
    )


def _save_picture(env: RobotEnv, folder: Path) -> Path:
    """A picture of a simulated robot as it stands, and its goal."""
    from PIL import Image

    from ros_gym_bridge.sim.mirror import Mirror
    from ros_gym_bridge.sim.sim_robot import SimRobot

    assert isinstance(env.robot, SimRobot)
    mirror = Mirror(env.robot_file)
    mirror.show(env.robot.state.position, env.robot.body_poses(), env.task.markers())
    picture = mirror.picture(2 * _PICTURE[0], 2 * _PICTURE[1], shadow=True)
    mirror.close()
    path = folder / f"reach_{env.robot_file.spec.name}.png"
    try:
        Image.fromarray(picture).resize(_PICTURE, Image.Resampling.BOX).save(path)
    except OSError as error:
        raise BridgeError(f"{path}: cannot be written", got=str(error), remedy="Start the demo elsewhere") from error
    return path
