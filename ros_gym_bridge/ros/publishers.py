"""Everything that the simulation node publishes about the robot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.kinematics import joint_transform
from ros_gym_bridge.model import Joint, description
from ros_gym_bridge.mounts import mount
from ros_gym_bridge.robot import RobotState
from ros_gym_bridge.ros import messages, qos
from ros_gym_bridge.ros.names import under
from ros_gym_bridge.ros.odometry import OdometryPublisher
from ros_gym_bridge.ros.sensor_publisher import ChannelPublisher
from ros_gym_bridge.sim.robot_body import RobotBody
from ros_gym_bridge.sim.simulated import SimulatedRobot
from ros_gym_bridge.world_file import PlacedRobot

WORLD_FRAME = "world"


class StatePublisher:
    """`joint_states` and the channels of one robot, stamped with the state's stamp.

    Args:
        node: what publishes.
        placed: the robot.
        simulated: the same; its cameras draw while somebody looks.
        prefix: put before the names of its frames.
        world_frame: name of the frame `world`.
    """

    def __init__(
        self, node: Node, placed: PlacedRobot, simulated: SimulatedRobot, prefix: str, world_frame: str
    ) -> None:
        robot = placed.robot
        self._message = JointState(name=list(robot.spec.joints))
        topic = under(placed.namespace, robot.config.joint_states.topic)
        self._joints = node.create_publisher(JointState, topic, qos.JOINT_STATES)
        self._channels = {
            channel.name: ChannelPublisher(node, placed, channel, prefix, world_frame)
            for channel in robot.config.sensors
        }
        self._odometry = [OdometryPublisher(node, placed, drive, prefix) for drive in robot.config.drives]
        self._simulated = simulated
        self._stamp_ns = 0
        simulated.sensors.wanted = lambda name: self._channels[name].heard

    def publish(self) -> None:
        """Tell everybody the robot's state."""
        self._simulated.catch_up()
        state = self._simulated.state
        self._joints.publish(messages.fill_joint_state(self._message, state))
        again = state.stamp_ns == self._stamp_ns
        unseen = self._simulated.sensors.unseen
        for name, channel in self._channels.items():
            if name not in unseen:  # whoever comes right now would get an old picture
                channel.publish(state, again)
        for odometry in self._odometry:
            odometry.publish(state)
        self._stamp_ns = state.stamp_ns


class ClockPublisher:
    """`/clock`.

    Args:
        node: what publishes.
    """

    def __init__(self, node: Node) -> None:
        self._publisher = node.create_publisher(Clock, "/clock", qos.CLOCK)
        self._message = Clock()

    def publish(self, stamp_ns: int) -> None:
        """Tell the time, nanoseconds."""
        self._message.clock = messages.to_time(stamp_ns)
        self._publisher.publish(self._message)


def publish_description(node: Node, placed: PlacedRobot) -> Publisher:
    """`robot_description`, latched: the URDF with meshes as `file://` URIs."""
    publisher = node.create_publisher(String, under(placed.namespace, "robot_description"), qos.LATCHED)
    publisher.publish(String(data=description(placed.robot.model)))
    return publisher


def derived_from_joint_states(robot: RobotFile) -> set[Joint]:
    """The joints whose transforms robot_state_publisher publishes: the fixed ones, those that `joint_states` names,
    and those that follow one of these (`mimic`)."""
    named = set(robot.spec.joints)
    return {
        joint
        for joint in robot.model.joints
        if joint.type == "fixed" or joint.name in named or (joint.mimic and joint.mimic.joint in named)
    }


