"""Lockstep against the real node, by plain rclpy clients: one stamped command is one period and one state."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import JointState

from conftest import NodeProcess, slowness, wait_for
from plain_client import PlainClient, content, nanoseconds

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

PLAYING, PAUSED = 1, 2
PERIOD = 40_000_000  # of the arm: 25 Hz
PAN, LIFT, ELBOW, WRIST = "shoulder_pan_joint", "shoulder_lift_joint", "elbow_joint", "wrist_1_joint"


Pair = tuple[NodeProcess, PlainClient]


def test_one_command_is_one_period_and_one_state(pair: Pair) -> None:
    _, client = pair
    for step in range(1, 101):
        assert client.stamp == step * PERIOD
        client.send([PAN], position=[0.3 * math.sin(step / 10.0)])
        client.until(lambda: client.stamp != step * PERIOD, "the next state")  # noqa: B023
    stamps = [nanoseconds(state.header.stamp) for state in client.states]
    assert sorted(set(stamps)) == [step * PERIOD for step in range(1, 102)]
    for stamp in set(stamps):
        assert len({content(state) for state in client.at(stamp)}) == 1, "one stamp, one state"


def test_stamps_are_counted_where_a_period_is_no_whole_number(sim_process: Start, client: Make, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("extends: arm\nrates: {physics_hz: 210, control_hz: 70}\n")
    sim_process(robot=path, mode="lockstep")
    stranger = client()
    stranger.connect()
    for period in range(1, 75):
        assert stranger.stamp == period * 3 * 10**9 // 210
        stranger.step([PAN], position=[0.0])


def test_nothing_moves_without_a_command_and_a_late_client_learns_the_time_at_10_hz(pair: Pair, client: Make) -> None:
    _, first = pair
    for _ in range(7):
        first.step([PAN], position=[0.2])
    late = client(name="late", commands=())
    late.connect()
    late.states.clear()
    late.listen(2.0)
    assert 14 <= len(late.states) <= 22 or slowness() > 1.0
    assert {content(state) for state in late.states} == {content(first.states[-1])}
    assert late.stamp == 8 * PERIOD


def test_a_repeated_command_is_answered_with_the_same_state_and_not_stepped_twice(pair: Pair) -> None:
    _, client = pair
    heard = client.hear(DiagnosticArray, "/diagnostics")
    answer = client.step([PAN], position=[0.2])
    client.states.clear()
    for value in (0.2, 0.2, -0.5):
        client.send([PAN], position=[value], stamp=PERIOD)
    assert client.count(heard, "repeated", 3) == 3
    assert len(client.states) >= 3
    assert {content(state) for state in client.states} == {content(answer)}


def test_a_hundred_copies_of_a_command_are_one_step(pair: Pair) -> None:
    _, client = pair
    for step in range(1, 6):
        for _ in range(100):
            client.send([LIFT], position=[-1.3], stamp=step * PERIOD)
        client.until(lambda: client.stamp == (step + 1) * PERIOD, "the next state")  # noqa: B023
    client.listen(0.5)
    assert client.stamp == 6 * PERIOD


REFUSED = {
    "old_stamp": (PERIOD, "it answers an older state", "40000000"),
    "stamp_ahead": (9 * PERIOD, "it answers a state that has not been", "360000000"),
    "unstamped": (0, "header.stamp is 0", "0"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_command_for_another_state_is_refused_and_counted(pair: Pair, kind: str) -> None:
    node, client = pair
    stamp, what, got = REFUSED[kind]
    heard = client.hear(DiagnosticArray, "/diagnostics")
    client.step([PAN], position=[0.2])
    answer = client.step([PAN], position=[0.2])
    for _ in range(5):
        client.send([PAN], position=[-1.0], stamp=stamp)
    assert client.count(heard, f"refused_{kind}", 5) == 5
    assert content(client.states[-1]) == content(answer)
    line = node.says(what)
    assert line.endswith(
        f"Refused a command on 'joint_command': lockstep: {what}; got stamp {got} ns; expected 120000000 ns, the stamp "
        "of the current state; Copy header.stamp from the newest joint state into the command; nothing was stepped."
    )
    assert len(node.log(what)) == 1, "once a second"
    assert client.step([PAN], position=[0.2]).header.stamp.nanosec == 4 * PERIOD


# --- two agents


def test_two_publishers_are_refused_by_name_until_one_leaves(pair: Pair, client: Make) -> None:
    node, first = pair
    heard = first.hear(DiagnosticArray, "/diagnostics")
    second = client(name="second")
    second.connect()
    refused = 0

    def tell() -> bool:
        nonlocal refused
        refused += 1
        first.send([PAN], position=[0.1])
        first.listen(0.1)
        return bool(node.log("several nodes"))

    first.until(tell, "a refusal")
    assert (
        "Refused a command on 'joint_command': lockstep: several nodes publish commands, and nobody could tell whose "
        "command caused a state; got /plain_client, /second; expected one publisher; End all but one (a node that was "
        "killed leaves the graph by itself after about 2 s)."
    ) in node.log("several nodes")[0]
    stamp = first.stamp
    second.send([PAN], position=[0.1])
    assert first.count(heard, "refused_two_publishers", 2) >= 2
    assert first.stamp == stamp
    second.close()
    assert nanoseconds(first.step([PAN], position=[0.1]).header.stamp) == stamp + PERIOD


AGENT = """
    import sys
    sys.path.insert(0, sys.argv[2])
    from plain_client import PlainClient
    client = PlainClient(int(sys.argv[1]), name="doomed")
    client.connect()
    while True:
        print(client.step(["shoulder_pan_joint"], position=[0.1]).header.stamp.nanosec, flush=True)
