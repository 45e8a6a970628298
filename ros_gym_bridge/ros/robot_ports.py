"""Everything by which one robot of a simulation speaks ROS, beside its commands."""

from __future__ import annotations

from dataclasses import dataclass

from rclpy.node import Node

from ros_gym_bridge.ros.names import under
from ros_gym_bridge.ros.publishers import (
    WORLD_FRAME,
    StatePublisher,
    TransformPublisher,
    derived_from_joint_states,
    publish_description,
)
from ros_gym_bridge.sim.simulated import SimulatedRobot
from ros_gym_bridge.world_file import PlacedRobot


@dataclass(frozen=True)
class Transforms:
    """Which transforms are published.

    Attributes:
        publish: any.
        robot_state_publisher: that node runs as well, and those that it derives are left to it.
        frame_prefix: put before every frame name.
    """

    publish: bool
    robot_state_publisher: bool
    frame_prefix: str


class RobotPorts:
    """Joint states, channels, description and transforms of one robot.

    Args:
        node: what publishes.
        placed: the robot.
        simulated: the same.
        transforms: which are published.
    """

    def __init__(self, node: Node, placed: PlacedRobot, simulated: SimulatedRobot, transforms: Transforms) -> None:
        world_frame = transforms.frame_prefix + WORLD_FRAME
        prefix = transforms.frame_prefix + under(placed.namespace, "")
        body = simulated.body
        self._simulated = simulated
        self._states = StatePublisher(node, placed, simulated, prefix, world_frame)
        left_out = derived_from_joint_states(placed.robot) if transforms.robot_state_publisher else set()
        self._transforms = TransformPublisher(node, body, world_frame, prefix, left_out) if transforms.publish else None
        self._description = publish_description(node, placed)

    def publish(self) -> None:
        """Tell everybody what the robot is doing."""
        self._states.publish()
        if self._transforms is not None:
            self._transforms.publish(self._simulated.state)

    def tell_base(self) -> None:
        """The robot's base may stand somewhere else."""
        if self._transforms is not None:
            self._transforms.tell_base()
