"""Sensors from outside, by plain rclpy clients: types, stamps, frames and transforms, quality of service."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped, WrenchStamped
from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, Imu, LaserScan, PointCloud2, Range, TimeReference
from tf2_msgs.msg import TFMessage

from conftest import NodeProcess
from plain_client import DEEP, LATCHED, PlainClient, nanoseconds
from ros_gym_bridge import load_robot
from ros_gym_bridge.errors import EntityError, RobotFileError
from ros_gym_bridge.robot import read_only
from ros_gym_bridge.ros.publishers import StatePublisher
from ros_gym_bridge.sim.entities import Entities
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.world_file import world_of
from ros_gym_bridge.worlds import load_world
from test_rover import WHEELS

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

CHANNELS = """
renderer: tiny
channels:
  - {name: scan, kind: lidar, link: laser_link, rays: 90}
  - {name: points, kind: lidar, link: laser_link, rays: 41, layers: 4, min_elevation: -0.3, max_elevation: 0.3,
     rate_hz: 10}
  - {name: imu/data, kind: imu, link: imu_link}
  - {name: truth/odom, kind: odometry, link: base_footprint}
  - {name: truth/pillar, kind: link_pose, body: pillar}
  - {name: wheel, kind: force_torque, joint: left_wheel_joint}
  - {name: bumper, kind: contact, link: base_link}
  - {name: ahead, kind: range, link: base_link, position: [0.2, 0, 0.05], rpy: [0, 0.1, 0.2]}
  - {name: camera/image_raw, kind: camera, link: camera_optical_frame, width: 64, height: 48, depth: true}
  - {name: late, kind: link_pose, link: base_link, latency_s: 0.04, dropout: 0.5}
