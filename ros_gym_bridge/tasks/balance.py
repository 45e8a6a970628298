"""Balance: keep the pole of a cart upright."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.robot import RobotState
from ros_gym_bridge.tasks.base import Evaluation, Field, Marker

_FALLEN = math.radians(12.0)


class Balance:
    """Keep a pole upright on a cart that can be pushed along a rail.

    Reward 1 for each step with the pole within 12 degrees of upright and the cart within 2.4 m of the middle, and 0
    for the step that leaves these bounds, which terminates the episode. `success`: the bounds hold. The bounds are
    those of Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control
    problems", 1983.

    Args:
        robot: a robot file with a slide and a free-swinging pole that stands upright at 0 rad.
        cart: name of the slide.
        pole: name of the pole's joint.

    Raises:
        RobotFileError: the robot has no such joints.
    """

    default_robot: ClassVar[str] = "cartpole"
    time_limit_s: ClassVar[float] = 10.0

    def __init__(self, robot: RobotFile, cart: str = "slider_to_cart", pole: str = "cart_to_pole") -> None:
        spec = robot.spec
        for name in (cart, pole):
            if name not in spec.joints:
                raise RobotFileError(
                    f"{robot.path}: Balance needs the joint '{name}'",
                    got=", ".join(spec.joints),
                    remedy="Use the robot 'cartpole', or name the joints with cart= and pole=",
                )
        self._cart, self._pole = spec.joints.index(cart), spec.joints.index(pole)
        self._edge = 2.4
        speeds = spec.max_velocity[[self._cart, self._pole]].tolist()
        self.fields: tuple[Field, ...] = (
            Field("cart position", "m", -2.0 * self._edge, 2.0 * self._edge),
            Field("cart velocity", "m/s", -2.0 * speeds[0], 2.0 * speeds[0]),
            Field("pole angle", "rad", -math.pi, math.pi),
            Field("pole angular velocity", "rad/s", -2.0 * speeds[1], 2.0 * speeds[1]),
        )

    def begin(self, state: RobotState, rng: np.random.Generator) -> None:
        """Nothing to draw: the start is the robot's own."""

    def evaluate(self, state: RobotState) -> Evaluation:
        """See the class for observation, reward and end."""
        position, velocity = state.position.tolist(), state.velocity.tolist()
        angle = math.remainder(position[self._pole], 2.0 * math.pi)
        cart = position[self._cart]
        upright = abs(angle) <= _FALLEN and abs(cart) <= self._edge
        observation = (cart, velocity[self._cart], angle, velocity[self._pole])
        return Evaluation(observation, 1.0 if upright else 0.0, not upright, {"success": upright})

    def markers(self) -> Sequence[Marker]:
        """Nothing."""
        return ()
