"""The simulation node from outside, by plain rclpy clients: what it publishes, how it ends, what it refuses."""

from __future__ import annotations

import itertools
import math
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from conftest import NodeProcess, node_processes, plain_clients, private_domain
from plain_client import DEEP, LATCHED, PlainClient, nanoseconds
from ros_gym_bridge.config import load_robot
from ros_gym_bridge.sim.world import World
from ros_gym_bridge.world_file import world_of

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

MATRIX = ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE
KEPT = ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL
PUBLISHED = {
    "/joint_states": ("sensor_msgs/msg/JointState", MATRIX),
    "/clock": ("rosgraph_msgs/msg/Clock", MATRIX),
    "/tf": ("tf2_msgs/msg/TFMessage", MATRIX),
    "/tf_static": ("tf2_msgs/msg/TFMessage", KEPT),
    "/robot_description": ("std_msgs/msg/String", KEPT),
    "/diagnostics": ("diagnostic_msgs/msg/DiagnosticArray", MATRIX),
    "/real_time_factor": ("std_msgs/msg/Float64", MATRIX),
    "/simulate_steps/_action/feedback": ("simulation_interfaces/action/SimulateSteps_FeedbackMessage", MATRIX),
    "/simulate_steps/_action/status": ("action_msgs/msg/GoalStatusArray", KEPT),
}
SUBSCRIBED = {
    "/joint_command": "sensor_msgs/msg/JointState",
    "/sim_node/set_joint_state": "sensor_msgs/msg/JointState",
    "/sim_node/external_wrench": "geometry_msgs/msg/WrenchStamped",
}
SERVICES = {
    "/get_simulator_features": "GetSimulatorFeatures",
    "/get_simulation_state": "GetSimulationState",
    "/set_simulation_state": "SetSimulationState",
    "/step_simulation": "StepSimulation",
    "/reset_simulation": "ResetSimulation",
}


def quality(client: PlainClient, topic: str) -> tuple[Any, Any]:
    info = client.node.get_publishers_info_by_topic(topic)[0].qos_profile
    return info.reliability, info.durability


def test_topics_types_and_quality_of_service(sim_process: Start, client: Make) -> None:
    sim_process(robot="arm", mode="lockstep")
    stranger = client()
    stranger.connect()
    stranger.until(lambda: PUBLISHED.keys() <= stranger.named("publisher").keys(), "all topics")
    published = stranger.named("publisher")
    assert published.keys() - PUBLISHED.keys() == {"/rosout", "/parameter_events"}
    for topic, (kind, qos) in PUBLISHED.items():
        assert published[topic] == [kind]
        assert quality(stranger, topic) == qos, topic
    subscribed = stranger.named("subscriber")
    assert subscribed.keys() - {"/parameter_events"} == SUBSCRIBED.keys()
    for topic, kind in SUBSCRIBED.items():
        assert subscribed[topic] == [kind]
        info = stranger.node.get_subscriptions_info_by_topic(topic)[0].qos_profile
        assert (info.reliability, info.durability) == MATRIX


def test_services_have_the_standard_names_and_types(sim_process: Start, client: Make) -> None:
    sim_process("-r", "__ns:=/somewhere", robot="arm", mode="lockstep")
    stranger = client(namespace="/somewhere")
    stranger.connect()
    expected = {f"/somewhere{name}": [f"simulation_interfaces/srv/{kind}"] for name, kind in SERVICES.items()}
    stranger.until(lambda: expected.items() <= stranger.named("service", "sim_node", "/somewhere").items(), "services")


def test_a_late_client_gets_the_description_with_meshes_that_exist(sim_process: Start, client: Make) -> None:
    sim_process(robot="panda", mode="lockstep")
    stranger = client()
    heard = stranger.hear(String, "robot_description", LATCHED)
    stranger.until(lambda: heard, "the description")
    urdf = ElementTree.fromstring(heard[0].data)
    meshes = [urlparse(mesh.attrib["filename"]) for mesh in urdf.iter("mesh")]
    assert len(meshes) >= 20
    assert {mesh.scheme for mesh in meshes} == {"file"}
    assert all(Path(unquote(mesh.path)).is_file() for mesh in meshes)
    assert {joint.attrib["name"] for joint in urdf.iter("joint")} >= set(stranger.connect().name)