"""
TYPES: dict[str, tuple[Any, str]] = {
    "scan": (LaserScan, "laser_link"),
    "points": (PointCloud2, "laser_link"),
    "imu/data": (Imu, "imu_link"),
    "truth/odom": (Odometry, "world"),
    "truth/pillar": (PoseStamped, "world"),
    "wheel": (WrenchStamped, "left_wheel_link"),
    "bumper": (WrenchStamped, "base_link"),
    "ahead": (Range, "ahead_frame"),
    "camera/image_raw": (Image, "camera_optical_frame"),
    "camera/camera_info": (CameraInfo, "camera_optical_frame"),
    "camera/depth/image_raw": (Image, "camera_optical_frame"),
    "camera/depth/camera_info": (CameraInfo, "camera_optical_frame"),
    "late": (PoseStamped, "world"),
}


@pytest.fixture
def seeing(tmp_path: Path) -> Path:
    path = tmp_path / "seeing.yaml"
    path.write_text(f"extends: rover\nname: seeing\nactuators:\n{WHEELS}{CHANNELS}")
    return path


def stamp(message: Any) -> int:
    return nanoseconds(message.header.stamp)


def drive(client: PlainClient, steps: int) -> None:
    """Some steps forward."""
    names = ["left_wheel_joint", "right_wheel_joint"]
    for _ in range(steps):
        client.step(names, velocity=[4.0, 4.0])


def test_every_sensor_speaks_its_standard_message(sim_process: Start, client: Make, seeing: Path) -> None:
    sim_process(robot=seeing, mode="lockstep")
    stranger = client()
    heard = {topic: stranger.hear(kind, topic, DEEP) for topic, (kind, _) in TYPES.items()}
    times = stranger.hear(TimeReference, "late/sample_time", DEEP)
    moving, fixed = stranger.hear(TFMessage, "/tf", DEEP), stranger.hear(TFMessage, "/tf_static", LATCHED)
    stranger.connect()
    stranger.until(lambda: all(heard.values()) and moving and fixed, "the first of everything")
    begun = stranger.stamp
    drive(stranger, 20)
    stranger.until(
        lambda: stamp(heard["scan"][-1]) == stranger.stamp and stamp(times[-1]) == stranger.stamp, "the last"
    )
    expected = set(range(begun, stranger.stamp + 1, 20_000_000))
    for topic, (_, frame) in TYPES.items():
        assert heard[topic][-1].header.frame_id == frame, topic
        slow = expected if topic != "points" else {s for s in expected if s % 100_000_000 == 0}
        if topic != "late":
            stranger.until(lambda t=topic, s=slow: s <= {stamp(m) for m in heard[t]}, f"all of {topic}")  # type: ignore[misc]
            assert {stamp(m) for m in heard[topic]} <= expected, topic
    assert heard["truth/odom"][-1].child_frame_id == "base_footprint"

    frames = {t.child_frame_id for message in moving + fixed for t in message.transforms}
    assert {frame for _, frame in TYPES.values()} - {"world"} <= frames
    parents = {t.child_frame_id: t for t in fixed[-1].transforms}
    own = parents["ahead_frame"]
    assert own.header.frame_id == "base_link"
    assert (own.transform.translation.x, own.transform.translation.z) == (0.2, 0.05)
    assert not any(t.child_frame_id == "pillar" for message in moving + fixed for t in message.transforms)

    shown = {stamp(t): nanoseconds(t.time_ref) for t in times}
    assert expected <= shown.keys()
    assert {t.source for t in times} == {"late"}
    assert all(taken <= max(at - 40_000_000, begun) for at, taken in shown.items() if at >= begun)
    assert {taken for at, taken in shown.items()} <= {stamp(m) for m in heard["late"]}
    assert len(set(shown.values())) < len(shown)  # some were lost

    for topic, (kind, _) in TYPES.items():
        info = stranger.node.get_publishers_info_by_topic(f"/{topic}")
        assert [each.topic_type for each in info] == [f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}"]
        qos = info[0].qos_profile
        assert (qos.reliability, qos.durability) == (ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)


def test_what_they_tell_fits_together(sim_process: Start, client: Make, seeing: Path) -> None:
    """The wall of a block, by scan, cloud, range, camera info and depth; the odometry by joint states."""
    node = sim_process(robot=seeing, mode="lockstep")
    stranger = client()
    topics = ("scan", "points", "imu/data", "truth/odom", "camera/depth/image_raw", "camera/depth/camera_info")
    heard = {topic: stranger.hear(TYPES[topic][0], topic, DEEP) for topic in topics}
    stranger.connect()
    stranger.until(lambda: all(heard.values()), "the first of everything")
    scan, cloud, imu, depth, info = (heard[topic][0] for topic in (*topics[:3], *topics[4:]))
    ahead = scan.ranges[round(-scan.angle_min / scan.angle_increment)]
    block = 3.0 - 0.25 - 0.05  # its face, from the laser
    assert ahead == pytest.approx(block, abs=0.05)
    points = np.frombuffer(cloud.data, np.float32).reshape(4, 41, 4)[:, :, :3]
    rising = points[2]  # by 0.1 rad; the layers below it meet the floor, the one above goes over the block
    near = rising[(np.abs(rising[:, 1]) < 0.2) & (rising[:, 0] > 0)]
    assert len(near) > 0
    assert near[:, 0] == pytest.approx(block, abs=0.05)
    assert imu.linear_acceleration.z == pytest.approx(9.81, abs=0.5)
    metres = np.frombuffer(depth.data, np.float32).reshape(depth.height, depth.width)
    row, column = round(info.k[5]), round(info.k[2])
    assert metres[row, column] == pytest.approx(3.0 - 0.25 - 0.2, abs=0.05)
    drive(stranger, 60)
    stranger.until(lambda: stamp(heard["truth/odom"][-1]) == stranger.stamp, "the last odometry")
    odometry = heard["truth/odom"][-1]
    turned = stranger.states[-1].position[0]
    assert odometry.pose.pose.position.x == pytest.approx(0.08 * turned, rel=0.05)
    assert odometry.twist.twist.linear.x == pytest.approx(0.08 * 4.0, rel=0.1)
    assert node.log("TinyRenderer")


def test_best_effort_clients_hear_too(sim_process: Start, client: Make, seeing: Path) -> None:
    """The usual profile of sensor data."""
    sim_process(robot=seeing, mode="realtime")
    stranger = client()
    profile = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    heard = [stranger.hear(kind, topic, profile) for topic, (kind, _) in TYPES.items()]
    stranger.until(lambda: all(len(each) > 2 for each in heard), "three of everything")


def test_who_comes_late_sees_the_present_state(sim_process: Start, client: Make, seeing: Path) -> None:
    """Also of a camera, which draws nothing while nobody looks."""
    sim_process(robot=seeing, mode="lockstep")
    driver = client(name="driver")
    driver.connect()
    drive(driver, 7)
    late = client(name="late_one", commands=[])
    pictures, scans = late.hear(Image, "camera/image_raw"), late.hear(LaserScan, "scan")
    late.until(lambda: pictures and scans, "a picture and a scan")
    assert (stamp(pictures[0]), stamp(scans[0])) == (driver.stamp, driver.stamp)
    driver.step(["left_wheel_joint"], velocity=[0.0])
    late.until(lambda: stamp(pictures[-1]) == driver.stamp, "the next picture")


def test_whoever_comes_gets_no_picture_of_before(client: Make, seeing: Path) -> None:
    """Nobody was seen when the state was read, and somebody hears what is told of it: all but the old picture."""
    world = world_of(load_robot(seeing))
    simulation = Simulation(world)
    teller, late = client(name="teller", commands=[]), client(name="late", commands=[])
    publisher = StatePublisher(teller.node, world.robots[0], simulation.robots[0], "", "world")
    pictures, scans = late.hear(Image, "camera/image_raw"), late.hear(LaserScan, "scan")
    wanted = simulation.robots[0].sensors.wanted
    late.until(lambda: wanted("camera/image_raw") and teller.node.count_subscribers("scan"), "the publishers to know")

    def told() -> bool:
        publisher.publish()
        late.listen(0.02)
        return bool(scans) and stamp(scans[-1]) == simulation.stamp_ns

    simulation.robots[0].sensors.wanted = lambda _: False
    simulation.advance([read_only([0.0, 0.0])], simulation.steps_per_period)
    late.until(told, "the scan")
    assert not pictures
    simulation.robots[0].sensors.wanted = wanted
    late.until(lambda: told() and pictures, "the picture")
    assert {stamp(each) for each in pictures} == {simulation.stamp_ns}
    simulation.close()


def test_a_camera_that_holds_time_up_is_named(sim_process: Start, client: Make, tmp_path: Path) -> None:
    """A picture takes longer than a control period; nobody looks, then somebody does."""
    camera = "{name: camera/image_raw, kind: camera, link: camera_optical_frame, width: 800, height: 600}"
    path = tmp_path / "slow.yaml"
    path.write_text(f"extends: rover\nname: slow\nrenderer: tiny\nchannels: [{camera}]\n")
    node = sim_process(robot=path)
    stranger = client(commands=[])
    diagnostics = stranger.hear(DiagnosticArray, "/diagnostics")
    stranger.until(lambda: stranger.states and stranger.stamp > 10**9, "a second of simulated time")
    assert not node.log("Sensors took")
    pictures = stranger.hear(Image, "camera/image_raw")
    line = stranger.until(lambda: node.log("Sensors took"), "a report")[0]
    said = re.search(
        r"Simulated time fell \d+ ms behind the wall clock and goes on from here at pace\. Sensors took (\d+) ms of a "
        r"control period of 20 ms, 'camera/image_raw' alone (\d+) ms; a smaller picture, fewer rays or a lower rate_hz "
        r"costs less\.( \(\d+ of this kind since the last report\))?$",
        line,
    )
    assert said is not None, line
    assert 20 < int(said[2]) <= int(said[1])
    assert stranger.count(diagnostics, "overruns", 1) >= 1
    cost = "cost_ms camera/image_raw"
    stranger.until(lambda: float(stranger.counts(diagnostics).get(cost, 0.0)) > 20.0, cost)
    stranger.until(lambda: pictures, "a picture")
    assert len(node.log("Sensors took")) <= 1 + stranger.stamp / 10**9, "once a second at most"


WORLD = """
name: two
bodies:
  - {name: floor, file: "pybullet_data://plane.urdf", fixed: true}
