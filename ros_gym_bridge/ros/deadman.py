"""The safety node's deadman: a process that does one thing, stop the robot when the safety node falls silent.

A controller that keeps its last command for ever (ros2_control's `forward_command_controller` does) would let the robot
run on when the safety node is killed. The safety node writes a byte to the standard input of this process at every beat
of its heart. Without beats it publishes what stops, again and again, until they come again or for three seconds after
the safety node's end. Only then does it get publishers: nobody has a second one to wonder about. Then it ends, and a
safety node that had only been hanging starts another one.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from geometry_msgs.msg import Twist, TwistStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from ros_gym_bridge.config import RobotFile, load_robot
from ros_gym_bridge.groups import DiffDrive
from ros_gym_bridge.groups import JointTrajectory as TrajectoryGroup
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.session import Session, open_session

NODE_NAME = "safety_deadman"

_QUIT = b"q"
_SILENCE_S = 1.0
_AGAIN_S = 0.05
_LAST_S = 3.0  # after the end of the safety node
_READY_S = 20.0  # Python starts; on a busy machine that takes a while


def stops(robot: RobotFile) -> list[tuple[str, Any]]:
    """For each command topic what brings to rest, without knowing where the robot is: velocities and efforts are 0, a
    trajectory ends, and positions are left as they are, since they lead nowhere else."""
    messages: list[tuple[str, Any]] = []
    named: dict[str, JointState] = {}
    for group in robot.config.actuators:
        if isinstance(group, DiffDrive):
            messages.append((group.topic, TwistStamped() if group.stamped else Twist()))
        elif isinstance(group, TrajectoryGroup):
            messages.append((group.topic, JointTrajectory(joint_names=list(group.joints))))
        elif group.interface != "position" and not group.stamped:
            messages.append((group.topic, Float64MultiArray(data=[0.0] * len(group.joints))))
        elif group.interface != "position":
            message = named.setdefault(group.topic, JointState())
            message.name = [*message.name, *group.joints]
            setattr(message, group.interface, [*getattr(message, group.interface), *[0.0] * len(group.joints)])
    return messages + list(named.items())


class Deadman:
    """The safety node's end: starts the process and waits for it, keeps it quiet, starts it again when it has ended.

    Args:
        robot: path of the robot file.
        arguments: the ROS arguments of the safety node that hold for names: namespace and remapping.
    """

    def __init__(self, robot: str, arguments: Sequence[str]) -> None:
        self._command = [sys.executable, "-m", "ros_gym_bridge.ros.deadman", robot, *arguments]
        self._process = self._start()
        assert self._process.stdout is not None
        select.select([self._process.stdout], [], [], _READY_S)

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def beat(self) -> bool:
        """All is well. False when it had ended, and was started again."""
        alive = self._process.poll() is None
        if not alive:
            self._process = self._start()
        self._write(b".")
        return alive

    def close(self) -> None:
        """It is no longer needed."""
        self._write(_QUIT)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        # in a session of its own: what is done to the terminal's processes is not done to it
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def _write(self, word: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(word)
            self._process.stdin.flush()


def _watch(session: Session, robot: RobotFile) -> None:
    """Until the safety node quits, or the robot has been stopped."""
    while select.select([0], [], [], _SILENCE_S)[0]:
        words = os.read(0, 4096)
        if _QUIT in words:
            return
        if not words:
            break
    ends = _speak(session, robot)
    end_s = time.monotonic() + _LAST_S
    while time.monotonic() < end_s:
        for publisher, message in ends:
            publisher.publish(message)
        session.spin_until(lambda: False, _AGAIN_S)
        if select.select([0], [], [], 0.0)[0]:
            if os.read(0, 4096):
                return  # it had been hanging, and goes on
        else:
            end_s = time.monotonic() + _LAST_S


def _speak(session: Session, robot: RobotFile) -> list[tuple[Any, Any]]:
    told = stops(robot)
    topics = ", ".join(topic for topic, _ in told) or "nowhere: positions hold by themselves"
    session.node.get_logger().error(f"safety_node has fallen silent; stopping '{robot.config.name}' on {topics}.")
    return [(session.node.create_publisher(type(each), topic, qos.COMMANDS), each) for topic, each in told]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until the safety node quits or ends. Arguments: path of the robot file, ROS arguments."""
    path, *rest = sys.argv[1:] if arguments is None else arguments
    robot = load_robot(path)
    session = open_session(NODE_NAME, rest)
    try:
        os.write(1, b".")
        _watch(session, robot)
    finally:
        session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
