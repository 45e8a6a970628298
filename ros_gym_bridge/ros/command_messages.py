"""Which messages command a robot: for each distinct topic, who reads them and who writes them."""

from __future__ import annotations

from typing import Any, Protocol

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.groups import DiffDrive, JointGroup, JointTrajectory
from ros_gym_bridge.ros.joint_commands import JointStateCommands, Slot
from ros_gym_bridge.ros.number_commands import ArrayCommands, TwistCommands
from ros_gym_bridge.ros.trajectory_commands import TrajectoryCommands
from ros_gym_bridge.sim.targets import Order


class Reader(Protocol):
    """Turns a message into what is commanded, or refuses it whole."""

    kind: Any

    def __call__(self, message: Any, now_ns: int | None = None) -> Order:
        """What is commanded.

        Args:
            message: of the type `kind`.
            now_ns: the present stamp; None where the message's stamp is that of the state that it answers.

        Raises:
            CommandRefused: nothing is.
        """


def command_readers(robot: RobotFile) -> dict[str, Reader]:
    """One reader for each distinct command topic."""
    readers: dict[str, Reader] = {}
    first = 0
    for group in robot.config.actuators:
        if isinstance(group, JointTrajectory):
            readers[group.topic] = TrajectoryCommands(group.name, group.joints, group.allow_partial)
        elif isinstance(group, DiffDrive):
            readers[group.topic] = TwistCommands(first, group.stamped, group.cmd_vel_timeout_s)
        elif not group.stamped:
            readers[group.topic] = ArrayCommands(first, group.joints, group.interface)
        elif group.topic not in readers:
            readers[group.topic] = _by_name(robot, group.topic, group.nan == "hold")
        first += 2 if isinstance(group, DiffDrive) else len(group.joints)
    return readers


def _by_name(robot: RobotFile, topic: str, nan_holds: bool) -> JointStateCommands:
    groups = [g for g in robot.config.actuators if isinstance(g, JointGroup) and g.topic == topic]
    index = {entry.joint: i for i, entry in enumerate(robot.spec.commands)}
    slots = {joint: Slot(index[joint], group.interface) for group in groups for joint in group.joints}
    followers = {name: slots[m.joint].interface for name, m in robot.followers.items() if m.joint in slots}
    return JointStateCommands(slots, followers, robot.spec.joints, nan_holds)