def poses(transforms: list[Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Every frame in the world frame, as a 4x4 matrix, by composing transforms from the root down."""
    local = {each.child_frame_id: (each.header.frame_id, matrix(each.transform)) for each in transforms}
    assert len(local) == len(transforms), "a frame with two parents"

    def pose(frame: str) -> np.ndarray[Any, Any]:
        if frame == "world":
            return np.eye(4)
        parent, transform = local[frame]
        return pose(parent) @ transform

    return {frame: pose(frame) for frame in local}


def matrix(transform: Any) -> np.ndarray[Any, Any]:
    t, q = transform.translation, transform.rotation
    assert math.isclose(math.hypot(q.x, q.y, q.z, q.w), 1.0, abs_tol=1e-9)
    return frame((t.x, t.y, t.z), (q.x, q.y, q.z, q.w))


def frame(position: Any, quaternion: Any) -> np.ndarray[Any, Any]:
    x, y, z, w = quaternion
    result = np.eye(4)
    result[:3, 3] = position
    result[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return result


MOVES = {
    "arm": ({"shoulder_pan_joint": 0.9, "elbow_joint": 0.4, "wrist_2_joint": -0.7}, "position"),
    "panda": ({"panda_joint1": 1.0, "panda_joint4": -1.2, "panda_joint6": 2.5, "panda_finger_joint1": 0.0}, "position"),
    "cartpole": ({"slider_to_cart": 8.0}, "effort"),
}


@pytest.mark.parametrize("robot", MOVES)
def test_transforms_cover_all_links_and_agree_with_the_physics(sim_process: Start, client: Make, robot: str) -> None:
    sim_process(robot=robot, mode="lockstep")
    stranger = client()
    moving, fixed = stranger.hear(TFMessage, "/tf", DEEP), stranger.hear(TFMessage, "/tf_static", LATCHED)
    stranger.connect()
    targets, interface = MOVES[robot]
    for _ in range(20):
        state = stranger.step(list(targets), **{interface: list(targets.values())})
    stamp = state.header.stamp
    stranger.until(lambda: fixed and moving and moving[-1].transforms[0].header.stamp == stamp, "transforms")
    found = poses(moving[-1].transforms + fixed[-1].transforms)
    world = World(world_of(load_robot(robot)))
    body = world.robots[0]
    body.set_joints(list(state.position), [0.0] * len(state.position))
    model = body.robot.model
    assert found.keys() == set(model.links)
    for link in model.links:
        np.testing.assert_allclose(found[link], frame(*body.link_pose(link)), atol=2e-6, err_msg=link)
    world.close()
    assert all(each.header.stamp == stamp for each in moving[-1].transforms)


def test_a_floating_base_moves_in_tf(sim_process: Start, client: Make, tmp_path: Path) -> None:
    path = tmp_path / "thrown.yaml"
    path.write_text("extends: arm\nname: thrown\n" + thrown_model())
    sim_process(robot=path, mode="lockstep", start_paused=True)
    stranger = client()
    moving, fixed = stranger.hear(TFMessage, "/tf", DEEP), stranger.hear(TFMessage, "/tf_static", LATCHED)
    stranger.connect()
    root = load_robot(path).model.root
    stranger.until(lambda: fixed and moving, "transforms")
    assert root not in [each.child_frame_id for each in fixed[-1].transforms]
    assert stranger.step_simulation(250).result == 1
    stranger.until(lambda: nanoseconds(moving[-1].transforms[0].header.stamp) > 4 * 10**8, "half a second of fall")
    base = next(each for each in moving[-1].transforms if each.child_frame_id == root)
    assert base.header.frame_id == "world"
    assert 5.0 - base.transform.translation.z > 0.9  # 1/2 g t^2 = 1.23 m for what falls without turning


def thrown_model() -> str:
    urdf = load_robot("arm").model.path
    return f"model: {{file: {urdf}, fixed_base: false, base_position: [0.0, 0.0, 5.0]}}\n"


def test_frame_prefix_and_no_transforms_and_no_clock(sim_process: Start, client: Make) -> None:
    sim_process(robot="arm", mode="lockstep", frame_prefix="left/")
    stranger = client()
    moving, fixed = stranger.hear(TFMessage, "/tf", DEEP), stranger.hear(TFMessage, "/tf_static", LATCHED)
    stranger.until(lambda: fixed and moving, "transforms")
    for each in moving[0].transforms + fixed[0].transforms:
        assert each.header.frame_id.startswith("left/")
        assert each.child_frame_id.startswith("left/")


def test_transforms_and_clock_can_be_switched_off(sim_process: Start, client: Make) -> None:
    sim_process(robot="arm", mode="lockstep", publish_tf=False, publish_clock=False)
    stranger = client()
    stranger.connect()
    off = {"/tf", "/tf_static", "/clock"}
    stranger.until(lambda: PUBLISHED.keys() - off <= stranger.named("publisher").keys(), "the other topics")
    assert stranger.named("publisher").keys() & off == set()


def test_the_clock_counts_steps_and_is_never_zero(sim_process: Start, client: Make) -> None:
    sim_process(robot="cartpole", mode="realtime", real_time_factor=20.0)
    stranger = client()
    ticks = stranger.hear(Clock, "/clock", DEEP)
    stranger.connect()
    stranger.until(lambda: len(ticks) > 300, "ticks")
    times = [nanoseconds(tick.clock) for tick in ticks]
    assert times[0] > 0
    assert {b - a for a, b in itertools.pairwise(times)} <= {0, 20_000_000, 40_000_000, 60_000_000}
    assert all(time % 20_000_000 == 0 for time in times)
    stamps = {nanoseconds(state.header.stamp) for state in stranger.states}
    assert len(stamps & set(times)) > 250
    assert all(a <= b for a, b in itertools.pairwise(times))


def test_every_state_is_complete(sim_process: Start, client: Make) -> None:
    sim_process(robot="arm", mode="lockstep")
    stranger = client()
    first = stranger.connect()
    assert nanoseconds(first.header.stamp) == 40_000_000
    joints = [joint.name for joint in load_robot("arm").config.joints]
    assert list(first.name) == joints
    assert len(first.position) == len(first.velocity) == len(first.effort) == len(joints)
    np.testing.assert_array_equal(first.position, load_robot("arm").spec.home)
    state = stranger.step([joints[0]], position=[0.05])
    assert np.isfinite([*state.position, *state.velocity, *state.effort]).all()
    assert state.effort[1] != 0.0, "a joint that carries the arm needs a torque"


def test_the_node_itself_never_lives_on_the_clock_that_it_makes(sim_process: Start, client: Make) -> None:
    node = sim_process(robot="cartpole", mode="lockstep", use_sim_time=True)
    stranger = client()
    heard = stranger.hear(DiagnosticArray, "/diagnostics")
    assert stranger.parameters("use_sim_time") == {"use_sim_time": False}
    stranger.until(lambda: heard, "diagnostics")
    assert abs(nanoseconds(heard[-1].header.stamp) / 1e9 - time.time()) < 10.0
    assert len(node.log("use_sim_time")) == 1


# --- several nodes


def test_two_nodes_in_one_domain_do_not_hear_each_other(sim_process: Start, client: Make) -> None:
    left = sim_process("-r", "__ns:=/left", robot="arm", mode="lockstep", publish_clock=False)
    right = sim_process("-r", "__ns:=/deep/right", robot="cartpole", mode="lockstep")
    a, b = client(namespace="/left"), client(namespace="/deep/right")
    assert len(a.connect().name) == 6
    assert list(b.connect().name) == ["slider_to_cart", "cart_to_pole"]
    for _ in range(5):
        a.step(["elbow_joint"], position=[0.9])
    b.listen(0.3)
    assert (a.stamp, b.stamp) == (6 * 40_000_000, 20_000_000)
    assert a.set_state(2).result == 1
    assert (a.state(), b.state()) == (2, 1)
    assert a.reset(0).result == 1
    b.step(["slider_to_cart"], effort=[1.0])
    a.until(lambda: a.stamp == 40_000_000, "time turned back")
    assert b.stamp == 40_000_000
    assert left.log("WARN|ERROR") == right.log("WARN|ERROR") == []


def test_two_nodes_of_one_name_in_two_domains_do_not_hear_each_other(
    sim_process: Start, client: Make, tmp_path: Path
) -> None:
    """Nor do their clocks: two simulations on one machine need nothing but a ROS_DOMAIN_ID each."""
    folder = tmp_path / "other"
    folder.mkdir()
    with private_domain() as other, node_processes(other, folder) as start, plain_clients(other) as make:
        nodes = sim_process(robot="cartpole", mode="lockstep"), start(robot="cartpole", mode="lockstep")
        a, b = client(), make()
        clocks = [each.hear(Clock, "/clock", DEEP) for each in (a, b)]
        for each in (a, b):
            each.connect()
        for _ in range(5):
            a.step(["slider_to_cart"], effort=[5.0])
        b.step(["slider_to_cart"], effort=[-5.0])
        assert (a.stamp, b.stamp) == (6 * 20_000_000, 2 * 20_000_000)
        assert a.states[-1].position[0] > 0.0 > b.states[-1].position[0]
        for one, clock in zip((a, b), clocks, strict=True):
            one.until(lambda: clock and nanoseconds(clock[-1].clock) == one.stamp, "its clock")  # noqa: B023
            assert max(nanoseconds(tick.clock) for tick in clock) == one.stamp
        assert [node.log("WARN|ERROR") for node in nodes] == [[], []]


def test_a_second_clock_is_reported_by_name(sim_process: Start, client: Make) -> None:
    sim_process("-r", "__ns:=/left", robot="cartpole", mode="lockstep")
    right = sim_process("-r", "__ns:=/right", robot="cartpole", mode="lockstep")
    line = right.says("/clock")
    assert "[WARN]" in line
    assert line.endswith(
        "Time is published on /clock by /left/sim_node as well: end it, use another ROS_DOMAIN_ID, "
        "or set publish_clock to false."
    )
    stranger = client(namespace="/right")
    heard = stranger.hear(DiagnosticArray, "/diagnostics")
    status = stranger.until(
        lambda: [s for array in heard for s in array.status if s.name == "/right/sim_node: simulation"], "diagnostics"
    )[-1]
    assert status.level == b"\x02"
    assert status.message == "another /clock publisher: /left/sim_node"
    assert stranger.count(heard, "second_clock", 1, "/right/sim_node") >= 1


def test_a_node_of_the_same_name_is_a_second_clock_too(sim_process: Start) -> None:
    sim_process(robot="cartpole", mode="lockstep")
    assert "Time is published on /clock by /sim_node as well" in sim_process(robot="cartpole", mode="lockstep").says(
        "/clock"
    )
