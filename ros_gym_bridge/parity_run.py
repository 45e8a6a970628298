"""The command `ros-gym-bridge parity`: two episodes with the same seed and actions, compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ros_gym_bridge.backends import BACKENDS, make_robot
from ros_gym_bridge.config import RobotFile, load_robot
from ros_gym_bridge.findings import Finding
from ros_gym_bridge.parity import compare, pair
from ros_gym_bridge.recording import Recording, check_fits, load, record, save, waves
from ros_gym_bridge.robot import FloatArray


@dataclass(frozen=True)
class Plan:
    """What is compared.

    Attributes:
        robot: name or path of a robot file.
        first, second: `sim`, `topics`, or the path of a recording.
        seed: of the reset, and of the actions where no recording has any.
        steps, reach: see `waves`.
        connection: keywords of `Connection`.
        position_tolerance, velocity_tolerance: see `compare`.
        save: where to record the second; None: nowhere.
        plot: where to draw both; None: nowhere.
    """

    robot: str
    first: str
    second: str
    seed: int
    steps: int
    reach: float
    connection: Mapping[str, Any]
    position_tolerance: float
    velocity_tolerance: float
    save: Path | None
    plot: Path | None


def run(plan: Plan, stop: Callable[[], bool] = lambda: False) -> list[Finding]:
    """Do it.

    Args:
        plan: what.
        stop: asked after every step and while waiting; true interrupts.

    Raises:
        KeyboardInterrupt: `stop` said so.
        OptionError: a recording that does not fit the robot, or an option that is not offered.
        BridgeError: as the robots raise; a file that cannot be written.
    """
    file = load_robot(plan.robot)
    names = (plan.first, plan.second)
    recorded = {name: load(Path(name)) for name in names if name not in BACKENDS}
    for name, recording in recorded.items():
        check_fits(recording, file.spec, name)
    source = next(iter(recorded.values()), None)
    actions = waves(file.spec, plan.seed, plan.steps, plan.reach) if source is None else source.actions
    seed = plan.seed if source is None else source.seed
    first, second = (recorded.get(name) or _record(file, name, plan, seed, actions, stop) for name in names)
    if plan.save is not None:
        save(second, plan.save)
    two = pair(first, second, names)
    if plan.plot is not None:
        from ros_gym_bridge.parity_plot import plot  # matplotlib takes a second

        plot(two, plan.plot)
    return compare(two, plan.position_tolerance, plan.velocity_tolerance)


def _record(
    file: RobotFile, backend: str, plan: Plan, seed: int | None, actions: FloatArray, stop: Callable[[], bool]
) -> Recording:
    robot = make_robot(file, backend, {**plan.connection, "stop": stop} if backend == "topics" else {})
    try:
        return record(robot, seed, actions, stop)
    finally:
        robot.close()