robots:
  - {robot: low.yaml, namespace: left, base_position: [0, 2, 0]}
  - {robot: low.yaml, namespace: right, base_position: [1.5, 2, 0]}
"""
LOW = """
extends: rover
renderer: tiny
channels:
  - {name: scan, kind: lidar, link: base_link, position: [0, 0, 0.03], rays: 361}
  - {name: imu, kind: imu, link: imu_link}
  - {name: odom, kind: odometry, link: base_footprint}
  - {name: image, kind: camera, link: camera_optical_frame, width: 32, height: 24, depth: true}
"""


def test_two_robots_see_each_other(tmp_path: Path) -> None:
    """Rays and pictures are each robot's own, and only the robot itself is transparent."""
    (tmp_path / "low.yaml").write_text(LOW)
    (tmp_path / "two.yaml").write_text(WORLD)
    simulation = Simulation(load_world(tmp_path / "two.yaml", "rover"))
    simulation.reset(1, strict=False)
    simulation.advance([read_only([0.0, 0.0])] * 2, simulation.steps_per_period)
    left, right = ({name: sample.value for name, sample in state.channels.items()} for state in simulation.states)
    assert left["scan"][180] == pytest.approx(1.5 - 0.23, abs=0.01)  # straight ahead, the other's back
    assert right["scan"][0] == pytest.approx(1.5 - 0.17, abs=0.01)  # straight behind, the other's front
    assert np.isposinf(left["scan"][0])
    assert np.isposinf(right["scan"][180])
    assert np.isposinf(right["depth/image"][11]).all()
    assert left["depth/image"][11].min() < 1.5
    assert [state["odom"][0] for state in (left, right)] == pytest.approx([0.0, 1.5], abs=0.01)
    simulation.close()


def test_a_sensor_on_a_body_that_a_world_lacks_is_refused(tmp_path: Path) -> None:
    robot = f"{LOW}  - {{name: seen, kind: link_pose, body: block_ahead}}\n"
    (tmp_path / "low.yaml").write_text(robot)
    (tmp_path / "two.yaml").write_text(WORLD)
    with pytest.raises(RobotFileError) as caught:
        load_world(tmp_path / "two.yaml", "rover")
    assert str(caught.value) == (
        f"{tmp_path}/two.yaml: robots[0]: a sensor of 'rover' sits on a body; got 'block_ahead'; expected one of the "
        "bodies of this world: floor; Add a body of that name, or take a robot file without that channel."
    )


def test_a_body_that_a_sensor_sits_on_stays(seeing: Path) -> None:
    simulation = Simulation(world_of(load_robot(seeing)))
    entities = Entities(simulation)
    with pytest.raises(EntityError) as caught:
        entities.delete("pillar")
    assert str(caught.value) == (
        "entity 'pillar' cannot be deleted: a sensor sits on it; got 'pillar'; Take the channel out of the robot file."
    )
    entities.delete("block_ahead")
    simulation.advance([read_only([0.0, 0.0])], simulation.steps_per_period)
    entities.close()
    simulation.close()
