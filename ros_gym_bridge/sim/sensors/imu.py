"""The inertial measurement unit (REP 145)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ros_gym_bridge.channels import Imu
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.sim.sensors.errors import Errors
from ros_gym_bridge.sim.sensors.poses import turned
from ros_gym_bridge.sim.sensors.reader import Values, frozen
from ros_gym_bridge.sim.sensors.spot import Motion, Spot

_LEVEL = (0.0, 0.0, 0.0, 1.0)


class ImuReader:
    """`imu`: quaternion in the world frame, angular velocity (rad/s) and specific force (m/s²) in the sensor's,
    `(10,)`.

    The acceleration is the change of the sensor's velocity over the last physics step: what pushed it, contacts too. It
    is turned into the frame half-way between the two orientations, in which it is right to the second order.

    Args:
        spot: where it is.
        channel: what it is.
        client: PyBullet.
        step_s: seconds of a physics step.
    """

    sizes: ClassVar[Mapping[str, int]] = {"rotation": 3, "angular_velocity": 3, "linear_acceleration": 3}

    def __init__(self, spot: Spot, channel: Imu, client: Any, step_s: float) -> None:
        self._spot, self._orientation, self._step_s = spot, channel.orientation, step_s
        self._engine = client.getPhysicsEngineParameters
        self._before: Motion | None = None

    def note(self) -> None:
        """One physics step is left until the sensor is read."""
        self._before = self._spot.motion()

    def __call__(self, errors: Errors, fresh: bool) -> Values:
        """See `Reader`."""
        now = self._spot.motion()
        before, self._before = self._before, None
        force = self._specific_force(now, now if fresh or before is None else before)
        rotation = turned(now.rotation, errors) if self._orientation else _LEVEL
        rate = now.angular @ now.axes + errors("angular_velocity", (3,))
        return (frozen(np.concatenate([rotation, rate, force + errors("linear_acceleration", (3,))])),)

    def _specific_force(self, now: Motion, before: Motion) -> FloatArray:
        parameters = self._engine()
        gravity = [parameters[f"gravityAcceleration{axis}"] for axis in "XYZ"]
        force = (now.linear - before.linear) / self._step_s - gravity
        felt: FloatArray = 0.5 * (force @ now.axes + force @ before.axes)
        return felt
