"""What a viewer is told at its start."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ViewOptions:
    """Where the robot is, and where the page goes.

    Attributes:
        namespace: absolute, or empty; relative topics and services are looked for there, and sensors below it.
        host, port: where the page is served.
        robot_description, joint_states, joint_command: topics, relative to the namespace or absolute.
        fixed_frame: the frame that stands still on the page; empty: the top of the robot's transforms.
        frame_prefix: what stands before the robot's link names in transforms; empty: nothing, or the namespace.
    """

    namespace: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    robot_description: str = "robot_description"
    joint_states: str = "joint_states"
    joint_command: str = "joint_command"
    fixed_frame: str = ""
    frame_prefix: str = ""
