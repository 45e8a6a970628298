"""Publishes the odometry of drives."""

from __future__ import annotations

from nav_msgs.msg import Odometry
from rclpy.node import Node

from ros_gym_bridge.groups import DiffDrive
from ros_gym_bridge.robot import RobotState
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.names import under
from ros_gym_bridge.ros.sensor_messages import fill_odometry
from ros_gym_bridge.world_file import PlacedRobot


class OdometryPublisher:
    """`nav_msgs/Odometry` of one drive, with every state.

    Args:
        node: what publishes.
        placed: the robot.
        drive: of its file.
        prefix: put before the names of its frames.
    """

    def __init__(self, node: Node, placed: PlacedRobot, drive: DiffDrive, prefix: str) -> None:
        self._name = drive.odometry
        self._message = Odometry(child_frame_id=prefix + placed.robot.model.root)
        self._message.header.frame_id = prefix + drive.odom_frame_id
        self._message.pose.covariance[::7] = drive.pose_covariance_diagonal
        self._message.twist.covariance[::7] = drive.twist_covariance_diagonal
        self._publisher = node.create_publisher(Odometry, under(placed.namespace, drive.odom_topic), qos.SENSORS)

    def publish(self, state: RobotState) -> None:
        """Tell where the robot believes to be."""
        self._publisher.publish(fill_odometry(self._message, state.channels[self._name]))
