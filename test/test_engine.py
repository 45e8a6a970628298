"""The rules of lockstep, on the real physics and without ROS: which command steps, which is answered, which is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ros_gym_bridge.config import load_robot
from ros_gym_bridge.robot import RobotState
from ros_gym_bridge.sim.engine import Engine, Verdict
from ros_gym_bridge.sim.playback import Playback
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.sim.targets import Setpoint
from ros_gym_bridge.world_file import world_of

PERIOD = 40_000_000


class Bench:
    """An engine and what it published."""

    def __init__(self, lockstep: bool, *topics: str) -> None:
        self.simulation = Simulation(world_of(load_robot("arm")))
        self.simulation.reset(1, strict=False)
        self.simulation.rewind()
        self.published: list[RobotState] = []
        self.engine = Engine(self.simulation, dict.fromkeys(topics, 0), lockstep, self.published.extend)

    def command(self, stamp: int, topic: str = "one", joint: int = 0, value: float = 0.1) -> Verdict:
        return self.engine.command(topic, stamp, Setpoint([joint], [value]))

    @property
    def stamps(self) -> list[int]:
        return [state.stamp_ns for state in self.published]


Make = Callable[..., Bench]


@pytest.fixture
def make() -> Iterator[Make]:
    benches: list[Bench] = []

    def start(*topics: str, lockstep: bool = True) -> Bench:
        benches.append(Bench(lockstep, *(topics or ("one",))))
        return benches[-1]

    yield start
    for bench in benches:
        bench.simulation.close()


def test_time_begins_at_one_period(make: Make) -> None:
    assert make().engine.stamp_ns == PERIOD


def test_one_command_is_one_period_and_one_state(make: Make) -> None:
    bench = make()
    for period in range(1, 6):
        assert bench.command(period * PERIOD) is Verdict.STEPPED
        assert bench.stamps == [PERIOD * each for each in range(2, period + 2)]


def test_a_repeated_command_does_not_step_again_whatever_it_says(make: Make) -> None:
    bench = make()
    bench.command(PERIOD, value=0.1)
    assert bench.command(PERIOD, value=0.5) is Verdict.REPEATED
    assert bench.stamps == [2 * PERIOD]
    bench.engine.publish()
    assert bench.published[1] is bench.published[0]
    same = make()
    same.command(PERIOD, value=0.1)
    for each in (bench, same):
        each.command(2 * PERIOD, joint=1)
    assert bench.published[-1].position.tobytes() == same.published[-1].position.tobytes()


@pytest.mark.parametrize(
    ("stamp", "verdict"),
    [
        (0, Verdict.UNSTAMPED),
        (PERIOD, Verdict.OLD),
        (PERIOD + 1, Verdict.OLD),
        (3 * PERIOD - 1, Verdict.OLD),
        (3 * PERIOD + 1, Verdict.AHEAD),
        (4 * PERIOD, Verdict.AHEAD),
        (2 * PERIOD, Verdict.REPEATED),
        (3 * PERIOD, Verdict.STEPPED),
    ],
)
def test_the_stamp_decides(make: Make, stamp: int, verdict: Verdict) -> None:
    bench = make()
    bench.command(PERIOD)
    bench.command(2 * PERIOD)
    assert bench.command(stamp) is verdict
    assert len(bench.published) == (3 if verdict is Verdict.STEPPED else 2)


def test_a_refused_command_leaves_the_target_alone(make: Make) -> None:
    bench, same = make(), make()
    for each in (bench, same):
        each.command(PERIOD, value=0.05)
    bench.command(5 * PERIOD, value=1.0)
    bench.command(0, value=1.0)
    for each in (bench, same):
        each.command(2 * PERIOD, joint=2, value=1.1)
    assert bench.published[-1].position.tobytes() == same.published[-1].position.tobytes()


def test_the_step_waits_for_every_topic(make: Make) -> None:
    bench = make("one", "two", "three")
    assert bench.command(PERIOD, "two", joint=1) is Verdict.WAITING
    assert bench.command(PERIOD, "two", joint=1) is Verdict.WAITING
    assert bench.command(PERIOD, "one", joint=0) is Verdict.WAITING
    assert bench.stamps == []
    assert bench.command(PERIOD, "three", joint=2) is Verdict.STEPPED
    assert bench.stamps == [2 * PERIOD]
    assert bench.command(PERIOD, "one") is Verdict.REPEATED
    assert bench.command(2 * PERIOD, "one") is Verdict.WAITING


def test_the_last_command_of_a_topic_counts_until_the_step(make: Make) -> None:
    bench, same = make("one", "two"), make("one", "two")
    bench.command(PERIOD, "one", value=0.9)
    for each in (bench, same):
        each.command(PERIOD, "one", value=0.02)
        each.command(PERIOD, "two", joint=1, value=-0.5)
    assert bench.published[-1].position.tobytes() == same.published[-1].position.tobytes()


def test_joints_left_out_keep_their_last_target(make: Make) -> None:
    bench = make()
    bench.command(PERIOD, joint=0, value=0.05)
    home = bench.simulation.robots[0].spec.home
    bench.command(2 * PERIOD, joint=1, value=home[1] + 0.05)
    assert bench.published[-1].command[:3].tolist() == [0.05, home[1] + 0.05, home[2]]


@pytest.mark.parametrize("playback", [Playback.PAUSED, Playback.STOPPED])
def test_while_paused_a_command_is_a_target_for_steps_to_come(make: Make, playback: Playback) -> None:
    bench = make()
    bench.engine.playback = playback
    assert bench.command(0, value=0.05) is Verdict.TAKEN
    assert bench.stamps == []
    bench.engine.advance(20)
    assert bench.stamps == [2 * PERIOD]
    assert bench.published[-1].command[0] == 0.05


def test_in_real_time_a_command_is_a_target_and_stamps_do_not_matter(make: Make) -> None:
    bench = make(lockstep=False)
    assert bench.command(0, value=0.02) is Verdict.TAKEN
    assert bench.command(99 * PERIOD, value=0.05) is Verdict.TAKEN
    assert bench.stamps == []
    bench.engine.advance(20)
    assert bench.published[-1].command[0] == 0.05


def test_a_reset_brings_targets_home_and_time_one_period_on(make: Make) -> None:
    bench = make()
    home = bench.simulation.robots[0].spec.home[1]
    bench.command(PERIOD, joint=1, value=home + 0.05)
    bench.engine.reset(7, False)
    assert bench.stamps == [2 * PERIOD, 3 * PERIOD]
    bench.command(3 * PERIOD, joint=0, value=0.05)
    assert bench.published[-1].command[:2].tolist() == [0.05, home]


def test_no_command_from_before_a_reset_is_answered_as_a_repetition(make: Make) -> None:
    bench = make("one", "two")
    bench.command(PERIOD, "one")
    bench.command(PERIOD, "two")
    bench.command(2 * PERIOD, "one", value=0.5)
    bench.engine.reset(None, False)
    assert bench.command(PERIOD, "one") is Verdict.OLD
    assert bench.command(2 * PERIOD, "two") is Verdict.OLD
    assert bench.command(3 * PERIOD, "two") is Verdict.WAITING
    assert bench.command(3 * PERIOD, "one", value=0.02) is Verdict.STEPPED
    assert bench.published[-1].command[0] == 0.02


def test_a_rewind_keeps_the_state_and_turns_time_back(make: Make) -> None:
    bench = make()
    for period in range(1, 4):
        bench.command(period * PERIOD, value=0.3)
    bench.engine.rewind()
    moved, rewound = bench.published[-2:]
    assert (moved.stamp_ns, rewound.stamp_ns) == (4 * PERIOD, PERIOD)
    assert rewound.position.tobytes() == moved.position.tobytes()
    assert rewound.velocity.tobytes() == moved.velocity.tobytes()
    assert bench.command(3 * PERIOD) is Verdict.AHEAD
    assert bench.command(PERIOD) is Verdict.STEPPED
