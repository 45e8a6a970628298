"""A robot's body in a PyBullet world: its joints and links by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ros_gym_bridge.channels import ForceTorque
from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.sim.frames import Pose
from ros_gym_bridge.sim.motor_plan import motors

_GEAR_ERROR = 0.2  # share of a follower's error in position that its gear takes away in a physics step
_GEAR_FORCE = 1e4  # N or N m; more than any motor


class RobotBody:
    """One robot in a world. A gear couples each joint that follows another (<mimic>) to its leader: whatever pushes
    either, they move together, and the leader's motor drives both.

    Attributes:
        robot: its file.
        client: the PyBullet client that it lives in.
        id: of the body; a reload may give it another.
        joint_indices: PyBullet's, in the order of the robot file.

    Args:
        client: as above.
        robot: as above.
        body_pose: tells the pose of a body's root link in the world frame.
    """

    def __init__(self, client: Any, robot: RobotFile, body_pose: Callable[[int], Pose]) -> None:
        self.client, self.robot = client, robot
        self.id = -1
        self._body_pose = body_pose
        self._get_joint_states = client.getJointStates
        self._felt = [channel.joint for channel in robot.config.channels if isinstance(channel, ForceTorque)]

    def take(self, body: int) -> None:
        """The robot was loaded as this body: find its joints and links, put it at home, motors off.

        Raises:
            ModelError: PyBullet's joints are not those of the URDF.
        """
        self.id = body
        self._index_joints()
        self._couple_followers()
        for joint in self._felt:
            self.client.enableJointForceTorqueSensor(body, self.joint_index(joint), 1)
        self.quiet_motors()
        self.set_joints(self.robot.spec.home.tolist(), [0.0] * len(self.joint_indices))

    def _index_joints(self) -> None:
        infos = [self.client.getJointInfo(self.id, i) for i in range(self.client.getNumJoints(self.id))]
        self._index = {info[1].decode(): info[0] for info in infos}
        held = {motor.joint for motor in motors(self.robot) if motor.interface != "effort"}
        fixed = self.client.JOINT_FIXED
        self._free = {info[0]: info[7] for info in infos if info[2] != fixed and info[1].decode() not in held}
        self._links = {info[12].decode(): info[0] for info in infos}
        self._links[self.robot.model.root] = -1
        missing = [name for name in self.robot.spec.joints if name not in self._index]
        if missing:
            raise ModelError(
                f"{self.robot.model.path}: PyBullet did not load joint '{missing[0]}'", got=", ".join(self._index)
            )
        self.joint_indices = [self._index[name] for name in self.robot.spec.joints]

    def _couple_followers(self) -> None:
        """PyBullet ignores <mimic>. Its gear holds `position + ratio * position of the other = target`."""
        gear = self.client.JOINT_GEAR
        self._followers = []
        for name, mimic in self.robot.followers.items():
            follower, leader = self._index[name], self._index[mimic.joint]
            axis, middle = (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)
            constraint = self.client.createConstraint(self.id, follower, self.id, leader, gear, axis, middle, middle)
            self.client.changeConstraint(
                constraint,
                gearRatio=-mimic.multiplier,
                relativePositionTarget=mimic.offset,
                erp=_GEAR_ERROR,
                maxForce=_GEAR_FORCE,
            )
            self._followers.append((follower, mimic))

    def quiet_motors(self) -> None:
        """PyBullet starts with a motor on every joint. On those that hold no target, what remains of it is the friction
        that the URDF states."""
        indices, frictions = list(self._free), list(self._free.values())
        if indices:
            zeros = [0.0] * len(indices)
            mode = self.client.VELOCITY_CONTROL
            self.client.setJointMotorControlArray(self.id, indices, mode, targetVelocities=zeros, forces=frictions)

    def set_joints(self, positions: Sequence[float], velocities: Sequence[float]) -> None:
        """Put the joints, in the robot file's order, where they are told to be (rad or m, rad/s or m/s). Those that
        follow another one go where that says."""
        reset = self.client.resetJointState
        for index, position, velocity in zip(self.joint_indices, positions, velocities, strict=True):
            reset(self.id, index, position, velocity)
        for index, mimic in self._followers:
            position, velocity = self.client.getJointState(self.id, self._index[mimic.joint])[:2]
            reset(self.id, index, mimic.multiplier * position + mimic.offset, mimic.multiplier * velocity)

    def joint_states(self) -> Any:
        """PyBullet's `(position, velocity, reaction forces, motor torque)` of every joint, in the robot file's
        order."""
        return self._get_joint_states(self.id, self.joint_indices)

    def movable_positions(self) -> dict[str, float]:
        """Position (rad or m) of every movable joint of the model by name, also of those that the robot file leaves
        out."""
        indices = [self._index[joint.name] for joint in self.robot.model.movable]
        states = self._get_joint_states(self.id, indices)
        return {joint.name: state[0] for joint, state in zip(self.robot.model.movable, states, strict=True)}

    def base_pose(self) -> Pose:
        """Pose of the robot's root link in the world frame."""
        return self._body_pose(self.id)

    def joint_index(self, name: str) -> int:
        """PyBullet's index of a joint."""
        return int(self._index[name])

    def link_index(self, name: str) -> int:
        """PyBullet's index of a link; -1 for the root link."""
        return int(self._links[name])

    def link_pose(self, link: str) -> Pose:
        """Position (m) and orientation (quaternion x y z w) of a link's frame in the world frame."""
        index = self._links[link]
        if index < 0:
            return self._body_pose(self.id)
        state = self.client.getLinkState(self.id, index, computeForwardKinematics=1)
        return state[4], state[5]
