"""Running the set-up script in a copy of the checkout, on a machine that is changed on purpose.

A machine that lacks something is made with a `sitecustomize` that Python loads before the script.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys._base_executable  # type: ignore[attr-defined]  # the Python that the environment was made from
NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"
FOLDERS = ("scripts", "requirements", "interfaces", "resource")
FILES = ("setup.py", "setup.cfg", "package.xml", "pyproject.toml", "Makefile")


def copy_checkout(folder: Path) -> Path:
    """A copy of what the set-up reads, without any environment."""
    copy = folder / "checkout"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in FILES:
        shutil.copy(ROOT / name, copy / name)
    return copy


def call(checkout: Path, machine: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the script on a machine changed by the Python code `machine`."""
    site = checkout.parent / "site"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(textwrap.dedent(machine), encoding="utf-8")
    clean = {"PATH": os.environ["PATH"], "HOME": str(checkout.parent), "PYTHONPATH": str(site)}
    given = {**clean, **environ}
    if "PYTHONPATH" in environ:
        given["PYTHONPATH"] = f"{site}{os.pathsep}{environ['PYTHONPATH']}"
    command = [PYTHON, str(checkout / "scripts" / "setup_env.py")]
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=300, check=False)


def assert_refused(done: subprocess.CompletedProcess[str], checkout: Path, line: str) -> None:
    """One line, exit code 2, and nothing begun."""
    assert done.stderr == f"error: {line}\n"
    assert done.stdout == ""
    assert done.returncode == 2
    assert not list(checkout.glob(".venv*"))


def an_old_python(version: str) -> str:
    numbers = (*map(int, version.split(".")), "final", 0)
    return f"""
        import platform, sys
        sys.version_info = {numbers}
        platform.python_version = lambda: "{version}"
    """


def install(prefix: Path, *modules: str) -> dict[str, str]:
    """Make the outline of an installation with these Python modules; return what sourcing it would set."""
    marker = prefix / "share" / "ament_index" / "resource_index" / "packages" / "rclpy"
    marker.parent.mkdir(parents=True)
    marker.touch()
    site = prefix / "lib" / NAME / "site-packages"
    for name in modules:
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").touch()
    return {"AMENT_PREFIX_PATH": str(prefix), "PYTHONPATH": str(site), "ROS_DISTRO": "jazzy"}