"""


def test_an_agent_that_was_killed_is_replaced_within_3_s(pair: Pair, domain_id: int, client: Make) -> None:
    _, first = pair
    first.close()
    command = [sys.executable, "-c", textwrap.dedent(AGENT), str(domain_id), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        for _ in range(10):
            assert agent.stdout.readline()
        successor = client(name="successor")  # one that starts after the kill may hear nothing for a while: README
        successor.connect()
        agent.send_signal(signal.SIGKILL)
        killed = time.monotonic()
    assert successor.stamp >= 10 * PERIOD
    successor.step([PAN], position=[0.1])
    assert time.monotonic() - killed < 3.0 * slowness()


# --- several groups


def grouped(path: Path, *topics: str) -> Path:
    joints = [f"{PAN}, {LIFT}", f"{ELBOW}, {WRIST}", "wrist_2_joint, wrist_3_joint"]
    groups = [f"  - {{name: g{i}, joints: [{joints[i]}], topic: {topic}}}" for i, topic in enumerate(topics)]
    path.write_text("extends: arm\nactuators:\n" + "\n".join(groups) + "\n")
    return path


def test_a_step_waits_for_all_topics(sim_process: Start, client: Make, tmp_path: Path) -> None:
    sim_process(robot=grouped(tmp_path / "r.yaml", "upper", "lower", "hand/command"), mode="lockstep")
    stranger = client(commands=("upper", "lower", "hand/command"))
    heard = stranger.hear(DiagnosticArray, "/diagnostics")
    stranger.connect()
    stranger.send([PAN], position=[0.05], topic="upper")
    stranger.send([ELBOW], position=[math.nan], topic="lower")
    stranger.send(["wrist_3_joint"], position=[0.05], topic="hand/command")
    stranger.count(heard, "refused_not_finite", 1)
    stranger.send([PAN], position=[0.05], topic="upper")
    stranger.listen(0.5)
    assert stranger.stamp == PERIOD, "a refused command does not count"
    stranger.send([ELBOW], position=[1.0], topic="lower")
    stranger.until(lambda: stranger.stamp == 2 * PERIOD, "the step")
    stranger.send([ELBOW], position=[1.0], topic="lower", stamp=PERIOD)
    assert stranger.count(heard, "repeated", 1) == 1
    stranger.send([PAN], position=[0.05], topic="lower")
    assert stranger.count(heard, "refused_unknown_joint", 1) == 1, "a joint of another topic"
    assert stranger.stamp == 2 * PERIOD


def test_groups_that_share_a_topic_are_one_message(sim_process: Start, client: Make, tmp_path: Path) -> None:
    sim_process(robot=grouped(tmp_path / "r.yaml", "both", "both", "hand"), mode="lockstep")
    stranger = client(commands=("both", "hand"))
    stranger.connect()
    stranger.send([WRIST, LIFT], position=[0.5, -0.5], topic="both")
    stranger.listen(0.3)
    assert stranger.stamp == PERIOD
    stranger.send(["wrist_2_joint"], position=[0.0], topic="hand")
    stranger.until(lambda: stranger.stamp == 2 * PERIOD, "the step")


def test_channels_carry_the_stamp_of_their_reading(sim_process: Start, client: Make, tmp_path: Path) -> None:
    from geometry_msgs.msg import PoseStamped

    path = tmp_path / "r.yaml"
    path.write_text(
        "extends: arm\nchannels:\n  - {name: tool, kind: link_pose, link: tool0, topic: tool_pose, rate_hz: 5}\n"
    )
    sim_process(robot=path, mode="lockstep")
    stranger = client()
    poses = stranger.hear(PoseStamped, "tool_pose")
    stranger.connect()
    for _ in range(11):
        stranger.step([PAN], position=[0.5])
    stranger.until(lambda: poses and nanoseconds(poses[-1].header.stamp) == 15 * PERIOD, "the third sample")
    assert {nanoseconds(pose.header.stamp) for pose in poses} <= {5 * PERIOD, 10 * PERIOD, 15 * PERIOD}
    assert {pose.header.frame_id for pose in poses} == {"world"}


def test_physics_that_diverge_stand_still_until_a_reset(sim_process: Start, client: Make) -> None:
    node = sim_process(robot="arm", mode="lockstep")
    stranger = client()
    heard = stranger.hear(DiagnosticArray, "/diagnostics")
    joints = stranger.node.create_publisher(JointState, "sim_node/set_joint_state", 10)
    home = content(stranger.connect())
    stranger.set_state(PAUSED)
    stranger.until(joints.get_subscription_count, "the node's ear")
    joints.publish(JointState(name=[PAN], velocity=[1e300]))
    stranger.until(lambda: stranger.stamp > PERIOD, "the joint that was set")
    stranger.set_state(PLAYING)
    for _ in range(3):
        stranger.send([PAN], position=[0.1])
        stranger.listen(0.1)
    assert node.says("diverged").endswith("Time stands still until reset_simulation.")
    stranger.until(lambda: heard and heard[-1].status[0].level == b"\x02", "an error")
    assert heard[-1].status[0].message == "the physics has diverged; call reset_simulation"
    assert stranger.reset(0).result == 1
    stranger.until(lambda: stranger.stamp == PERIOD, "the first state")
    assert content(stranger.states[-1]) == home


def test_the_node_stays_idle_while_nobody_commands(sim_process: Start) -> None:
    node = sim_process(robot="arm", mode="lockstep", publish_tf=False)

    def cpu_s() -> float:
        fields = Path(f"/proc/{node.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before, start = cpu_s(), time.monotonic()
    wait_for(lambda: time.monotonic() - start > 3.0, 5.0, "3 s")
    assert (cpu_s() - before) / (time.monotonic() - start) < 0.05
