"""Lockstep for long: no step lost, none doubled, and memory that does not grow."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray

from adapter_tools import resident_mb, running, script
from conftest import wait_for

AGENT = """
    import json, sys, time, gymnasium, numpy, ros_gym_bridge
    from ros_gym_bridge.robot import Command, read_only

    domain_id, steps = int(sys.argv[1]), int(sys.argv[2])
    env = gymnasium.make("ros_gym_bridge/Balance-v0", backend="topics", attach=True, domain_id=domain_id,
                         disable_env_checker=True)
    spec = env.unwrapped.robot_file.spec
    rng = numpy.random.default_rng(0)
    env.reset(seed=1)
    resets, resent, worst, first_ns, last_ns, begun = 1, 0, 0.0, None, None, time.monotonic()
    for i in range(steps):
        state = env.unwrapped._state
        action = rng.uniform(-1.0, 1.0, 1).astype(numpy.float32)
        _, _, terminated, truncated, info = env.step(action)
        after = env.unwrapped._state
        assert after.stamp_ns == spec.next_stamp(state.stamp_ns), i
        # moved by this command and no other
        assert after.effort[0] == info["applied_command"][0] == 10.0 * float(action[0]), i
        worst = max(worst, info["timing"]["round_trip_s"])
        if terminated or truncated:
            resent += info["timing"]["resent"]
            env.reset()
            resets += 1
        if i in (steps // 20, steps - 1):
            print("reached", i, flush=True)
            sys.stdin.readline()
    resent += info["timing"]["resent"]
    print("result", json.dumps({"resets": resets, "resent": resent, "worst_s": worst,
                                "last_ns": env.unwrapped._state.stamp_ns, "seconds": time.monotonic() - begun}))
    sys.stdin.readline()
    env.close()
"""


@pytest.mark.parametrize("steps", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_soak(
    steps: int,
    sim_process: Callable[..., Any],
    client: Callable[..., Any],
    domain_id: int,
    record_property: Callable[[str, object], None],
) -> None:
    node = sim_process(robot="cartpole", mode="lockstep")
    witness = client(commands=())
    diagnostics = witness.hear(DiagnosticArray, "/diagnostics")
    witness.connect()
    start_ns = witness.stamp
    with running(script(AGENT, str(domain_id), str(steps), ROS_DOMAIN_ID=domain_id)) as agent:
        warm = _memory(agent, node, steps // 20)
        end = _memory(agent, node, steps - 1, timeout_s=60.0 + steps / 200)
        result = json.loads(agent.says("result "))
        # the node's own count: every step and every reset has moved its time by one period, and nothing else has
        periods = result["last_ns"] - start_ns
        assert periods == (steps + result["resets"]) * 20_000_000
        asked = time.monotonic()
        wait_for(lambda: _last_s(witness, diagnostics, asked) == result["last_ns"] / 1e9, 10.0, "the node's count")
        counts = witness.counts(diagnostics)
        agent.tell("")
        assert agent.wait(10.0) == 0, agent.text()
    figures = {**result, "steps_per_s": steps / result["seconds"], "agent_mb": (warm[0], end[0])}
    figures.update(node_mb=(warm[1], end[1]), repeated=counts.get("repeated", "0"))
    record_property("figures", figures)
    print(figures)
    assert counts.get("refused_old_stamp", "0") == counts.get("refused_stamp_ahead", "0") == "0", counts
    assert int(counts.get("repeated", 0)) <= result["resent"]
    assert end[1] < 300.0
    for before, after in zip(warm, end, strict=True):
        assert after - before < 3.0, figures  # MB; one byte kept for each step would be 0.1


@pytest.mark.slow
def test_an_hour_of_simulated_time_at_full_speed(
    sim_process: Callable[..., Any], client: Callable[..., Any], record_property: Callable[[str, object], None]
) -> None:
    """Memory stays, and so does the speed."""
    node = sim_process(robot="arm", real_time_factor=0.0)
    witness = client(commands=())
    diagnostics = witness.hear(DiagnosticArray, "/diagnostics")
    marks: list[tuple[float, float, float]] = []  # simulated s, wall s, MB
    for minute in range(0, 61, 6):
        witness.until(lambda: _simulated_s(witness, diagnostics) >= 60.0 * minute, f"{minute} min", 600.0)  # noqa: B023
        marks.append((_simulated_s(witness, diagnostics), time.monotonic(), resident_mb(node.pid)))
    speeds = [(b[0] - a[0]) / (b[1] - a[1]) for a, b in itertools.pairwise(marks[1:])]
    figures = {"times_real_time": speeds, "node_mb": [mark[2] for mark in marks]}
    record_property("figures", figures)
    print(figures)
    assert max(mark[2] for mark in marks) - marks[1][2] < 3.0, figures
    assert min(speeds[-3:]) > 0.5 * max(speeds[:3]), figures
    counts = witness.counts(diagnostics)
    assert not [kind for kind in counts if kind.startswith("refused")], counts


def _simulated_s(witness: Any, diagnostics: list[Any]) -> float:
    """Of the newest report; forgets the older ones."""
    del witness.states[:], diagnostics[:-1]
    return float(witness.counts(diagnostics).get("simulated_s", 0.0))


def _memory(agent: Any, node: Any, step: int, timeout_s: float = 60.0) -> tuple[float, float]:
    """MB of agent and node when a step has been reached; then the agent goes on."""
    agent.says(f"reached {step}", timeout_s)
    memory = resident_mb(agent.pid), resident_mb(node.pid)
    agent.tell("")
    return memory


def _last_s(witness: Any, diagnostics: list[Any], since: float) -> float:
    """Simulated seconds in the newest report."""
    witness.listen(0.05)
    del witness.states[:]
    return float(witness.counts(diagnostics).get("simulated_s", -1.0))
