"""A robot that is not ours, as plain rclpy would bring it: it imports nothing of this package and offers no services.

    python stranger_robot.py NAMESPACE FILE.stl

Joint states are best effort, shuffled, with a joint that nobody knows; one link is known by transforms alone, one mesh
is nowhere; the laser and the camera stand in frames of their own.
"""

from __future__ import annotations

import math
import random
import struct
import sys
import time

import rclpy
from geometry_msgs.msg import TransformStamped
from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, JointState, LaserScan, PointCloud2, PointField
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

DESCRIPTION = """<robot name="stranger">
  <material name="magenta"><color rgba="1 0 1 1"/></material>
  <link name="body"><visual><geometry><box size="0.6 0.4 0.2"/></geometry><material name="magenta"/></visual></link>
  <link name="mast"><visual><origin xyz="0 0 0.3"/><geometry><cylinder radius="0.05" length="0.6"/></geometry></visual>
  </link>
  <link name="boom"><visual><geometry><mesh filename="{mesh}" scale="0.1 0.1 0.1"/></geometry></visual>
    <visual><geometry><mesh filename="package://nobody_has_this/hook.stl"/></geometry></visual></link>
  <link name="drone"><visual><geometry><sphere radius="0.1"/></geometry></visual></link>
  <joint name="mast_joint" type="continuous"><parent link="body"/><child link="mast"/><origin xyz="0 0 0.1"/>
    <axis xyz="0 0 1"/></joint>
  <joint name="boom_joint" type="prismatic"><parent link="mast"/><child link="boom"/><origin xyz="0 0 0.5"/>
    <axis xyz="1 0 0"/><limit lower="0" upper="0.5" velocity="1" effort="1"/></joint>
  <joint name="tether" type="floating"><parent link="body"/><child link="drone"/></joint>
</robot>"""

EITHER = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def transform(parent: str, child: str, x: float, z: float = 0.0) -> TransformStamped:
    made = TransformStamped(child_frame_id=child)
    made.header.frame_id = parent
    made.transform.translation.x, made.transform.translation.z = x, z
    made.transform.rotation.w = 1.0
    return made


def scan() -> LaserScan:
    made = LaserScan(angle_min=-math.pi, angle_increment=math.pi / 180, range_min=0.05, range_max=10.0)
    made.header.frame_id = "laser"
    made.ranges = [1.0] * 300 + [math.nan] * 20 + [math.inf] * 20 + [-math.inf] * 20
    return made


def cloud() -> PointCloud2:
    made = PointCloud2(width=100, height=1, point_step=12, row_step=1200)
    made.header.frame_id = "camera"
    made.fields = [
        PointField(name=n, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, n in enumerate(("x", "y", "z"))
    ]
    made.data = b"".join(struct.pack("<3f", 0.01 * i, 0.0, 1.0) for i in range(100))
    return made


def depth() -> Image:
    made = Image(width=64, height=48, encoding="32FC1", step=256)
    made.header.frame_id = "camera"
    made.data = struct.pack("<3072f", *(1.0 + 0.01 * i if i % 64 else math.nan for i in range(3072)))
    return made


def odometry() -> Odometry:
    made = Odometry(child_frame_id="body")
    made.header.frame_id = "somewhere"  # no transform leads there
    made.pose.pose.orientation.w = 1.0
    return made


def main() -> None:
    namespace, mesh = sys.argv[1:]
    rclpy.init()
    node = rclpy.create_node("stranger", namespace=namespace)
    said = node.create_publisher(String, "robot_description", LATCHED)
    said.publish(String(data=DESCRIPTION.format(mesh=mesh)))
    static = node.create_publisher(TFMessage, "/tf_static", LATCHED)
    static.publish(TFMessage(transforms=[transform("body", "laser", 0.3, 0.2), transform("mast", "camera", 0.0, 0.6)]))
    moving = node.create_publisher(TFMessage, "/tf", 10)
    joints = node.create_publisher(JointState, "joint_states", EITHER)
    sensors = {
        node.create_publisher(type(message), topic, EITHER): message
        for topic, message in (("scan", scan()), ("points", cloud()), ("depth", depth()), ("odom", odometry()))
    }
    told = {"nobody_knows_me": 1.0, "mast_joint": 0.7 + 2 * math.pi, "boom_joint": 0.3}
    names = list(told)
    while True:
        random.shuffle(names)
        joints.publish(JointState(name=names, position=[told[name] for name in names]))
        moving.publish(TFMessage(transforms=[transform("map", "body", 1.0), transform("body", "drone", -0.3, 0.4)]))
        for publisher, message in sensors.items():
            publisher.publish(message)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
