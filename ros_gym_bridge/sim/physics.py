"""Gravity, solver and friction of a world: changed while it runs, kept through resets."""

from __future__ import annotations

from typing import Any, NamedTuple

from ros_gym_bridge.sim.frames import Vector


class Physics(NamedTuple):
    """What can be changed.

    Attributes:
        gravity: m/s^2, world frame.
        solver_iterations: of the constraint solver, in each physics step.
        friction_scale: factor on every link's coefficient of lateral friction, as its model states it.
    """

    gravity: Vector
    solver_iterations: int = 50
    friction_scale: float = 1.0


class PhysicsSettings:
    """Puts them into PyBullet, also after it was emptied.

    Attributes:
        now: what holds.

    Args:
        client: PyBullet.
        gravity: m/s^2, world frame.
    """

    def __init__(self, client: Any, gravity: Vector) -> None:
        self._client = client
        self.now = Physics(gravity)
        self._frictions: dict[int, list[float]] = {}

    def begin(self) -> None:
        """The client was emptied."""
        self._frictions = {}
        self._client.setGravity(*self.now.gravity)
        # without it contact-rich scenes are not repeated bit for bit by restoreState
        self._client.setPhysicsEngineParameter(
            deterministicOverlappingPairs=1, numSolverIterations=self.now.solver_iterations
        )

    def take(self, body: int) -> None:
        """A body was loaded."""
        links = range(-1, self._client.getNumJoints(body))
        self._frictions[body] = [self._client.getDynamicsInfo(body, link)[1] for link in links]
        if self.now.friction_scale != 1.0:
            self._scale(body)

    def drop(self, body: int) -> None:
        """A body was removed."""
        self._frictions.pop(body, None)

    def set(self, physics: Physics) -> None:
        """Apply it now. The next reset loads the world anew with it."""
        before, self.now = self.now, physics
        self._client.setGravity(*physics.gravity)
        self._client.setPhysicsEngineParameter(numSolverIterations=physics.solver_iterations)
        if physics.friction_scale != before.friction_scale:
            for body in self._frictions:
                self._scale(body)

    def _scale(self, body: int) -> None:
        for link, friction in enumerate(self._frictions[body], -1):
            self._client.changeDynamics(body, link, lateralFriction=friction * self.now.friction_scale)
