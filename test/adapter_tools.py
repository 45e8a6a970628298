"""What the tests of the adapter share: nodes in processes of their own, scripts, waits, episodes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import ros_gym_bridge  # noqa: F401 (registers the environments)
from conftest import end_with_us, wait_for


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def resident_mb(pid: int) -> float:
    """Memory of a process that is really there, MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Process:
    """A process whose output can be read while it runs; `end` it in any case."""

    def __init__(self, command: list[str], **environment: object) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (closed in end)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **{name: str(value) for name, value in environment.items()}},
            start_new_session=True,
            preexec_fn=end_with_us,
        )
        self.pid = self._process.pid

    def text(self) -> str:
        """What it has printed so far."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    def says(self, what: str, timeout_s: float = 30.0) -> str:
        """Wait until it has printed something; the rest of that line."""
        wait_for(lambda: what in self.text() or self._process.poll() is not None, timeout_s, f"{what!r} in output")
        assert what in self.text(), self.text()
        wait_for(lambda: "\n" in self.text().partition(what)[2], 5.0, "the end of the line")
        return self.text().partition(what)[2].partition("\n")[0].strip()

    def tell(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def signal(self, number: int) -> None:
        """Send a signal to this process alone."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """As `kill -9`."""
        self._process.kill()
        self._process.wait()

    def wait(self, timeout_s: float) -> int:
        """Its exit code."""
        return self._process.wait(timeout_s)

    def end(self) -> None:
        """Politely, then not."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(5.0)
            except subprocess.TimeoutExpired:
                self.kill()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._output.close()


@contextlib.contextmanager
def running(process: Process) -> Iterator[Process]:
    """A process, ended at the end."""
    try:
        yield process
    finally:
        process.end()


def script(code: str, *arguments: str, **environment: object) -> Process:
    """A Python program in a process of its own."""
    return Process([sys.executable, "-u", "-c", textwrap.dedent(code), *arguments], **environment)


def run(code: str, *arguments: str, timeout_s: float = 60.0, **environment: object) -> str:
    """Run a Python program to its end, which must be a good one; what it printed."""
    with running(script(code, *arguments, **environment)) as process:
        code_ = process.wait(timeout_s)
        assert code_ == 0, process.text()
        return process.text()


def make(task: str = "Balance", **keywords: Any) -> gym.Env[Any, Any]:
    """An environment without Gymnasium's passive checks."""
    return gym.make(f"ros_gym_bridge/{task}-v0", disable_env_checker=True, **keywords)


class Transcript:
    """Everything that an environment says but its timing, in full, and as a digest."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []

    def add(self, observation: Any, info: dict[str, Any], *rest: Any) -> None:
        """What `reset` or `step` returned."""
        facts = {key: value for key, value in info.items() if key != "timing"}
        command = facts.pop("applied_command")
        self.lines.append(
            (observation.tobytes(), command.tobytes(), tuple(sorted(facts.items())), info["timing"]["stamp_ns"], *rest)
        )

    def digest(self) -> str:
        """SHA-256 of it all."""
        return hashlib.sha256(repr(self.lines).encode()).hexdigest()


def episodes(env: gym.Env[Any, Any], resets: list[tuple[int | None, bool]], seed: int = 3) -> Transcript:
    """Full episodes under random actions, one for each `(seed, strict)`."""
    transcript = Transcript()
    actions = np.random.default_rng(seed)
    for episode_seed, strict in resets:
        observation, info = env.reset(seed=episode_seed, options={"strict": True} if strict else None)
        transcript.add(observation, info)
        done = False
        while not done:
            action = actions.uniform(-1.0, 1.0, env.action_space.shape).astype(np.float32)
            observation, reward, terminated, truncated, info = env.step(action)
            transcript.add(observation, info, reward, terminated, truncated)
            done = terminated or truncated
    return transcript


def from_zero(transcript: Transcript) -> Transcript:
    """With stamps that count from the first state: for a simulator whose time had begun before."""
    start = transcript.lines[0][3]
    transcript.lines = [(*line[:3], line[3] - start, *line[4:]) for line in transcript.lines]
    return transcript


def first_difference(a: Transcript, b: Transcript) -> str:
    """Where two transcripts differ; empty where they do not."""
    for i, (x, y) in enumerate(zip(a.lines, b.lines, strict=False)):
        if x != y:
            return f"line {i}: {x} and {y}"
    return "" if len(a.lines) == len(b.lines) else f"{len(a.lines)} and {len(b.lines)} lines"
