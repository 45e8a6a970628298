"""Actuator groups: from the numbers of a command to PyBullet's motors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.schema import ActuatorGroup
from ros_gym_bridge.sim.robot_body import RobotBody

_Drive = Callable[[list[float]], None]


class Motors:
    """All actuator groups of a robot. Groups with the same interface are one call to PyBullet.

    Args:
        body: the robot's.
    """

    def __init__(self, body: RobotBody) -> None:
        groups = body.robot.config.actuators
        joints = [(group, name) for group in groups for name in group.joints]
        columns = {
            interface: [i for i, (group, _) in enumerate(joints) if group.interface == interface]
            for interface in dict.fromkeys(group.interface for group in groups)
        }
        drives = {interface: _drive(body, [joints[i] for i in columns[interface]]) for interface in columns}
        self._held = [(columns[name], drives[name]) for name in columns if name != "effort"]
        self._pushed = [(columns[name], drives[name]) for name in columns if name == "effort"]
        order = body.robot.spec.joints
        self._effort_joints = [(order.index(joints[i][1]), i) for i in columns.get("effort", [])]
        self._values: list[float] = []

    def set(self, command: FloatArray) -> None:
        """Take `command` `(n_command,)` as the target of every motor."""
        values = self._values = command.tolist()
        for columns, drive in self._held:
            drive(values if len(columns) == len(values) else [values[i] for i in columns])

    def push(self) -> None:
        """PyBullet forgets efforts after every physics step: say them again before the next."""
        for columns, drive in self._pushed:
            drive([self._values[i] for i in columns])

    @property
    def pushes(self) -> bool:
        """Whether `push` has anything to do."""
        return bool(self._pushed)

    def correct_efforts(self, effort: Sequence[float]) -> list[float]:
        """PyBullet reports no torque for joints in effort mode: it is what was commanded."""
        corrected = list(effort)
        for joint, column in self._effort_joints:
            corrected[joint] = self._values[column]
        return corrected


def _drive(body: RobotBody, joints: Sequence[tuple[ActuatorGroup, str]]) -> _Drive:
    """The call that hands targets to PyBullet. Lists are its fastest input; a reload may give the body a new id."""
    client, spec = body.client, body.robot.spec
    call = client.setJointMotorControlArray
    indices = [body.joint_index(name) for _, name in joints]
    forces = [float(spec.max_effort[spec.joints.index(name)]) for _, name in joints]
    position_gains = [group.position_gain for group, _ in joints]
    velocity_gains = [group.velocity_gain for group, _ in joints]
    mode = {"position": client.POSITION_CONTROL, "velocity": client.VELOCITY_CONTROL, "effort": client.TORQUE_CONTROL}
    interface = joints[0][0].interface
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
