"""How fast, as ratios measured in one run: prints a table and writes `bench/results.json`.

Speeds that are compared are measured in turns, so that a busy machine slows both. `--quick` shortens every measurement.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from rich.console import Console
from rich.table import Table
from sensor_msgs.msg import JointState

import ros_gym_bridge  # noqa: F401 (registers the ids)
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.own_node import PrivateDomain
from ros_gym_bridge.ros.session import Session

HERE = Path(__file__).parent
REACH = "ros_gym_bridge/Reach-v0"
ENDLESS = {"time_limit_s": 1e9, "radius": 1e-4}

BUDGETS: dict[str, tuple[Callable[[float, float], bool], float]] = {
    "direct_over_raw_4": (float.__ge__, 0.90),
    "direct_over_raw_20": (float.__ge__, 0.95),
    "direct_over_panda_gym": (float.__ge__, 1.75),
    "lockstep_over_bound": (float.__ge__, 0.90),
    "two_workers_over_one": (float.__ge__, 1.9),
    "realtime_1khz_mean_us": (float.__le__, 50.0),
    "realtime_1khz_p99_us": (float.__le__, 250.0),
    "reset_ms": (float.__lt__, 0.2),
    "idle_node_cpu": (float.__lt__, 0.05),
    "idle_adapter_cpu": (float.__lt__, 0.05),
}


def rate(call: Callable[[], object], seconds: float) -> float:
    """Calls per second."""
    begun, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - begun) < seconds:
        for _ in range(10):
            call()
        count += 10
    return count / elapsed


def in_turns(calls: dict[str, Callable[[], object]], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Calls per second of each, one after the other, round by round."""
    rates: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            rates[name].append(rate(call, seconds))
    return rates


def median_ratio(above: list[float], below: list[float]) -> float:
    """The median over the rounds."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def stepper(env: gymnasium.Env[Any, Any]) -> Callable[[], object]:
    """Steps an environment with a constant action, and resets it when an episode ends."""
    action = np.full(env.action_space.shape, 0.2, dtype=np.float32)  # type: ignore[arg-type]

    def step() -> None:
        *_, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()

    env.reset(seed=0)
    for _ in range(60):
        step()
    return step


def direct_over_raw(physics_steps: int, turns: tuple[int, float]) -> float:
    """Environment steps of the Panda over the most that PyBullet could do, in the same pose of the same world."""
    env = gymnasium.make(REACH, robot="panda", control_hz=500 // physics_steps, **ENDLESS)
    step = stepper(env)
    raw = env.unwrapped.robot.simulation.world.step  # type: ignore[attr-defined]

    def bare() -> None:
        for _ in range(physics_steps):
            raw()

    rates = in_turns({"env": step, "raw": bare}, *turns)
    env.close()
    return median_ratio(rates["env"], rates["raw"])


def direct_over_panda_gym(turns: tuple[int, float]) -> float:
    """Against another Panda environment on PyBullet with the same time step and the same number of physics steps."""
    import panda_gym  # noqa: F401 (registers its ids)

    ours = gymnasium.make(REACH, robot="panda", **ENDLESS)
    with quiet():
        theirs = gymnasium.make("PandaReach-v3", control_type="joints")
    rates = in_turns({"ours": stepper(ours), "theirs": stepper(theirs)}, *turns)
    ours.close()
    theirs.close()
    return median_ratio(rates["ours"], rates["theirs"])


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the other environment's chatter off the table."""
    saved, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)


class PingPong:
    """A JointState of seven joints, there and back between two processes."""

    def __init__(self) -> None:
        self._domain = PrivateDomain()
        self._process = start([sys.executable, str(HERE / "pong.py")], self._domain.domain_id)
        self._session = Session("ping", domain_id=self._domain.domain_id, quiet=True)
        self._back = 0
        self._publisher = self._session.node.create_publisher(JointState, "ping", qos.COMMANDS)
        self._session.node.create_subscription(JointState, "pong", self._heard, qos.JOINT_STATES)
        self._message = JointState(name=[f"joint_{i}" for i in range(7)], position=[0.0] * 7)
        found = self._session.spin_until(self._both_ways, 10.0)
        assert found, "the other end of the ping-pong did not come"

    def once(self) -> None:
        """There and back."""
        before = self._back
        self._publisher.publish(self._message)
        assert self._session.spin_until(lambda: self._back > before, 5.0), "a ping was not answered within 5 s"

    def close(self) -> None:
        """End the other process."""
        stop(self._process)
        self._session.close()
        self._domain.release()

    def _heard(self, _: JointState) -> None:
        self._back += 1

    def _both_ways(self) -> bool:
        if self._publisher.get_subscription_count():
            self._publisher.publish(self._message)
        return self._back > 3


def lockstep(turns: tuple[int, float]) -> dict[str, float]:
    """Environment steps over topics, against what the wire and the physics alone would allow."""
    direct, topics = (gymnasium.make(REACH, robot="panda", backend=b, **ENDLESS) for b in ("sim", "topics"))
    ping = PingPong()
    calls = {"pingpong": ping.once, "direct": stepper(direct), "lockstep": stepper(topics)}
    rates = in_turns(calls, *turns)
    for thing in (direct, topics, ping):
        thing.close()  # type: ignore[attr-defined]
    bound = [1.0 / (1.0 / p + 1.0 / d) for p, d in zip(rates["pingpong"], rates["direct"], strict=True)]
    return {
        "lockstep_over_bound": median_ratio(rates["lockstep"], bound),
        "lockstep_steps_per_s": statistics.median(rates["lockstep"]),
        "pingpong_per_s": statistics.median(rates["pingpong"]),
    }


