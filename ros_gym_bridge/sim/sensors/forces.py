"""Forces: what a joint carries, and what touches a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ros_gym_bridge.channels import ForceTorque
from ros_gym_bridge.geometry import matrix
from ros_gym_bridge.mounts import Mount
from ros_gym_bridge.robot import FloatArray
from ros_gym_bridge.sim.robot_body import RobotBody
from ros_gym_bridge.sim.sensors.errors import Errors
from ros_gym_bridge.sim.sensors.reader import Values, frozen
from ros_gym_bridge.sim.sensors.spot import Spot

_SIZES: Mapping[str, int] = {"force": 3, "torque": 3}


def _wrench(force: FloatArray, torque: FloatArray, errors: Errors) -> Values:
    return (frozen(np.concatenate([force + errors("force", (3,)), torque + errors("torque", (3,))])),)


class ForceTorqueReader:
    """`force_torque`: force (N) and torque (N m) of a joint's child on its parent, in the sensor's frame, `(6,)`.

    PyBullet tells what the parent does to the child, about the child's centre of mass and along the axes of its
    inertia, and leaves out the torque of a motor that holds a target, which it tells beside.

    Args:
        body: the robot.
        channel: what it is.
        mount: where it sits on the child link.
    """

    sizes: ClassVar[Mapping[str, int]] = _SIZES

    def __init__(self, body: RobotBody, channel: ForceTorque, mount: Mount) -> None:
        self._body = body
        self._index = body.joint_index(channel.joint)
        centre, principal = body.client.getDynamicsInfo(body.id, self._index)[3:5]
        axes = matrix(mount.rotation)
        self._turn = axes.T @ matrix(principal)  # into the sensor's frame
        self._arm = axes.T @ (np.array(centre) - mount.position)
        joint = body.robot.model.joint(channel.joint)
        along = np.zeros(3) if joint.type == "fixed" else axes.T @ np.array(joint.axis)
        nothing = np.zeros(3)
        sliding = joint.type == "prismatic"
        self._push: FloatArray = along if sliding else nothing
        self._twist: FloatArray = nothing if sliding else along

    def __call__(self, errors: Errors, fresh: bool) -> Values:
        """See `Reader`."""
        _, _, reaction, motor = self._body.client.getJointState(self._body.id, self._index)
        if fresh:
            return _wrench(np.zeros(3), np.zeros(3), errors)
        force = self._turn @ reaction[:3] + motor * self._push
        torque = self._turn @ reaction[3:] + motor * self._twist + np.cross(self._arm, force)
        return _wrench(-force, -torque, errors)


class ContactReader:
    """`contact`: force (N) and torque (N m) of everything that touches a link, in the sensor's frame, `(6,)`.

    Args:
        body: the robot.
        mount: where the sensor sits.
        spot: the same in the world.
    """

    sizes: ClassVar[Mapping[str, int]] = _SIZES

    def __init__(self, body: RobotBody, mount: Mount, spot: Spot) -> None:
        self._body, self._index, self._spot = body, body.link_index(mount.link), spot

    def __call__(self, errors: Errors, fresh: bool) -> Values:
        """See `Reader`."""
        force, torque = np.zeros(3), np.zeros(3)
        touches = () if fresh else self._touches()
        if touches:
            origin, _, axes = self._spot.pose()
            forces = np.array([push for _, push in touches])
            arms = np.array([place for place, _ in touches]) - origin
            force, torque = forces.sum(axis=0) @ axes, np.cross(arms, forces).sum(axis=0) @ axes
        return _wrench(force, torque, errors)

    def _touches(self) -> list[tuple[Any, FloatArray]]:
        """Where, and with which force on the link; world frame.

        All contacts are looked at: asked for those of one body, PyBullet turns normals towards it, but not frictions.
        """
        mine = (self._body.id, self._index)
        found = []
        for point in self._body.client.getContactPoints() or ():
            if mine in ((point[1], point[3]), (point[2], point[4])):
                push = point[9] * np.array(point[7]) + point[10] * np.array(point[11]) + point[12] * np.array(point[13])
                first = (point[1], point[3]) == mine
                found.append((point[5] if first else point[6], push if first else -push))
        return found
