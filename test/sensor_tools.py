"""Small robots with sensors, for tests against closed forms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ros_gym_bridge import load_robot
from ros_gym_bridge.robot import Command, RobotState, read_only
from ros_gym_bridge.sim.sim_robot import SimRobot


def link(name: str, mass: float, at: str = "0 0 0", rpy: str = "0 0 0", inertia: float = 0.1, shape: str = "") -> str:
    """A link; its collision and visual are a `shape` such as `<box size="1 1 1"/>`."""
    solid = "".join(f"<{kind}><geometry>{shape}</geometry></{kind}>" for kind in ("collision", "visual") if shape)
    numbers = f'ixx="{inertia}" iyy="{inertia}" izz="{inertia}" ixy="0" ixz="0" iyz="0"'
    return (
        f'<link name="{name}"><inertial><origin xyz="{at}" rpy="{rpy}"/><mass value="{mass}"/><inertia {numbers}/>'
        f'</inertial>{solid}<contact><lateral_friction value="1"/></contact></link>'
    )


def joint(
    name: str, kind: str, parent: str, child: str, at: str = "0 0 0", rpy: str = "0 0 0", axis: str = "0 1 0"
) -> str:
    """A joint that may move far and fast."""
    limit = '<limit lower="-100" upper="100" effort="1000" velocity="100"/>'
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="{at}" rpy="{rpy}"/><axis xyz="{axis}"/>{limit}</joint>'
    )


PENDULUM = link("base", 1) + link("rod", 2, "0 0 -0.5", inertia=2 / 12) + joint("hinge", "revolute", "base", "rod")


class Lab:
    """A folder in which robots are made.

    Args:
        folder: empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._robots: list[SimRobot] = []

    def file(self, urdf: str, channels: str, interface: str = "effort", home: float = 0.0, more: str = "") -> Path:
        """A robot file for a URDF's content, whose only movable joint is `hinge`; 1000 physics steps and 100 control
        periods per second."""
        number = len(list(self._folder.iterdir()))
        (self._folder / f"{number}.urdf").write_text(f'<robot name="lab">{urdf}</robot>')
        path = self._folder / f"lab{number}.yaml"
        model = "" if "\nmodel:" in more else f"model: {{file: {number}.urdf}}\n"
        path.write_text(
            f"name: lab\n{model}rates: {{physics_hz: 1000, control_hz: 100}}\n"
            f"joints: [{{name: hinge, home: {home}}}]\n"
            f"actuators: [{{name: motor, interface: {interface}, joints: [hinge], position_gain: 0.5}}]\n"
            f"channels:\n{channels}\n{more.replace('MODEL', f'{number}.urdf')}"
        )
        return path

    def body(self, name: str, content: str) -> str:
        """The file name of a further body's URDF."""
        (self._folder / f"{name}.urdf").write_text(f'<robot name="{name}">{content}</robot>')
        return f"{name}.urdf"

    def robot(self, *arguments: Any, **keywords: Any) -> SimRobot:
        """A robot from what `file` takes."""
        self._robots.append(SimRobot(load_robot(self.file(*arguments, **keywords))))
        return self._robots[-1]

    def close(self) -> None:
        """Close every robot."""
        for robot in self._robots:
            robot.close()


def states(robot: SimRobot, count: int, command: float = 0.0, seed: int | None = 1) -> Iterator[RobotState]:
    """The first state of an episode and `count` more under a constant command."""
    state = robot.reset(seed)
    yield state
    for _ in range(count):
        state = robot.step(Command(read_only([command]), state.stamp_ns))
        yield state


def last(robot: SimRobot, count: int, command: float = 0.0) -> RobotState:
    """The last of these states."""
    return list(states(robot, count, command))[-1]


def value(state: RobotState, name: str = "s") -> np.ndarray[Any, Any]:
    """A channel's value."""
    return np.array(state.channels[name].value)
