"""A robot that tells its joint states wrongly, in plain rclpy.

    python odd_robot.py MODE JOINT...

- `frozen`: all messages carry one stamp, and the first joint has no number.
- `unstamped`: no stamp, and the first joint stands far away.
- `back`: stamps go back again and again, and there are fewer positions than names.
"""

from __future__ import annotations

import sys
import time

import rclpy
from sensor_msgs.msg import JointState


def main() -> None:
    mode, *joints = sys.argv[1:]
    rclpy.init()
    node = rclpy.create_node("odd_robot")
    publisher = node.create_publisher(JointState, "joint_states", 10)
    print("stands", flush=True)
    start = node.get_clock().now()
    for number in range(10**9):
        message = JointState(name=joints, position=[0.5] * len(joints), velocity=[0.0] * len(joints))
        if mode == "frozen":
            message.header.stamp = start.to_msg()
            message.position[0] = float("nan")
        elif mode == "unstamped":
            message.position[0] = 1000.0
        else:
            message.header.stamp = node.get_clock().now().to_msg()
            message.header.stamp.sec -= number % 10
            message.position = message.position[:-1]
        publisher.publish(message)
        time.sleep(0.02)


if __name__ == "__main__":
    main()
