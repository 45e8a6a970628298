"""The set-up script: what it remembers, how it fails, what it never lets into an environment; and the Makefile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from machine import PYTHON, ROOT, call, copy_checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_checkout(tmp_path)


# What is remembered


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a test import the modules of the set-up."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))


def test_the_second_call_does_nothing(scripts: None) -> None:
    import environment
    from recipe import Environment

    match = re.fullmatch(r"\.venv-(\w+?)(-sourced)?", Path(sys.prefix).name)
    if match is None or Path(sys.prefix).parent != ROOT:
        pytest.skip("these tests run outside an environment made by scripts/setup_env.py")
    env = Environment(match[1], match[2] is not None)
    assert environment.due(env, env.steps([])) == [], "the environment is out of date: call make first"
    before = env.log.stat().st_mtime_ns
    command = [PYTHON, str(ROOT / "scripts" / "setup_env.py"), "--distro", match[1]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{env.path}\n", "")
    assert env.log.stat().st_mtime_ns == before


class Workshop:
    """Steps that write down that they ran, on an environment in a temporary folder."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import environment
        from recipe import Environment, Step

        monkeypatch.setattr(environment, "ROOT", folder)
        self.environment = environment
        self.ran: list[str] = []
        self.env = Environment("jazzy", False)
        self.env.path = folder / ".venv-jazzy"
        self.env.python = self.env.path / "bin" / "python"
        self.env.python.parent.mkdir(parents=True)
        self.env.python.symlink_to(PYTHON)
        self.files = {name: folder / f"{name}.txt" for name in ("first", "second", "third")}
        for name, file in self.files.items():
            file.write_text(name, encoding="utf-8")
        self.steps = [Step(n, n, (f,), lambda n=n: self.ran.append(n)) for n, f in self.files.items()]

    def update(self) -> list[str]:
        self.ran.clear()
        self.environment.update(self.env, self.steps)
        return list(self.ran)


@pytest.fixture
def workshop(scripts: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    import preflight

    monkeypatch.setattr(preflight, "check", lambda sourced, root: None)
    return Workshop(tmp_path, monkeypatch)


def test_only_what_changed_and_what_follows_is_done_again(workshop: Workshop) -> None:
    assert workshop.update() == ["first", "second", "third"]
    assert workshop.update() == []
    workshop.files["second"].write_text("other", encoding="utf-8")
    assert workshop.update() == ["second", "third"]
    assert workshop.update() == []


def test_a_broken_environment_is_made_again(workshop: Workshop) -> None:
    workshop.update()
    workshop.env.python.unlink()
    assert workshop.update() == ["first", "second", "third"]


@pytest.mark.parametrize("broken", ["", "{", "[]"])
def test_an_unreadable_record_counts_as_none(workshop: Workshop, broken: str) -> None:
    workshop.update()
    (workshop.env.path / "setup.json").write_text(broken, encoding="utf-8")
    assert workshop.update() == ["first", "second", "third"]


def interrupt_the_second(workshop: Workshop) -> None:
    from dataclasses import replace

    def interrupt() -> None:
        raise KeyboardInterrupt

    good = workshop.steps[1]
    workshop.steps[1] = replace(good, run=interrupt)
    with pytest.raises(KeyboardInterrupt):
        workshop.update()
    workshop.steps[1] = good


def test_an_interrupted_set_up_goes_on_where_it_stopped(workshop: Workshop) -> None:
    interrupt_the_second(workshop)
    assert workshop.update() == ["second", "third"]


def test_a_half_done_step_is_done_again_also_when_its_change_is_taken_back(workshop: Workshop) -> None:
    workshop.update()
    workshop.files["second"].write_text("other", encoding="utf-8")
    interrupt_the_second(workshop)
    workshop.files["second"].write_text("second", encoding="utf-8")
    assert workshop.update() == ["second", "third"]


def test_a_failure_names_the_log_and_shows_its_end(checkout: Path) -> None:
    (checkout / "requirements" / "pip.txt").write_text("pip==0.0.1\n", encoding="utf-8")
    done = call(checkout, PIP_NO_INDEX="1", PIP_CONFIG_FILE="/dev/null")
    log = checkout / ".venv-jazzy" / "setup.log"
    assert done.returncode == 1
    assert "error: python ended with exit code 1:\n" in done.stderr
    assert "No matching distribution found for pip==0.0.1" in done.stderr
    assert done.stderr.endswith(f"The whole log: {log}\n")
    assert "Traceback" not in done.stderr
    assert "pip install" in log.read_text(encoding="utf-8")
    assert not (checkout / ".venv-jazzy" / "setup.json").exists()


# What children inherit


def test_leftovers_of_another_environment_do_not_reach_children(scripts: None, tmp_path: Path) -> None:
    from shell import clean_environment

    (tmp_path / "env" / "lib").mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    environ = {
        "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1",
        "LD_LIBRARY_PATH": f"{tmp_path}/env/lib:/opt/mine/lib",
        "PYTHONPATH": "/elsewhere",
        "PIP_TARGET": "/elsewhere",
        "HOME": "/home/me",
    }
    kept = {"LD_LIBRARY_PATH": "/opt/mine/lib", "HOME": "/home/me"}
    assert clean_environment(environ, sourced=False) == kept
    assert clean_environment(environ, sourced=True) == {**kept, "PYTHONPATH": "/elsewhere"}


# The Makefile


def make(checkout: Path, *words: str, path: str | None = None) -> str:
    """What make says; `show` prints the variables."""
    environ = {"PATH": path or os.environ["PATH"], "HOME": str(checkout)}
    show = "--eval=show: ; @echo $(ROS_DISTRO) $(PYTHON) $(ROS_AUTOMATIC_DISCOVERY_RANGE)"
    command = [shutil.which("make") or "make", "--no-print-directory", "-C", str(checkout), show, *words]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


WORDS = {"-s": "jazzy", "ROS_DISTRO=": "jazzy", "ROS_DISTRO=kilted": "kilted"}


@pytest.mark.parametrize(("word", "distro"), WORDS.items())
def test_make_has_defaults(checkout: Path, word: str, distro: str) -> None:
    assert make(checkout, "show", "PYTHON=mine", word) == f"{distro} mine LOCALHOST\n"


def test_make_takes_the_first_python_that_runs_and_is_supported(checkout: Path, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("python3.11", "exit 127"), ("python3.10", f'exec {PYTHON} "$@"'), ("python3", "exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    assert make(checkout, "show", path=f"{programs}:/usr/bin:/bin") == "jazzy python3.10 LOCALHOST\n"


def test_make_with_a_python_that_does_not_start(checkout: Path) -> None:
    said = make(checkout, "demo", "PYTHON=/nowhere/python3")
    line = "/nowhere/python3 does not start. Install Python 3.10 or 3.11 with its venv and headers, or say: "
    assert f"error: {line}make PYTHON=/path/to/it\n" in said
