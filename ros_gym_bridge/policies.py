"""Scripted policies: agents that need no training, and see nothing but observations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.kinematics import tip_jacobian
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.tasks.base import Field

_DAMPING = 0.05  # m/rad: below it a direction counts as singular
_LONGEST_STEP = 0.15  # m towards the goal in one control period; the joints' speeds usually allow less
_HOMING = 0.05  # share of the way home that joints with nothing else to do go in one control period
_SPEED = 0.9  # of the joints' velocity limits


class ReachPolicy:
    """Solves Reach by resolved-rate control: in each control period the joints move so that the end effector goes
    straight to the goal, by damped least squares (Wampler, "Manipulator inverse kinematic solutions based on vector
    formulations and damped least-squares methods", 1986). What freedom is left draws them home, and a joint at its
    limit is left out and the others work it out.

    It knows the robot file and the observation, so it is the same for a simulated and a real robot. It keeps nothing
    from step to step.

    Args:
        robot: a robot file with an `end_effector` and position or velocity commands.
        fields: of the task: `env.unwrapped.task.fields`.

    Raises:
        OptionError: the fields lack what is needed, or commands are efforts.
    """

    def __init__(self, robot: RobotFile, fields: Sequence[Field]) -> None:
        spec = self._spec = robot.spec
        efforts = [entry.name for entry in spec.commands if entry.interface == "effort"]
        if efforts:
            raise OptionError(
                f"the scripted policy cannot command efforts: {', '.join(efforts)}",
                expected="position or velocity commands",
                remedy="Pass interface='position'",
            )
        names = [field.name for field in fields]
        self._joints = _places(names, [f"{joint} position" for joint in spec.joints])
        self._way = _places(names, [f"goal minus end effector {axis}" for axis in "xyz"])
        self._jacobian = tip_jacobian(robot.model, str(robot.config.end_effector), spec.joints)
        self._moved = np.array([spec.joints.index(entry.joint) for entry in spec.commands])
        self._positional = np.array([entry.interface == "position" for entry in spec.commands])
        self._farthest = _SPEED * spec.max_velocity[self._moved] / spec.control_hz
        self._middle = 0.5 * (spec.command_high + spec.command_low)
        self._half = 0.5 * (spec.command_high - spec.command_low)

    def __call__(self, observation: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The action for an observation: float32 `(n_command,)` in [-1, 1]."""
        position = observation[self._joints].astype(np.float64)
        change = self._change(position, observation[self._way].astype(np.float64))
        command = np.where(self._positional, position[self._moved] + change, change * self._spec.control_hz)
        action: npt.NDArray[np.float32] = np.clip((command - self._middle) / self._half, -1.0, 1.0).astype(np.float32)
        return action

    def _change(self, position: FloatArray, way: FloatArray) -> FloatArray:
        """How far each commanded joint goes in this control period, `(n_command,)`, rad or m.

        Args:
            position: `(n_joints,)`, rad or m.
            way: `(3,)` from the end effector to the goal, m.
        """
        at, home = position[self._moved], self._spec.home[self._moved]
        room = np.stack([self._spec.lower[self._moved] - at, self._spec.upper[self._moved] - at])
        jacobian = self._jacobian(position.tolist())[:, self._moved]
        way = way * min(1.0, _LONGEST_STEP / max(float(np.linalg.norm(way)), 1e-9))
        free = np.ones(len(at), dtype=bool)
        while True:
            change = np.where(free, _solve(jacobian * free, way, _HOMING * (home - at)), 0.0)
            change *= min(1.0, float(np.min(self._farthest / np.maximum(np.abs(change), 1e-12))))
            beyond = free & ((change < np.minimum(room[0], 0.0)) | (change > np.maximum(room[1], 0.0)))
            if not beyond.any():
                return change
            free &= ~beyond


def _solve(jacobian: FloatArray, way: FloatArray, wish: FloatArray) -> FloatArray:
    """The damped least-squares change of the joints for a way of the tip; what it leaves free follows the wish."""
    damped = jacobian.T @ np.linalg.inv(jacobian @ jacobian.T + _DAMPING**2 * np.eye(3))
    return wish + damped @ (way - jacobian @ wish)


def _places(names: list[str], wanted: list[str]) -> npt.NDArray[np.intp]:
    """Where the wanted fields stand in an observation."""
    missing = [name for name in wanted if name not in names]
    if missing:
        raise OptionError(
            f"the scripted policy needs the observation '{missing[0]}'",
            got=", ".join(names),
            remedy="Use it with the task Reach",
        )
    return np.array([names.index(name) for name in wanted])
