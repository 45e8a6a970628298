"""The other end of the ping-pong: sends every JointState back. Ends with its standard input."""

from __future__ import annotations

import sys
import threading

from sensor_msgs.msg import JointState

from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.session import Session


def main() -> None:
    """Serve until standard input closes."""
    session = Session("pong", quiet=True)
    publisher = session.node.create_publisher(JointState, "pong", qos.JOINT_STATES)
    session.node.create_subscription(JointState, "ping", publisher.publish, qos.COMMANDS)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.is_set():
        session.executor.spin_once(timeout_sec=0.1)
    session.close()


if __name__ == "__main__":
    main()