class TransformPublisher:
    """`/tf` for joints that move, `/tf_static` for those that do not and for sensors with frames of their own, from the
    frame `world` down to every link. Above a robot that tells odometry stands the frame of that: it is where the robot
    started, and where the robot is in it is what the odometry says.

    Args:
        node: what publishes.
        body: the robot as it is simulated.
        world_frame: name of the frame `world`.
        frame_prefix: put before the names of all other frames.
        left_out: joints whose transforms somebody else publishes.
    """

    def __init__(
        self, node: Node, body: RobotBody, world_frame: str, frame_prefix: str, left_out: Collection[Joint] = ()
    ) -> None:
        self._positions, self._base, self._prefix = body.movable_positions, body.base_pose, frame_prefix
        self._world_frame, self._left_out = world_frame, left_out
        robot = body.robot
        self._drive = next((drive for drive in robot.config.drives if drive.enable_odom_tf), None)
        self._start = body.base_pose()
        movable = [joint for joint in robot.model.movable if joint not in left_out]
        self._moving = [(joint, self._frame(joint.parent, joint.child)) for joint in movable]
        self._floating = None if robot.config.model.fixed_base else self._base_frame(robot)
        self._publisher = node.create_publisher(TFMessage, "/tf", qos.TRANSFORMS)
        self._static = node.create_publisher(TFMessage, "/tf_static", qos.LATCHED)
        self._robot = robot
        extra = [self._floating] if self._floating is not None else []
        self._message = TFMessage(transforms=[*extra, *(transform for _, transform in self._moving)])
        self._told: list[TransformStamped] = []
        self.tell_base()

    def tell_base(self) -> None:
        """Tell the transforms that do not change with time, again when the base was put somewhere else."""
        fixed = self._fixed_transforms(self._robot)
        if fixed != self._told:
            self._told = fixed
            self._static.publish(TFMessage(transforms=fixed))

    def publish(self, state: RobotState) -> None:
        """All moving transforms at the state's stamp."""
        if not self._message.transforms:
            return
        stamp = messages.to_time(state.stamp_ns)
        positions = self._positions()
        for joint, transform in self._moving:
            transform.header.stamp = stamp
            _set(transform, *joint_transform(joint, positions[joint.name]))
        if self._floating is not None:
            self._floating.header.stamp = stamp
            _set(self._floating, *self._base_pose(state))
        self._publisher.publish(self._message)

    def _base_pose(self, state: RobotState) -> tuple[Sequence[float], Sequence[float]]:
        if self._drive is None:
            return self._base()
        pose = state.channels[self._drive.odometry].value.tolist()
        return pose[:3], pose[3:7]

    def _fixed_transforms(self, robot: RobotFile) -> list[TransformStamped]:
        movable: set[Joint] = set(robot.model.movable)
        transforms = []
        if robot.config.model.fixed_base:
            transforms.append(_set(self._under_world(robot.model.root), *self._base()))
        elif self._drive is not None:
            transforms.append(_set(self._under_world(self._drive.odom_frame_id), *self._start))
        for joint in robot.model.joints:
            if joint not in movable and joint not in self._left_out:
                transforms.append(_set(self._frame(joint.parent, joint.child), *joint_transform(joint, 0.0)))
        mounts = {place.frame: place for place in (mount(c, robot.model) for c in robot.config.sensors) if place.own}
        for frame, place in mounts.items():
            transforms.append(_set(self._frame(place.link, frame), place.position, place.rotation))
        return transforms

    def _base_frame(self, robot: RobotFile) -> TransformStamped:
        if self._drive is not None:
            return self._frame(self._drive.odom_frame_id, robot.model.root)
        return self._under_world(robot.model.root)

    def _under_world(self, child: str) -> TransformStamped:
        transform = self._frame("", child)
        transform.header.frame_id = self._world_frame
        return transform

    def _frame(self, parent: str, child: str) -> TransformStamped:
        transform = TransformStamped(child_frame_id=self._prefix + child)
        transform.header.frame_id = self._prefix + parent
        return transform


def _set(transform: TransformStamped, translation: Any, rotation: Any) -> TransformStamped:
    place, turn = transform.transform.translation, transform.transform.rotation
    place.x, place.y, place.z = translation
    turn.x, turn.y, turn.z, turn.w = rotation
    return transform
