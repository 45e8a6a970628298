"""Speeds without ROS."""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
from turns import Effort, cost, driver, in_turns, median_ratio, rate, stepper

import ros_gym_bridge  # noqa: F401 (registers the ids)
from ros_gym_bridge import load_robot
from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.sim.renderer import NAMES
from ros_gym_bridge.sim.sim_robot import SimRobot
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.worlds import load_world

REACH = "ros_gym_bridge/Reach-v0"
ENDLESS = {"time_limit_s": 1e9, "radius": 1e-4}
CIRCLE = [0.2, 0.5]  # m/s and rad/s: the rover stays among its blocks

_CHANNELS = {
    "bare": "",
    "lidar": "{name: scan, kind: lidar, link: laser_link, rays: 360, max_angle: 3.124, range_max: 12.0}",
    "camera": "{name: picture, kind: camera, link: camera_optical_frame, width: 320, height: 240}",
}
_ARM = "  - {{robot: arm, namespace: arm_{0}, base_position: [{0}, 0, 0]}}\n"


def direct_over_raw(physics_steps: int, effort: Effort) -> float:
    """Environment steps of the Panda over the most that PyBullet could do, in the same pose of the same world."""
    env = gymnasium.make(REACH, robot="panda", control_hz=500 // physics_steps, **ENDLESS)
    step = stepper(env)
    raw = env.unwrapped.robot.simulation.world.step  # type: ignore[attr-defined]

    def bare() -> None:
        for _ in range(physics_steps):
            raw()

    rates = in_turns({"env": step, "raw": bare}, effort)
    env.close()
    return median_ratio(rates["env"], rates["raw"])


def direct_over_panda_gym(effort: Effort) -> Iterator[dict[str, float]]:
    """Against another Panda environment on PyBullet with the same time step and the same number of physics steps;
    nothing where that is not installed."""
    if importlib.util.find_spec("panda_gym") is None:
        return
    import panda_gym  # noqa: F401 (registers its ids)

    ours = gymnasium.make(REACH, robot="panda", **ENDLESS)
    with quiet():
        theirs = gymnasium.make("PandaReach-v3", control_type="joints")
    rates = in_turns({"ours": stepper(ours), "theirs": stepper(theirs)}, effort)
    ours.close()
    theirs.close()
    yield {"direct_over_panda_gym": median_ratio(rates["ours"], rates["theirs"])}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the other environment's chatter off the table."""
    saved, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)


def resets(effort: Effort) -> dict[str, float]:
    """Milliseconds of `env.reset()` of the Panda, by snapshot and by reload."""
    env = gymnasium.make(REACH, robot="panda")
    env.reset(seed=0)
    quick = [1e3 / rate(env.reset, effort.seconds / 5) for _ in range(5)]
    strict = []
    for _ in range(5):
        begun = time.perf_counter()
        env.reset(options={"strict": True})
        strict.append(1e3 * (time.perf_counter() - begun))
    env.close()
    return {"reset_ms": statistics.median(quick), "strict_reset_ms": statistics.median(strict)}


def _work(seconds: float, results: Any) -> None:
    env = gymnasium.make(REACH, robot="panda", **ENDLESS)
    results.put(rate(stepper(env), seconds))


def two_workers_over_one(effort: Effort) -> float:
    """Steps per second of two processes together, over those of one."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()

    def together(count: int) -> float:
        workers = [context.Process(target=_work, args=(effort.seconds, results)) for _ in range(count)]
        for worker in workers:
            worker.start()
        rates = [results.get() for _ in workers]
        for worker in workers:
            worker.join()
        return float(sum(rates))

    return statistics.median(together(2) / together(1) for _ in range(max(1, effort.rounds // 5)))


def sensors(effort: Effort) -> dict[str, float | str]:
    """What rays and pictures add to a step of the rover, and who draws."""
    robots = {name: SimRobot(rover_with(channel)) for name, channel in _CHANNELS.items()}
    rates = in_turns({name: driver(robot, CIRCLE) for name, robot in robots.items()}, effort)
    renderer = robots["camera"].simulation.world.renderer
    for robot in robots.values():
        robot.close()
    return {
        "lidar_360_us": 1e6 * cost(rates["lidar"], rates["bare"]),
        "camera_320x240_ms": 1e3 * cost(rates["camera"], rates["bare"]),
        "renderer": NAMES[renderer],
    }


def rover_with(channel: str) -> RobotFile:
    """The rover with this channel and no other."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rover.yaml"
        path.write_text(f"extends: rover\nchannels: [{channel}]\n")
        return load_robot(path)


def four_robots_over_one(effort: Effort) -> float:
    """Control periods of robots per second: four in a world over one in a world."""
    worlds = {count: _arms(count) for count in (4, 1)}

    def mover(simulation: Simulation) -> Any:
        targets = [robot.spec.command_home for robot in simulation.robots]
        return lambda: simulation.advance(targets, simulation.steps_per_period)

    rates = in_turns({str(count): mover(world) for count, world in worlds.items()}, effort)
    for world in worlds.values():
        world.close()
    return 4 * median_ratio(rates["4"], rates["1"])


def _arms(count: int) -> Simulation:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "arms.yaml"
        path.write_text("name: arms\nrobots:\n" + "".join(_ARM.format(2 * i) for i in range(count)))
        simulation = Simulation(load_world(path, "arm"))
    simulation.reset(0, strict=False)
    return simulation
