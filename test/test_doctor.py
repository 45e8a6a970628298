"""`ros-gym-bridge doctor`: all is well with our own node and with a driver, and each fault is red with its remedy."""

from __future__ import annotations

import fcntl
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage
from trajectory_msgs.msg import JointTrajectory

import kinds
from adapter_tools import Process, running
from driver_tools import driver_config
from plain_client import LATCHED
from ros_gym_bridge import load_robot
from ros_gym_bridge.findings import Finding, Verdict, exit_code
from ros_gym_bridge.ros.doctor.run import examine
from ros_gym_bridge.shared_memory import stale_files
from safety_tools import safety_node
from stranger_robot import transform
from test_cli import run

ARM = load_robot("arm")
Rows = dict[str, Finding]


@pytest.fixture
def look(domain_id: int, tmp_path: Path) -> Callable[..., Rows]:
    """The rows, by their subjects; where two have the same one, the bad one."""

    def look_(
        robot: Any = ARM, stepping: Any = None, namespace: str = "", simulator: str | None = None, prefix: str = ""
    ) -> Rows:
        empty = tmp_path / "shm"
        empty.mkdir(exist_ok=True)
        found = examine(robot, namespace, simulator, domain_id, prefix, stepping, 1.0, empty)
        return {each.subject: each for each in sorted(found, key=lambda each: each.verdict is Verdict.BAD)}

    return look_


def bad(rows: Rows) -> list[str]:
    return sorted(subject for subject, row in rows.items() if row.verdict is Verdict.BAD)


def assert_bad(rows: Rows, subject: str, found: str, remedy: str) -> None:
    row = rows[subject]
    assert row.verdict is Verdict.BAD, row
    assert re.search(found, row.found), row
    assert remedy in row.remedy, row


# --- all is well


def test_our_own_node_in_real_time(sim_process: Any, domain_id: int, tmp_path: Path) -> None:
    """With all its sensors, by the command."""
    sim_process("-r", "__ns:=/cell", robot="rover", mode="realtime")
    where = ("--namespace", "cell", "--domain", str(domain_id), "--shared-memory", str(tmp_path))
    ran = run("doctor", "rover", *where, "--stepping", "realtime", "--seconds", "2", COLUMNS="250")
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert "BAD" not in ran.stdout
    for text in ("channel 'scan'", "channel 'imu/data'", "Hz, for control at 50 Hz", "ours, with the same robot file"):
        assert text in ran.stdout
    assert "within those of /cell/robot_description" in ran.stdout
    assert "all 9 links have a place" in ran.stdout


def test_our_own_node_in_lockstep(sim_process: Any, look: Any) -> None:
    """Time stands still, which is no fault; another mode than the stepping needs is one."""
    sim_process(robot="arm", mode="lockstep")
    rows = look(stepping="lockstep")
    assert exit_code(rows.values()) == 0, bad(rows)
    assert rows["rate of joint states"].verdict is Verdict.OPEN
    rows = look(load_robot("arm", control_hz=50), stepping="realtime")
    assert bad(rows) == ["simulator"]
    assert_bad(rows, "simulator", "^ours, but control_hz is 25, not 50; other robot_digest, mode$", "Start it with")


def test_one_of_several_robots(sim_process: Any, look: Any) -> None:
    """The simulator stands above it."""
    sim_process(world="two_arms", mode="realtime")
    rows = look(namespace="/left", simulator="")
    assert exit_code(rows.values()) == 0, bad(rows)
    assert rows["simulator"].found == "ours, with the same robot file"
    rows = look(load_robot("arm", control_hz=50), namespace="/left", simulator="")
    assert_bad(
        rows, "simulator", r"^ours, but left\.control_hz is 25, not 50; other left\.robot_digest$", "Start it with"
    )
    rows = look()
    assert_bad(rows, "simulator", "^ours, without this robot$", "Pass --namespace and --simulator")


def test_a_driver_of_somebody_else(driver: Any, look: Any) -> None:
    """Best effort, in any order, with joints more, and no clock but the computer's."""
    driver("arm")
    rows = look(stepping="realtime")
    assert exit_code(rows.values()) == 0, bad(rows)
    assert rows["joints"].found == "all 6, in another order, which does not matter; 2 more"
    assert rows["command topic /joint_command"].found == "sensor_msgs/msg/JointState, taken by /robot_driver"
    assert rows["simulator"].found == "no services of simulation_interfaces: a robot"
    assert rows["/clock"].found == "nobody publishes it: time is the computer's"