def resets(seconds: float) -> dict[str, float]:
    """Milliseconds of `env.reset()` of the Panda, by snapshot and by reload."""
    env = gymnasium.make(REACH, robot="panda")
    env.reset(seed=0)
    quick = [1e3 / rate(env.reset, seconds / 5) for _ in range(5)]
    strict = []
    for _ in range(5):
        begun = time.perf_counter()
        env.reset(options={"strict": True})
        strict.append(1e3 * (time.perf_counter() - begun))
    env.close()
    return {"reset_ms": statistics.median(quick), "strict_reset_ms": statistics.median(strict)}


def _work(seconds: float, results: Any) -> None:
    env = gymnasium.make(REACH, robot="panda", **ENDLESS)
    results.put(rate(stepper(env), seconds))


def two_workers_over_one(rounds: int, seconds: float) -> float:
    """Steps per second of two processes together, over those of one."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()

    def together(count: int) -> float:
        workers = [context.Process(target=_work, args=(seconds, results)) for _ in range(count)]
        for worker in workers:
            worker.start()
        rates = [results.get() for _ in workers]
        for worker in workers:
            worker.join()
        return float(sum(rates))

    return statistics.median(together(2) / together(1) for _ in range(rounds))


def realtime_1khz(seconds: float) -> dict[str, float]:
    """How steadily a node publishes at 1 kHz, at its end of the wire."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "panda_1khz.yaml"
        path.write_text("extends: panda\nname: panda_1khz\nrates: {physics_hz: 1000, control_hz: 1000}\n")
        settings = ["--ros-args", "-p", f"robot:={path}", "-p", "publish_tf:=false", "--log-level", "error"]
        command = [sys.executable, str(HERE / "paced_node.py"), str(seconds), *settings]
        output = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=environment()).stdout
    figures = json.loads(output.splitlines()[-1])
    return {f"realtime_1khz_{name}": float(value) for name, value in figures.items()}


def node_alone(seconds: float) -> dict[str, float]:
    """From starting a node to its first state, and the share of a core that it takes while nobody commands it."""
    domain = PrivateDomain()
    session = Session("watcher", domain_id=domain.domain_id, quiet=True)
    stamps: list[float] = []
    session.node.create_subscription(
        JointState, "joint_states", lambda _: stamps.append(time.monotonic()), qos.JOINT_STATES
    )
    begun = time.monotonic()
    settings = ["--ros-args", "-p", "mode:=lockstep", "--log-level", "error"]
    command = [sys.executable, "-m", "ros_gym_bridge.ros.sim_node", "--until-stdin-closes", *settings]
    process = start(command, domain.domain_id)
    assert session.spin_until(lambda: stamps, 30.0), "no state within 30 s"
    first = stamps[0] - begun
    before = cpu_seconds(process.pid)
    time.sleep(seconds)
    idle = (cpu_seconds(process.pid) - before) / seconds
    stop(process)
    session.close()
    domain.release()
    return {"first_state_s": first, "idle_node_cpu": idle}


def idle_adapter(seconds: float) -> float:
    """Share of a core that an environment over topics takes while nobody steps it."""
    command = [sys.executable, str(HERE / "idle_adapter.py"), str(seconds)]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=environment()).stdout
    return float(output.splitlines()[-1])


def environment(domain_id: int | None = None) -> dict[str, str]:
    """This process's environment, in a domain of its own."""
    domain = domain_id if domain_id is not None else 100 + os.getpid() % 2
    return {**os.environ, "ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


def start(command: list[str], domain_id: int) -> subprocess.Popen[bytes]:
    """A process that ends when its standard input is closed."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment(domain_id))


def stop(process: subprocess.Popen[bytes]) -> None:
    """Close its standard input and wait."""
    assert process.stdin is not None
    process.stdin.close()
    process.wait(timeout=10.0)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(quick: bool) -> Iterator[dict[str, float]]:
    """All figures, a few at a time."""
    turns = (5, 0.2) if quick else (15, 0.7)
    seconds = 1.0 if quick else 5.0
    yield {"direct_over_raw_4": direct_over_raw(4, turns)}
    yield {"direct_over_raw_20": direct_over_raw(20, turns)}
    yield {"direct_over_panda_gym": direct_over_panda_gym(turns)}
    yield lockstep(turns)
    yield resets(seconds)
    yield {"two_workers_over_one": two_workers_over_one(1 if quick else 3, seconds)}
    yield realtime_1khz(4.0 if quick else 15.0)
    yield node_alone(seconds)
    yield {"idle_adapter_cpu": idle_adapter(seconds)}


def table(results: dict[str, float]) -> Table:
    """Figures beside their budgets."""
    drawn = Table("figure", "measured", "budget", title="ros_gym_bridge: bench")
    for name, value in results.items():
        test, limit = BUDGETS.get(name, (None, 0.0))
        sign = {float.__ge__: ">=", float.__le__: "<=", float.__lt__: "<"}.get(test, "")  # type: ignore[call-overload]
        colour = "" if test is None else "[green]" if test(value, limit) else "[red]"
        drawn.add_row(name, f"{colour}{value:.4g}", f"{sign} {limit:g}" if test else "-")
    return drawn


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds for each figure")
    quick = parser.parse_args().quick
    results: dict[str, float] = {}
    console = Console()
    for figures in measure(quick):
        results |= figures
        console.print("  ".join(f"{name} {value:.4g}" for name, value in figures.items()))
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    console.print(table(results))


if __name__ == "__main__":
    main()
