"""The command `ros-gym-bridge doctor`: all rows, in the order in which a user would look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.findings import Finding
from ros_gym_bridge.ros.doctor import graph_rows, sensor_rows, state_rows
from ros_gym_bridge.ros.doctor.watch import watch
from ros_gym_bridge.ros.names import absolute


def examine(
    robot: RobotFile,
    namespace: str,
    simulator: str | None,
    domain_id: int | None,
    command_prefix: str,
    stepping: str | None,
    seconds: float,
    shared_memory: Path,
    stop: Callable[[], bool] = lambda: False,
) -> list[Finding]:
    """Listen, and judge.

    Args:
        robot, namespace, simulator, domain_id, command_prefix, stepping, seconds: see `watch.watch`.
        shared_memory: where Fast DDS keeps its files.
        stop: asked while listening; true interrupts.

    Raises:
        MissingDependencyError: a message type that is not installed.
        KeyboardInterrupt: `stop` said so.
    """
    services = None if simulator is None else absolute(simulator)
    look = watch(robot, namespace, services, domain_id, command_prefix, stepping, seconds, stop)
    try:
        if stop():
            raise KeyboardInterrupt
        return [
            *graph_rows.environment(look),
            *graph_rows.commands(look),
            *graph_rows.stamps_of_commands(look),
            *state_rows.joint_states(look),
            *state_rows.clock(look),
            *sensor_rows.channels(look),
            *sensor_rows.description(look),
            *sensor_rows.frames(look),
            *graph_rows.services(look),
            *graph_rows.shared_memory(shared_memory),
        ]
    finally:
        look.simulator.close()
        look.session.close()