def test_a_safety_node_before_the_robot(driver: Any, domain_id: int, look: Any) -> None:
    """Agents must command through it."""
    driver("arm")
    with safety_node(domain_id, "arm"):
        rows = look(prefix="agent")
        assert exit_code(rows.values()) == 0, bad(rows)
        assert rows["command topic /agent/joint_command"].found.endswith("taken by /safety_node")
        assert rows["commands on /joint_command"].found == "from /safety_node"
        rows = look()
        assert bad(rows) == ["commands on /joint_command"]
        found = "^from /safety_node, which stands before the robot$"
        assert_bad(rows, "commands on /joint_command", found, "pass --command-prefix")


# --- what may be wrong


def test_a_driver_with_faults(driver: Any, look: Any, client: Any, tmp_path: Path) -> None:
    """A joint that is not told, too slow, another clock, narrower limits; and two who command."""
    narrow = tmp_path / "narrow.urdf"
    narrow.write_text(re.sub(r'upper="[^"]+"', 'upper="0.25"', ARM.model.text))
    config = driver_config("arm", rate_hz=10.0, clock_offset_s=-5.0, description=str(narrow))
    config["joints"][1]["name"] = "renamed_joint"
    config["controllers"] = [{"kind": "topic_based", "topic": "joint_command", "joints": ["elbow_joint"]}]
    driver(config=config)
    client(name="agent"), client(name="teleop")
    rows = look()
    two = "from /agent, /teleop$"
    assert_bad(rows, "commands on /joint_command", two, "End all but one: a robot obeys whoever spoke last")
    assert_bad(rows, "joints", "^missing: shoulder_lift_joint; others are there: .*renamed_joint", "Correct 'joints'")
    assert_bad(
        rows, "rate of joint states", r"^(9|10)\.\d Hz, for control at 25 Hz$", "Raise the driver's rate to 25 Hz"
    )
    assert_bad(rows, "stamps of joint states", r"clock is [45]\.\d\d s behind this computer's", "chrony or NTP")
    assert_bad(rows, "limits", r"elbow_joint may go to \[.*, .*\], the robot to \[.*, 0\.25\]", "Narrow 'position'")
    bad_ones = ["commands on /joint_command", "joints", "limits", "rate of joint states", "stamps of joint states"]
    assert bad(rows) == bad_ones


def test_two_of_everything(driver: Any, look: Any) -> None:
    """The same driver twice, each with its clock."""
    for offset_s in (0.0, 2.0):
        driver("arm", publish_clock=True, clock_offset_s=offset_s)
    rows = look()
    assert_bad(rows, "nodes", r"^there more than once: /robot_driver \(2 times\)$", "-r __node:=NAME")
    assert_bad(rows, "joint states /joint_states", "from /robot_driver, /robot_driver$", "End all but one")
    assert_bad(rows, "/clock", "went back by [12]", "two nodes publish /clock")
    assert_bad(rows, "stamps of joint states", "^went back by [12]", "let one node publish")


def test_a_driver_without_sensors(driver: Any, look: Any) -> None:
    """Its odometry alone is there, and one transform."""
    driver("rover")
    rows = look(load_robot("rover"))
    assert rows["channel 'diff_drive_controller/odom'"].verdict is Verdict.GOOD
    assert_bad(rows, "channel 'scan'", "^/scan, which nobody publishes$", "Start the sensor")
    assert_bad(rows, "links", "no place for .*left_wheel", "Start robot_state_publisher")


