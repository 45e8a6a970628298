"""Joints that move by dynamics of their own, for `robot_driver.py`. Plain numpy; nothing of this package, no ROS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

INTERFACES = ("position", "velocity", "effort")
POSITION, VELOCITY, EFFORT = range(3)
_STEP_S = 0.001
_BRAKE_S = 0.01


@dataclass(frozen=True)
class Joint:
    """One joint of the driver's file, rad or m.

    Attributes:
        interfaces: what its hardware measures; the rest is NaN.
        lag_s: time constant of its drive; 0 follows at once.
        order: of the way in which it follows a position: 1 (a lag) or 2 (critically damped).
        coulomb, viscous: friction, N m and N m s (or N, N s/m); one that is stronger than the motor holds the joint.
        inertia: kg m² or kg.
        backlash: play between motor and joint.
        lower, upper, max_velocity, max_acceleration: what the hardware bears; beyond, it faults.
    """

    name: str
    start: float = 0.0
    interfaces: tuple[str, ...] = INTERFACES
    lag_s: float = 0.02
    order: int = 2
    coulomb: float = 0.0
    viscous: float = 0.0
    inertia: float = 1.0
    backlash: float = 0.0
    lower: float = -math.inf
    upper: float = math.inf
    max_velocity: float = math.inf
    max_acceleration: float = math.inf

    @staticmethod
    def of(values: dict[str, Any]) -> Joint:
        """From a file's mapping; null keeps the default."""
        unknown = set(values) - {field.name for field in fields(Joint)}
        if unknown:
            raise ValueError(f"unknown keys of a joint: {sorted(unknown)}")
        return Joint(**{key: value for key, value in values.items() if value is not None})


class Plant:
    """All joints of a robot.

    Attributes:
        names: in the order of every array.
        target, mode: `(n,)` what each is told, and as which interface (an index into `INTERFACES`).
        fault: what the hardware stopped for; empty while all is well.
        stuck: name of a joint that does not move whatever it is told; empty: none.
    """

    def __init__(self, joints: Sequence[Joint]) -> None:
        self.names = [joint.name for joint in joints]

        def column(name: str) -> Array:
            return np.array([float(getattr(joint, name)) for joint in joints])

        self._lag_s, self._order = np.maximum(column("lag_s"), 1e-9), column("order")
        self._coulomb, self._viscous, self._inertia = column("coulomb"), column("viscous"), column("inertia")
        self._play = 0.5 * column("backlash")
        self._lower, self._upper = column("lower"), column("upper")
        self._max_velocity, self._max_acceleration = column("max_velocity"), column("max_acceleration")
        self._measured = np.array([[name in joint.interfaces for joint in joints] for name in INTERFACES])
        self._motor = column("start")
        self._speed = np.zeros(len(joints))
        self._force = np.zeros(len(joints))
        self._outer, self._outer_speed = self._motor.copy(), self._speed.copy()
        self.target, self.mode = self._motor.copy(), np.full(len(joints), POSITION)
        self.fault, self.stuck = "", ""

    def measured(self) -> Array:
        """`(3, n)` position, velocity and effort as sensors on the joints tell them; NaN where there is none."""
        values = np.stack([self._outer, self._outer_speed, self._force])
        return np.where(self._measured, values, math.nan)

    def index(self, name: str) -> int:
        """Of a joint."""
        return self.names.index(name)

    def hold(self) -> None:
        """Forget all commands; every joint holds where it is."""
        self.target, self.mode = self._motor.copy(), np.full(len(self.names), POSITION)

    def stop(self, fault: str) -> None:
        """The hardware stops and stays so."""
        self.fault = self.fault or fault

    def clear(self) -> None:
        """Go on after a fault, from where the joints are."""
        self.fault = ""
        self._speed[:] = 0.0
        self.hold()

    def step(self, seconds: float) -> None:
        """Move for a piece of time, at most a few milliseconds."""
        steps = max(1, math.ceil(seconds / _STEP_S))
        for _ in range(steps):
            self._step(seconds / steps)

    def _step(self, h: float) -> None:
        before = self._speed
        speed = before / (1.0 + h / _BRAKE_S) if self.fault else self._driven(h)
        grip = self._coulomb * h / self._inertia
        speed = np.sign(speed) * np.maximum(np.abs(speed) - grip, 0.0)
        if self.stuck:
            speed[self.index(self.stuck)] = 0.0
        self._motor = self._motor + h * speed
        self._speed, acceleration = speed, (speed - before) / h
        self._force = np.where(self.mode == EFFORT, self.target, self._inertia * acceleration)
        outer = np.clip(self._outer, self._motor - self._play, self._motor + self._play)
        self._outer_speed, self._outer = (outer - self._outer) / h, outer
        if not self.fault:
            self._check(acceleration)

    def _driven(self, h: float) -> Array:
        """Speeds a moment later, damping taken implicitly so that no lag is too short for the step."""
        error, lag = self.target - self._motor, self._lag_s
        first = error * -np.expm1(-h / lag) / h
        second = (self._speed + h * error / lag**2) / (1.0 + 2.0 * h / lag)
        follow = np.where(self._order == 1, first, second)
        turn = (self._speed + h / lag * self.target) / (1.0 + h / lag)
        push = (self._speed + h * self.target / self._inertia) / (1.0 + h * self._viscous / self._inertia)
        return np.where(self.mode == POSITION, follow, np.where(self.mode == VELOCITY, turn, push))

    def _check(self, acceleration: Array) -> None:
        for what, value, low, high in (
            ("position", self._motor, self._lower, self._upper),
            ("velocity", self._speed, -self._max_velocity, self._max_velocity),
            ("acceleration", acceleration, -self._max_acceleration, self._max_acceleration),
        ):
            beyond = ~((value >= low - 1e-9) & (value <= high + 1e-9))
            if beyond.any():
                i = int(np.argmax(beyond))
                self.stop(f"{what} limit of {self.names[i]}: {value[i]:.4g} beyond [{low[i]:.4g}, {high[i]:.4g}]")
                return
