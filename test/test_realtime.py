"""Real time against the real node, by plain rclpy clients: pace, pauses, stalls, and the newest command."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64

from conftest import NodeProcess, slowness, wait_for
from plain_client import DEEP, PlainClient, nanoseconds

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

PERIOD = 40_000_000
PAUSED, PLAYING = 2, 1


def timed(client: PlainClient) -> list[tuple[float, int]]:
    """When each state arrived, seconds on the steady clock, and its stamp."""
    heard: list[tuple[float, int]] = []

    def note(state: JointState) -> None:
        heard.append((time.monotonic(), nanoseconds(state.header.stamp)))

    client.node.create_subscription(JointState, "joint_states", note, DEEP)
    return heard


def pace(heard: list[tuple[float, int]]) -> float:
    """Simulated seconds for each second of the wall clock."""
    (then, before), (now, after) = heard[0], heard[-1]
    return (after - before) / 1e9 / (now - then)


@pytest.mark.parametrize("factor", [1.0, 0.5, 4.0])
def test_time_keeps_pace_with_the_wall_clock(sim_process: Start, client: Make, factor: float) -> None:
    sim_process(robot="arm", mode="realtime", real_time_factor=factor)
    stranger = client(commands=())
    stranger.connect()
    heard = timed(stranger)
    stranger.listen(3.0)
    assert pace(heard) == pytest.approx(factor, rel=0.03 * slowness())
    steps = [(b[1] - a[1]) // PERIOD for a, b in zip(heard, heard[1:])]  # noqa: B905, RUF007
    assert set(steps) <= {0, 1}, "every period is published, in order"


def test_factor_zero_is_as_fast_as_possible(sim_process: Start, client: Make) -> None:
    sim_process(robot="arm", mode="realtime", real_time_factor=0.0)
    stranger = client(commands=())
    stranger.connect()
    heard = timed(stranger)
    stranger.listen(2.0)
    assert pace(heard) > 5.0
    assert stranger.state() == PLAYING, "services are answered all the while"


def test_an_integer_is_a_factor_too(sim_process: Start, client: Make) -> None:
    sim_process(robot="arm", mode="realtime", real_time_factor=2)
    stranger = client(commands=())
    stranger.connect()
    assert stranger.parameters("real_time_factor") == {"real_time_factor": 2.0}
    heard = timed(stranger)
    stranger.listen(2.0)
    assert pace(heard) == pytest.approx(2.0, rel=0.05 * slowness())


def test_the_factor_that_is_reached_is_published(sim_process: Start, client: Make) -> None:
    sim_process(robot="arm", mode="realtime", real_time_factor=3.0)
    stranger = client(commands=())
    factors, diagnostics = stranger.hear(Float64, "real_time_factor"), stranger.hear(DiagnosticArray, "/diagnostics")
    stranger.until(lambda: len(factors) >= 3 and diagnostics, "factors")
    assert factors[-1].data == pytest.approx(3.0, rel=0.1 * slowness())
    assert float(stranger.counts(diagnostics)["real_time_factor"]) == pytest.approx(3.0, rel=0.1 * slowness())
    assert stranger.set_state(PAUSED).result == 1
    stranger.until(lambda: factors[-1].data == 0.0, "a factor of 0 while time stands")


def test_the_factor_changes_at_run_time(sim_process: Start, client: Make) -> None:
    sim_process(robot="arm", mode="realtime", real_time_factor=0.001)
    stranger = client(commands=())
    stranger.connect()
    before = stranger.stamp
    assert stranger.set_parameter("real_time_factor", 2).successful
    heard = timed(stranger)
    stranger.listen(2.0)
    assert stranger.stamp > before
    assert pace(heard) == pytest.approx(2.0, rel=0.05 * slowness())


def test_a_pause_is_no_debt(sim_process: Start, client: Make) -> None:
    node = sim_process(robot="arm", mode="realtime")
    stranger = client(commands=())
    stranger.connect()
    assert stranger.set_state(PAUSED).result == 1
    heard = timed(stranger)
    stranger.listen(1.5)
    assert len({stamp for _, stamp in heard}) == 1, "time stands"
    assert len(heard) >= 5, "and is told all the same"
    assert stranger.set_state(PLAYING).result == 1
    heard.clear()
    stranger.listen(1.5)
    assert pace(heard) == pytest.approx(1.0, rel=0.1 * slowness())
    assert heard[-1][1] - heard[0][1] < 1.8e9
    assert not node.log("behind"), "a pause is not a stall"


def test_a_stall_is_said_and_counted_and_not_caught_up(sim_process: Start, client: Make) -> None:
    node = sim_process(robot="arm", mode="realtime")
    stranger = client(commands=())
    diagnostics = stranger.hear(DiagnosticArray, "/diagnostics")
    stranger.connect()
    stranger.listen(0.3)
    earlier = len(node.log("behind the wall clock"))  # the machine itself may have stalled
    node.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    wait_for(lambda: time.monotonic() - stopped > 1.0, 3.0, "a second")
    stranger.listen(0.1)
    before = stranger.stamp
    heard = timed(stranger)
    stranger.listen(0.1)
    node.signal(signal.SIGCONT)
    line = wait_for(lambda: node.log("behind the wall clock")[earlier:], 20.0, "a report of the stall")[0]
    stranger.listen(1.5)
    late_ms = int(line.partition("fell ")[2].partition(" ms")[0])
    assert 900 <= late_ms <= 1300 * slowness()
    assert line.endswith(f"Simulated time fell {late_ms} ms behind the wall clock and goes on from here at pace.")
    assert stranger.count(diagnostics, "overruns", 1) >= 1
    moved = [(when, stamp) for when, stamp in heard if stamp > before + PERIOD]
    assert pace(moved) == pytest.approx(1.0, rel=0.1 * slowness()), "no burst"
    assert moved[0][1] <= before + 5 * PERIOD


def test_the_newest_command_wins_in_a_flood(sim_process: Start, client: Make) -> None:
    sim_process(robot="arm", mode="realtime")
    stranger = client()
    home = stranger.connect().position[0]
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        for value in (0.5, -0.5, 0.9, 0.0):
            stranger.send(["shoulder_pan_joint"], position=[home + value])
        stranger.listen(0.002)
    stranger.send(["shoulder_pan_joint"], position=[home + 0.3])
    sent = stranger.stamp
    stranger.until(lambda: stranger.stamp >= sent + 10 * PERIOD, "10 periods")
    arrived = [state for state in stranger.states if nanoseconds(state.header.stamp) > sent]
    gone = [state.position[0] for state in arrived]
    assert gone[4] > gone[0] + 0.02 or gone[0] > 0.25, "no queue of old commands is worked off first"
    stranger.until(lambda: abs(stranger.states[-1].position[0] - home - 0.3) < 0.01, "the last command")


def test_two_publishers_are_welcome_in_real_time(sim_process: Start, client: Make) -> None:
    node = sim_process(robot="arm", mode="realtime")
    first, second = client(name="first"), client(name="second")
    first.connect()
    second.connect()
    first.send(["shoulder_pan_joint"], position=[0.3], stamp=0)
    second.send(["elbow_joint"], position=[1.0], stamp=0)

    def there() -> bool:
        position = dict(zip(first.states[-1].name, first.states[-1].position, strict=True))
        return abs(position["shoulder_pan_joint"] - 0.3) < 0.01 and abs(position["elbow_joint"] - 1.0) < 0.01

    first.until(there, "both joints")
    assert not node.log("Refused")


def test_bad_commands_are_refused_in_real_time_too(sim_process: Start, client: Make) -> None:
    node = sim_process(robot="arm", mode="realtime")
    stranger = client()
    heard = stranger.hear(DiagnosticArray, "/diagnostics")
    stranger.connect()
    stranger.send(["shoulder_pan_joint"], position=[0.2], stamp=0)
    stranger.until(lambda: abs(stranger.states[-1].position[0] - 0.2) < 0.01, "the good command")
    for _ in range(3):
        stranger.send(["shoulder_pan_joint", "nose"], position=[1.0, 1.0], stamp=0)
        stranger.send(["shoulder_pan_joint"], position=[float("nan")], stamp=0)
    stranger.count(heard, "refused_unknown_joint", 3)
    stranger.count(heard, "refused_not_finite", 3)
    stranger.listen(0.3)
    assert abs(stranger.states[-1].position[0] - 0.2) < 0.01
    assert len(node.log("unknown joint")) == len(node.log("is not finite")) == 1


def test_a_reset_while_playing_goes_on_at_pace(sim_process: Start, client: Make) -> None:
    node = sim_process(robot="arm", mode="realtime")
    stranger = client()
    home = list(stranger.connect().position)
    stranger.send(["shoulder_pan_joint"], position=[0.5])
    stranger.until(lambda: stranger.states[-1].position[0] > 0.4, "the arm to move")
    before = stranger.stamp
    assert stranger.reset(2).result == 1
    assert stranger.stamp >= before
    heard = timed(stranger)
    stranger.listen(1.0)
    assert list(stranger.states[-1].position) == pytest.approx(home, abs=0.02), "no snap back to the old target"
    assert pace(heard) == pytest.approx(1.0, rel=0.1 * slowness())
    assert not node.log("ERROR")
