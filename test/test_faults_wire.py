"""A bad wire in lockstep: the episode is equal bit for bit to the undisturbed one, or an error says in time what is
wrong. What cannot be heard is said again, and nothing is done twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import JointState

from adapter_tools import Transcript, first_difference, from_zero, make
from conftest import NodeProcess, node_processes, plain_clients, private_domain, wait_for
from fault_tools import Relay, in_time, relays
from plain_client import DEEP, PlainClient, nanoseconds
from ros_gym_bridge import load_robot
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.errors import CommandError, RobotLostError
from ros_gym_bridge.robot import Command, read_only
from ros_gym_bridge.ros.topic_robot import TopicRobot
from ros_gym_bridge.sim.sim_robot import SimRobot
from test_parity import ROBOT, assert_equal

Start = Callable[..., Any]
PERIOD_NS = 20_000_000
EQUAL = "the episode is equal bit for bit to the undisturbed one"
AGAIN = "`reset()` connects again; the episode is equal bit for bit"


class Bench:
    """A cart-pole in lockstep behind a bad wire, and environments on it."""

    def __init__(self, node: NodeProcess, relay: Relay, client: PlainClient) -> None:
        self.node, self.relay, self.client = node, relay, client
        self._raw: list[JointState] = client.hear(JointState, "raw/joint_states", DEEP)
        keywords = {"backend": "topics", "attach": True, "domain_id": node.domain_id, "connect_timeout_s": 20.0}
        self.env = make("Balance", step_timeout_s=10.0, **keywords)
        self.hasty = make("Balance", step_timeout_s=1.0, **keywords)
        self._direct = make("Balance")

    def close(self) -> None:
        for each in (self.env, self.hasty, self._direct):
            each.close()

    def stamp(self, quiet_s: float = 0.3) -> int:
        """Where the node's time stands, by what it tells itself when all is quiet."""
        self.client.listen(quiet_s)
        return nanoseconds(self._raw[-1].header.stamp)

    def expected(self, steps: int) -> Transcript:
        return from_zero(drive(self._direct, steps))

    def equal(self, steps: int, env: Any, **faults: float) -> None:
        """An episode under faults, which must be the undisturbed one."""
        driven = drive(env, steps, lambda: self.relay.set(**faults))
        assert first_difference(self.expected(steps), from_zero(driven)) == ""


def drive(env: Any, steps: int, begun: Callable[[], None] = lambda: None) -> Transcript:
    """So many steps of an episode, under the same actions every time."""
    transcript, actions = Transcript(), np.random.default_rng(3)
    transcript.add(*env.reset(seed=5))
    begun()
    for _ in range(steps):
        action = actions.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
        transcript.add(*reordered(env.step(action)))
    return transcript


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("wire")
    with (
        private_domain() as domain,
        node_processes(domain, folder) as node,
        relays(domain) as relay,
        plain_clients(domain) as client,
    ):
        remap = ["-r", "joint_command:=raw/joint_command", "-r", "joint_states:=raw/joint_states"]
        bench = Bench(
            node(*remap, robot="cartpole", mode="lockstep"),
            relay("joint_command>raw/joint_command", "raw/joint_states>joint_states"),
            client(commands=()),
        )
        yield bench
        bench.close()


@pytest.fixture
def bench(shared: Bench) -> Iterator[Bench]:
    yield shared
    shared.relay.set()


@pytest.mark.parametrize(
    ("key", "steps", "faults"),
    [
        ("loss", 40, {"drop": 0.2}),
        ("delay", 15, {"delay_s": 0.06}),
        ("jitter", 20, {"jitter_s": 0.1}),
        ("order", 40, {"swap": 0.5}),
        ("double", 40, {"double": 0.5}),
    ],
)
def test_bad_wires_change_nothing(fault: Any, bench: Bench, key: str, steps: int, faults: dict[str, float]) -> None:
    with fault(f"lockstep.{key}") as row:
        before = bench.relay.counts()
        with in_time(row):
            bench.equal(steps, bench.env, **faults)
        moved = (bench.stamp() - bench.env.unwrapped.robot._state.stamp_ns) // PERIOD_NS + steps
        timing = bench.env.unwrapped.robot.timing()
        after = bench.relay.counts()
        assert all(after[name] > before[name] for name in faults), "the fault was there"
        if key != "double":
            assert timing["resent"] > 0
        row.seen = "nothing" if key == "double" else '`info["timing"]["resent"]` counts what was sent again'
        row.after = EQUAL
        row.counted(steps, moved)


