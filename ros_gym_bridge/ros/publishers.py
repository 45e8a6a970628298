"""Everything that the simulation node publishes about the robot."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from geometry_msgs.msg import PoseStamped, TransformStamped
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.kinematics import joint_transform
from ros_gym_bridge.model import Joint, description
from ros_gym_bridge.robot import RobotState, Sample
from ros_gym_bridge.ros import messages, qos
from ros_gym_bridge.schema import Channel

WORLD_FRAME = "world"


class StatePublisher:
    """`joint_states`, the channels, and `/clock`, all stamped with the state's stamp.

    Args:
        node: what publishes.
        robot: the robot file.
        clock: publish `/clock`.
        frame_prefix: put before every frame name.
    """

    def __init__(self, node: Node, robot: RobotFile, clock: bool, frame_prefix: str) -> None:
        self._message = JointState(name=list(robot.spec.joints))
        self._joints = node.create_publisher(JointState, robot.config.joint_states.topic, qos.JOINT_STATES)
        self._channels = [(channel.name, _channel(node, channel, frame_prefix)) for channel in robot.config.channels]
        self._clock = node.create_publisher(Clock, "/clock", qos.CLOCK) if clock else None
        self._time = Clock()
        self.published = 0

    def publish(self, state: RobotState) -> None:
        """Tell everybody. A channel's sample keeps the stamp of its reading."""
        self._joints.publish(messages.fill_joint_state(self._message, state))
        for name, publish in self._channels:
            publish(state.channels[name])
        if self._clock is not None:
            self._time.clock = self._message.header.stamp
            self._clock.publish(self._time)
        self.published += 1


def _channel(node: Node, channel: Channel, frame_prefix: str) -> Callable[[Sample], None]:
    publisher = node.create_publisher(PoseStamped, channel.topic, qos.SENSORS)
    message = PoseStamped()
    message.header.frame_id = frame_prefix + WORLD_FRAME

    def publish(sample: Sample) -> None:
        publisher.publish(messages.fill_pose(message, sample))

    return publish


def publish_description(node: Node, robot: RobotFile) -> Any:
    """`robot_description`, latched: the URDF with meshes as `file://` URIs."""
    publisher = node.create_publisher(String, "robot_description", qos.LATCHED)
    publisher.publish(String(data=description(robot.model)))
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
    """`/tf` for joints that move, `/tf_static` for those that do not, from the frame `world` down to every link.

    Args:
        node: what publishes.
        robot: the robot file.
        positions: tells the position of every movable joint by name, rad or m.
        base: tells the pose of the root link in the world frame, position (m) and quaternion x y z w.
        frame_prefix: put before every frame name.
        left_out: joints whose transforms somebody else publishes.
    """

    def __init__(
        self,
        node: Node,
        robot: RobotFile,
        positions: Callable[[], dict[str, float]],
        base: Callable[[], tuple[Any, Any]],
        frame_prefix: str,
        left_out: Collection[Joint] = (),
    ) -> None:
        self._positions, self._base, self._prefix = positions, base, frame_prefix
        self._left_out = left_out
        movable = [joint for joint in robot.model.movable if joint not in left_out]
        self._moving = [(joint, self._frame(joint.parent, joint.child)) for joint in movable]
        self._floating = None if robot.config.model.fixed_base else self._frame(WORLD_FRAME, robot.model.root)
        self._publisher = node.create_publisher(TFMessage, "/tf", qos.TRANSFORMS)
        self._static = node.create_publisher(TFMessage, "/tf_static", qos.LATCHED)
        self._fixed = self._fixed_transforms(robot)
        extra = [self._floating] if self._floating is not None else []
        self._message = TFMessage(transforms=[*extra, *(transform for _, transform in self._moving)])
        if self._fixed:
            self._static.publish(TFMessage(transforms=self._fixed))

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
            _set(self._floating, *self._base())
        self._publisher.publish(self._message)

    def _fixed_transforms(self, robot: RobotFile) -> list[TransformStamped]:
        movable: set[Joint] = set(robot.model.movable)
        transforms = []
        if robot.config.model.fixed_base:
            transforms.append(_set(self._frame(WORLD_FRAME, robot.model.root), *self._base()))
        for joint in robot.model.joints:
            if joint not in movable and joint not in self._left_out:
                transforms.append(_set(self._frame(joint.parent, joint.child), *joint_transform(joint, 0.0)))
        return transforms

    def _frame(self, parent: str, child: str) -> TransformStamped:
        transform = TransformStamped(child_frame_id=self._prefix + child)
        transform.header.frame_id = self._prefix + parent
        return transform


def _set(transform: TransformStamped, translation: Any, rotation: Any) -> TransformStamped:
    place, turn = transform.transform.translation, transform.transform.rotation
    place.x, place.y, place.z = translation
    turn.x, turn.y, turn.z, turn.w = rotation
    return transform
