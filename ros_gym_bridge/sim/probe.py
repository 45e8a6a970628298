"""One robot file loaded and stepped once, in a process of its own: what ends PyBullet ends nothing else.

Argument: the robot file. Prints what it found as JSON.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

from ros_gym_bridge.config import load_robot
from ros_gym_bridge.errors import BridgeError
from ros_gym_bridge.robot import Command
from ros_gym_bridge.sim.sim_robot import SimRobot

_FAR = 1e3  # m


def main() -> None:
    """Probe the robot file that is the one argument."""
    try:
        answer: dict[str, object] = {"found": _probe(Path(sys.argv[1]))}
    except BridgeError as error:
        answer = {"refused": [type(error).__name__, error.what, error.got, error.expected, error.remedy]}
    print(json.dumps(answer))


def _probe(path: Path) -> dict[str, object]:
    """The corners of the box around the robot at home, m, and how far it is from what else stands there."""
    robot = SimRobot(load_robot(path))
    with contextlib.closing(robot):
        state = robot.reset()
        world = robot.simulation.world
        low, high = world.bounds()
        body = world.robots[0].id
        others = [world.client.getBodyUniqueId(i) for i in range(world.client.getNumBodies())]
        near = [world.client.getClosestPoints(body, other, _FAR) for other in others if other != body]
        away = min((point[8] for points in near for point in points), default=None)
        robot.step(Command(robot.spec.command_home, state.stamp_ns))
        return {"low": low.tolist(), "high": high.tolist(), "away": away}


if __name__ == "__main__":
    main()