@pytest.mark.parametrize(
    ("key", "on", "faults", "moved"),
    [
        ("cut", "", {"drop": 1.0}, 0),
        ("nan_always", "joint_states", {"nan": 1.0}, 1),
        ("frozen", "joint_states", {"freeze": 1.0}, 1),
        ("back", "joint_states", {"back_s": 5.0}, 1),
    ],
)
def test_what_cannot_be_mended_is_said(
    fault: Any, bench: Bench, key: str, on: str, faults: dict[str, float], moved: int
) -> None:
    """The step that was asked for may have been made; it is made once, however often it was sent."""
    with fault(f"lockstep.{key}") as row:
        drive(bench.hasty, 3)
        before = bench.stamp()
        assert before == bench.hasty.unwrapped.robot._state.stamp_ns
        bench.relay.set(on, **faults)
        with in_time(row), pytest.raises(RobotLostError) as caught:
            bench.hasty.step(np.zeros(1, dtype=np.float32))
        row.raised(caught.value)
        bench.relay.set()
        row.counted(moved, (bench.stamp() - before) // PERIOD_NS)
        bench.equal(5, bench.hasty)
        row.after = AGAIN


def test_nan_now_and_then(fault: Any, bench: Bench) -> None:
    with fault("lockstep.nan") as row:
        drive(bench.env, 1)
        before = dict(bench.env.unwrapped.robot.timing())
        with in_time(row):
            driven = drive(bench.env, 30, lambda: bench.relay.set("joint_states", nan=0.3))
        assert first_difference(bench.expected(30), from_zero(driven)) == ""
        refused = "joint_states.refused"
        assert bench.env.unwrapped.robot.timing()[refused] > before.get(refused, 0)
        row.seen = f'`info["timing"]["{refused}"]` counts them'
        row.after = EQUAL
        row.counted(30, 30 + (bench.stamp() - bench.env.unwrapped.robot._state.stamp_ns) // PERIOD_NS)


def test_nan_in_commands(fault: Any, bench: Bench) -> None:
    with fault("lockstep.nan_command") as row:
        with in_time(row):
            driven = drive(bench.env, 30, lambda: bench.relay.set("raw/joint_command", nan=0.3))
        assert first_difference(bench.expected(30), from_zero(driven)) == ""
        bench.node.says("Refused a command on 'joint_command': .*; got nan")
        assert bench.env.unwrapped.robot.timing()["resent"] > 0
        row.seen = "`refused_not_finite` on `/diagnostics`, a line in the node's log, `resent` in `info`"
        row.after = EQUAL
        row.counted(30, 30 + (bench.stamp() - bench.env.unwrapped.robot._state.stamp_ns) // PERIOD_NS)


def test_a_node_that_stands_still_for_a_while(fault: Any, bench: Bench) -> None:
    with fault("lockstep.stopped") as row:
        pid = bench.node.pid
        drive(bench.env, 3)
        begun = time.monotonic()

        def pause() -> None:
            os.kill(pid, signal.SIGSTOP)
            until = time.monotonic() + 0.5
            wait_for(lambda: time.monotonic() > until, 2.0, "half a second")
            os.kill(pid, signal.SIGCONT)

        with in_time(row):
            driven = drive(bench.env, 10, lambda: threading.Thread(target=pause).start())
        assert time.monotonic() - begun > 0.5
        assert first_difference(bench.expected(10), from_zero(driven)) == ""
        row.seen = '`info["timing"]["resent"]` counts what was sent again'
        row.after = EQUAL
        row.counted(10, 10 + (bench.stamp() - bench.env.unwrapped.robot._state.stamp_ns) // PERIOD_NS)


def test_a_node_that_hangs(fault: Any, bench: Bench) -> None:
    with fault("lockstep.hangs") as row:
        drive(bench.hasty, 3)
        before = bench.stamp()
        os.kill(bench.node.pid, signal.SIGSTOP)
        try:
            with in_time(row), pytest.raises(RobotLostError) as caught:
                bench.hasty.step(np.zeros(1, dtype=np.float32))
        finally:
            os.kill(bench.node.pid, signal.SIGCONT)
        row.raised(caught.value)
        moved = (bench.stamp(1.0) - before) // PERIOD_NS
        row.counted(min(moved, 1), moved)  # what it had heard before it stood still, it does afterwards, once
        bench.equal(5, bench.hasty)
        row.after = AGAIN


def test_what_was_there_before_is_no_first_state(fault: Any, bench: Bench) -> None:
    """Time has moved since this environment looked, by more states than its queue holds."""
    with fault("lockstep.between") as row:
        drive(bench.env, 2)
        drive(bench.hasty, 5)
        bench.stamp(1.0)
        bench.relay.set("joint_states", delay_s=0.02)  # the answer of the reset comes before the state after it
        with in_time(row):
            bench.equal(5, bench.env)
        row.counted(5, 5 + (bench.stamp() - bench.env.unwrapped.robot._state.stamp_ns) // PERIOD_NS)
        row.seen, row.after = "nothing", EQUAL


def test_an_action_that_is_no_number(fault: Any, bench: Bench) -> None:
    with fault("lockstep.action") as row:
        expected = bench.expected(3)
        drive(bench.env, 1)
        driven = drive(bench.env, 2)
        with in_time(row), pytest.raises(CommandError) as caught:
            bench.env.step(np.full(1, np.nan, dtype=np.float32))
        row.raised(caught.value)
        stamp_ns = bench.env.unwrapped.robot._state.stamp_ns
        row.counted(0, (bench.stamp() - stamp_ns) // PERIOD_NS)
        driven.add(*reordered(bench.env.step(third_action(bench.env))))
        assert first_difference(expected, from_zero(driven)) == ""
        row.after = "nothing was applied; the next `step` goes on, and the episode is equal bit for bit"


def third_action(env: Any) -> Any:
    return np.random.default_rng(3).uniform(-1.0, 1.0, (3, *env.action_space.shape)).astype(np.float32)[2]


def reordered(step: Any) -> tuple[Any, ...]:
    """What a transcript takes, of what `step` returns."""
    observation, reward, terminated, truncated, info = step
    return observation, info, reward, terminated, truncated


def test_another_publisher_of_states(fault: Any, bench: Bench) -> None:
    with fault("lockstep.states") as row:
        drive(bench.hasty, 3)
        publisher = bench.client.node.create_publisher(JointState, "joint_states", 10)
        try:
            bench.client.until(publisher.get_subscription_count, "somebody who hears")
            state = JointState(name=["slider_to_cart", "cart_to_pole"], position=[0.0, 0.0])
            state.header.stamp.sec = 2**30
            inbox = bench.hasty.unwrapped.robot._link.inbox
            heard = inbox.received
            before = bench.stamp()
            publisher.publish(state)
            bench.hasty.unwrapped.robot._link.listen(lambda: inbox.newest_ns > before, 5.0)
            assert inbox.received > heard
            with in_time(row), pytest.raises(RobotLostError) as caught:
                bench.hasty.step(np.zeros(1, dtype=np.float32))
        finally:
            bench.client.node.destroy_publisher(publisher)
        row.raised(caught.value)
        row.counted(0, (bench.stamp() - before) // PERIOD_NS)
        bench.equal(5, bench.hasty)
        row.after = AGAIN


def test_two_command_topics_and_a_sensor(
    fault: Any, sim_process: Start, relay: Start, domain_id: int, tmp_path: Path
) -> None:
    path = tmp_path / "panda_in_parts.yaml"
    path.write_text(ROBOT)
    inward, outward = ["arm/command", "hand/command"], ["arm/joint_states", "tip_pose", "elbow_pose"]
    remap = [part for topic in inward + outward for part in ("-r", f"{topic}:=raw/{topic}")]
    sim_process(*remap, robot=path, mode="lockstep")
    wire = relay(*[f"{topic}>raw/{topic}" for topic in inward], *[f"raw/{topic}>{topic}" for topic in outward])
    wire.set(drop=0.1, double=0.1, swap=0.1, delay_s=0.001, jitter_s=0.01)
    robot = load_robot(path)
    pair = SimRobot(robot), TopicRobot(robot, Connection(attach=True, domain_id=domain_id, step_timeout_s=10.0))
    steps = 25
    with fault("lockstep.all") as row:
        try:
            rng = np.random.default_rng(0)
            for seed in (1, None):
                states = [each.reset(seed) for each in pair]
                offset = states[1].stamp_ns - states[0].stamp_ns
                with in_time(row):
                    for _ in range(steps):
                        change = 0.1 * rng.uniform(-1.0, 1.0, len(robot.spec.commands))
                        vector = read_only(robot.spec.command_home + change)
                        states = [each.step(Command(vector, s.stamp_ns)) for each, s in zip(pair, states, strict=True)]
                        assert_equal(states[0], _earlier(states[1], offset))
                assert pair[1].timing()["resent"] > 0
        finally:
            for each in pair:
                each.close()
        row.seen = '`info["timing"]["resent"]` counts what was sent again'
        row.after = EQUAL
        row.counted(steps, steps)


def _earlier(state: Any, offset: int) -> Any:
    channels = {n: sample._replace(stamp_ns=sample.stamp_ns - offset) for n, sample in state.channels.items()}
    return state._replace(stamp_ns=state.stamp_ns - offset, channels=channels)
