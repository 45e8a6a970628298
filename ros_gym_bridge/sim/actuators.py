"""Actuator groups: from the numbers of a command to PyBullet's motors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.sim.motor_plan import Motor, motors
from ros_gym_bridge.sim.robot_body import RobotBody

_Drive = Callable[[list[float]], None]


class Motors:
    """All motors of a robot. Those with the same interface are one call to PyBullet.

    Attributes:
        corrects: whether `correct_efforts` has anything to do.

    Args:
        body: the robot's.
    """

    def __init__(self, body: RobotBody) -> None:
        plan = motors(body.robot)
        self._size = len(body.robot.spec.commands)
        self._derived: list[Callable[[Sequence[float]], float]] = []
        columns = [self._column(motor) for motor in plan]
        everything = list(range(self._size + len(self._derived)))
        self._held, self._pushed = list[tuple[list[int] | None, _Drive]](), list[tuple[list[int], _Drive]]()
        for interface in dict.fromkeys(motor.interface for motor in plan):
            chosen = [i for i, motor in enumerate(plan) if motor.interface == interface]
            places, drive = [columns[i] for i in chosen], _drive(body, [plan[i] for i in chosen])
            if interface == "effort":
                self._pushed.append((places, drive))
            else:
                self._held.append((None if places == everything else places, drive))
        order = body.robot.spec.joints
        self._effort_joints = [
            (order.index(motor.joint), column)
            for motor, column in zip(plan, columns, strict=True)
            if motor.interface == "effort"
        ]
        self._followers = [order.index(name) for name in body.robot.followers if name in order]
        self.corrects = bool(self._effort_joints or self._followers)
        self._values: list[float] = []

    def _column(self, motor: Motor) -> int:
        """Where a motor finds its target: in the command, or behind it, among what is derived from it."""
        if motor.column is not None:
            return motor.column
        self._derived.append(motor.target())
        return self._size + len(self._derived) - 1

    def set(self, command: FloatArray) -> None:
        """Take `command` `(n_command,)` as the target of every motor."""
        values = self._values = command.tolist()
        if self._derived:
            values += [derive(values) for derive in self._derived]
        for columns, drive in self._held:
            drive(values if columns is None else [values[i] for i in columns])

    def push(self) -> None:
        """PyBullet forgets efforts after every physics step: say them again before the next."""
        for columns, drive in self._pushed:
            drive([self._values[i] for i in columns])

    @property
    def pushes(self) -> bool:
        """Whether `push` has anything to do."""
        return bool(self._pushed)

    def correct_efforts(self, effort: Sequence[float]) -> list[float]:
        """PyBullet reports no torque for joints in effort mode: it is what was commanded. For a follower, which has no
        motor, it reports what the last one did."""
        corrected = list(effort)
        for joint in self._followers:
            corrected[joint] = 0.0
        for joint, column in self._effort_joints:
            corrected[joint] = self._values[column]
        return corrected


def _drive(body: RobotBody, plan: Sequence[Motor]) -> _Drive:
    """The call that hands targets to PyBullet. Lists are its fastest input; a reload may give the body a new id."""
    client = body.client
    call = client.setJointMotorControlArray
    indices = [body.joint_index(motor.joint) for motor in plan]
    forces = [motor.effort for motor in plan]
    position_gains = [motor.position_gain for motor in plan]
    velocity_gains = [motor.velocity_gain for motor in plan]
    mode = {"position": client.POSITION_CONTROL, "velocity": client.VELOCITY_CONTROL, "effort": client.TORQUE_CONTROL}
    interface = plan[0].interface
    control = mode[interface]

    def position(targets: list[float]) -> None:
        call(
            body.id,
            indices,
            control,
            targetPositions=targets,
            forces=forces,
            positionGains=position_gains,
            velocityGains=velocity_gains,
        )

    def velocity(targets: list[float]) -> None:
        call(body.id, indices, control, targetVelocities=targets, forces=forces)

    def effort(targets: list[float]) -> None:
        call(body.id, indices, control, forces=targets)

    return {"position": position, "velocity": velocity, "effort": effort}[interface]
