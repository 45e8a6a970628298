"""Bringing the virtual environment up to date: only the steps whose fingerprint has changed are run.

A fingerprint covers the contents of a step's files, the Python, the place, and the steps before it. It is remembered
only when the step has succeeded, so an interrupted set-up goes on at the step that was interrupted.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import installation
import preflight
from recipe import ROOT, Environment, Step
from shell import Failure, clean_environment


def main() -> int:
    """Set up what the command line asks for; print the environment's path. Returns the exit code."""
    options = _options()
    try:
        env = locate(options.distro)
        update(env, env.steps(options.extra))
    except (Failure, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; the next call goes on from here", file=sys.stderr)
        return 130
    print(env.path)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make or update the virtual environment and print its path.")
    default = os.environ.get("ROS_DISTRO") or preflight.DISTROS[0]
    parser.add_argument("--distro", default=default, help="ROS 2 distribution (default: $ROS_DISTRO, or jazzy)")
    extras = ["view", "plot", "browser", "slow", "bench"]
    parser.add_argument("--extra", action="append", default=[], choices=extras, help="more packages")
    return parser.parse_args()


def locate(distro: str) -> Environment:
    """The environment for this terminal: with the sourced ROS 2 installation when there is one."""
    environ = clean_environment(os.environ, sourced=True)
    found = installation.prefixes(environ)
    if found:
        installation.check_name(distro, found)
        python = installation.interpreter(environ, ROOT)
        if python != sys.executable:
            os.execve(python, [python, *sys.argv], environ)
    preflight.check_distro(distro, bool(found))
    return Environment(distro, bool(found))


def update(env: Environment, steps: list[Step]) -> None:
    """Run the steps that are due, after checking that the machine has what they need."""
    if not due(env, steps):
        return
    preflight.check(env.sourced, str(ROOT))
    if env.sourced:
        installation.check_messages(env.distro, ROOT / "package.xml", env.environ)
    with only_one():
        started = time.monotonic()
        for number, step in enumerate(due(env, steps), 1):
            _run(env, steps, step, f"[{number}] {step.title}")
        print(f"{env.path.name} is ready, {_seconds(started)}", file=sys.stderr)


def due(env: Environment, steps: list[Step]) -> list[Step]:
    """The steps from the first whose fingerprint differs from the remembered one."""
    remembered = _remembered(env)
    now = fingerprints(env, steps)
    stale = [step.name for step in steps if remembered.get(step.name) != now[step.name]]
    names = [step.name for step in steps]
    return steps[names.index(stale[0]) :] if stale else []


def fingerprints(env: Environment, steps: list[Step]) -> dict[str, str]:
    """One hash for each step, over its files and everything before."""
    digest = hashlib.sha256(f"{env.path}\n{sys.version}\n{sys.base_prefix}\n".encode())
    result = {}
    for step in steps:
        for file in step.files:
            digest.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
        result[step.name] = digest.hexdigest()
    return result


def _run(env: Environment, steps: list[Step], step: Step, text: str) -> None:
    print(text, end=" ... ", file=sys.stderr, flush=True)
    started = time.monotonic()
    now = fingerprints(env, steps)
    before = {done.name: now[done.name] for done in steps[: steps.index(step)]}
    _remember(env, before)  # a step that is begun and not finished is not done, whatever its files become
    try:
        step.run()
    except BaseException:
        print("stopped", file=sys.stderr)
        raise
    _remember(env, {**before, step.name: now[step.name]})
    print(_seconds(started), file=sys.stderr)


def _record(env: Environment) -> Path:
    return env.path / "setup.json"


def _remember(env: Environment, record: dict[str, str]) -> None:
    if env.path.is_dir():
        _record(env).write_text(json.dumps(record, indent=1), encoding="utf-8")


def _remembered(env: Environment) -> dict[str, str]:
    """What the environment was made from; empty when it is broken or not there."""
    if not os.access(env.python, os.X_OK):
        return {}
    try:
        record = json.loads(_record(env).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


@contextmanager
def only_one() -> Iterator[None]:
    """Wait until no other set-up runs in this checkout."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another set-up of this checkout", file=sys.stderr)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _seconds(started: float) -> str:
    return f"{time.monotonic() - started:.0f} s"