def test_other_types_and_other_quality(look: Any, client: Any, tmp_path: Path) -> None:
    """Other types of joint states and commands, a subscriber that wants what was said before, a frame in two others."""
    stranger = client(commands=())
    node = stranger.node
    node.destroy_subscription(next(s for s in node.subscriptions if s.topic_name == "/joint_states"))
    for kind, topic, quality in (
        (String, "arm_controller/joint_trajectory", 10),
        (JointState, "joint_command", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)),
        (JointTrajectory, "other_controller/joint_trajectory", 10),
    ):
        node.create_subscription(kind, topic, lambda _: None, quality)
    node.create_publisher(String, "joint_states", 10)
    node.create_publisher(JointState, "arm/joint_states", 10)
    for parent in ("world", "table"):
        node.create_publisher(TFMessage, "/tf_static", LATCHED).publish(
            TFMessage(transforms=[transform(parent, "base_link", 1.0)])
        )
    rows = look(load_robot(kinds.write(tmp_path, "kinds")))
    taken = "trajectory_msgs/msg/JointTrajectory is taken on /other_controller/joint_trajectory"
    assert_bad(
        rows, "command topic /arm_controller/joint_trajectory", f"takes std_msgs/msg/String.*; {taken}", "or pass --n"
    )
    assert_bad(
        rows, "command topic /joint_command", "volatile is offered and transient local is wanted", "Start or act"
    )
    assert_bad(rows, "command topic /wrist_3/command", "^nobody subscribes", "correct 'topic'")
    elsewhere = "sensor_msgs/msg/JointState comes on /arm/joint_states"
    assert_bad(rows, "joint states /joint_states", f"publishes std_msgs/msg/String.*; {elsewhere}$", "Start the driver")
    assert_bad(rows, "parents of frames", "^more than one: base_link in table and world$", "REP 105")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (
            "frozen",
            {
                "positions": ("^no number for shoulder_pan_joint$", "Give the joint a state interface"),
                "rate of joint states": (r"^\d+ messages carry one stamp$", "The driver tells old data"),
            },
        ),
        (
            "unstamped",
            {
                "positions": (r"^shoulder_pan_joint at 1000, outside \[", "Move the joint inside"),
                "stamps of joint states": ("^0, which means none$", "header.stamp"),
            },
        ),
        (
            "back",
            {
                "positions": ("^5 positions for 6 joints$", "one position for each name"),
                "stamps of joint states": (r"^went back by ", "let one node publish"),
            },
        ),
    ],
)
def test_states_that_are_wrong(look: Any, domain_id: int, mode: str, expected: dict[str, tuple[str, str]]) -> None:
    script = str(Path(__file__).with_name("odd_robot.py"))
    with running(Process([sys.executable, script, mode, *ARM.spec.joints], ROS_DOMAIN_ID=domain_id)) as robot:
        robot.says("stands")
        rows = look()
    for subject, (found, remedy) in expected.items():
        assert_bad(rows, subject, found, remedy)


def test_nobody_is_there(domain_id: int, tmp_path: Path) -> None:
    ran = run(
        "doctor", "arm", "--domain", str(domain_id), "--seconds", "0.5", "--stepping", "step_service", COLUMNS="300"
    )
    assert ran.returncode == 1
    text = " ".join(ran.stdout.split())
    for words in (
        f"{domain_id}, discovery on this machine only (LOCALHOST); nodes there: 0",
        f"Start the robot with ROS_DOMAIN_ID={domain_id}, or pass --domain",
        "joint states /joint_states │ BAD │ nobody publishes",
        "simulator │ BAD │ no services of simulation_interfaces",
    ):
        assert words in text


# --- shared memory


def test_stale_files_are_those_that_nobody_holds(tmp_path: Path) -> None:
    names = ["fastrtps_0123456789abcdef", "fastdds_00000000000000ff", "fastrtps_port7411", "fastrtps_1111111111111111"]
    for name in names:
        for path in (tmp_path / name, tmp_path / f"{name}_el"):
            path.write_text("x")
            os.utime(path, (time.time() - 60.0,) * 2)
    (tmp_path / "sem.fastrtps_port7411_mutex").touch()
    (tmp_path / "somebody_else_el").touch()
    (tmp_path / "fastrtps_2222222222222222_el").touch()  # too young to be judged
    with (tmp_path / f"{names[0]}_el").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = {path.name for path in stale_files(tmp_path)}
    assert found == {
        *(f"{name}{end}" for name in names[1:] for end in ("", "_el")),
        "sem.fastrtps_port7411_mutex",
    }


def test_stale_files_are_a_bad_row(tmp_path: Path) -> None:
    from ros_gym_bridge.ros.doctor.graph_rows import shared_memory

    path = tmp_path / "fastrtps_0123456789abcdef_el"
    path.touch()
    os.utime(path, (time.time() - 60.0,) * 2)
    (row,) = shared_memory(tmp_path)
    assert (row.verdict, row.found) == (Verdict.BAD, f"1 stale files of Fast DDS in {tmp_path}, 0.0 MB")
    assert row.remedy.endswith(f"Remove them: rm {path}")
