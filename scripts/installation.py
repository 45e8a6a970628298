"""Finding a ROS 2 installation that was sourced, and the Python it was made for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from preflight import Refusal

MARKER = Path("share/ament_index/resource_index/packages/rclpy")
PROBE = "import sys, rclpy; print(sys.executable); print(sys.prefix)"
PYTHONS = ("python3", "/usr/bin/python3", *(f"python3.{minor}" for minor in range(10, 16)))


def prefixes(environ: Mapping[str, str]) -> list[Path]:
    """The sourced prefixes that hold rclpy; environments made from wheels do not count."""
    paths = [Path(part) for part in environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if part]
    return [path for path in paths if (path / MARKER).exists() and not (path / "pyvenv.cfg").exists()]


def interpreter(environ: Mapping[str, str], root: Path) -> str:
    """The first Python outside the checkout that imports the sourced rclpy. Raises Refusal when none does."""
    reason = ""
    for name in (sys.executable, *PYTHONS):
        code, said = _probe(name, environ)
        if code == 0 and not Path(said[-1]).is_relative_to(root):
            return said[-2]
        reason = reason or (said[-1] if code and said else "")
    raise Refusal(
        f"ROS 2 is sourced ({prefixes(environ)[0]}), but no Python imports its rclpy: {sys.executable} says "
        f"'{reason}', nor does one of {', '.join(PYTHONS)}. Name the right one: make PYTHON=/path/to/python3 demo"
    )


def _probe(name: str, environ: Mapping[str, str]) -> tuple[int, list[str]]:
    """Exit code of importing rclpy with this Python, and the lines it wrote."""
    try:
        done = subprocess.run([name, "-c", PROBE], env=environ, capture_output=True, text=True, check=False)
    except OSError as error:
        return 1, [str(error)]
    return done.returncode, (done.stderr if done.returncode else done.stdout).splitlines()


def check_name(distro: str, found: Iterable[Path]) -> None:
    """Raise Refusal when ROS_DISTRO names another distribution than the sourced one."""
    sourced = [path.name for path in found if path.parent == Path("/opt/ros")]
    if sourced and distro not in sourced:
        raise Refusal(
            f"ROS_DISTRO is '{distro}', but ROS 2 {sourced[0]} is sourced. "
            f"Source the other one in a new terminal, or leave ROS_DISTRO alone."
        )


def check_messages(distro: str, manifest: Path, environ: Mapping[str, str]) -> None:
    """Raise Refusal that names the message packages of package.xml which the installation lacks."""
    names = re.findall(r"<depend>(\w+_(?:msgs|interfaces))<", manifest.read_text(encoding="utf-8"))
    missing = [name for name in names if not _imports(name, environ)]
    if missing:
        packages = " ".join(f"ros-{distro}-{name.replace('_', '-')}" for name in missing)
        raise Refusal(
            f"The sourced ROS 2 {distro} lacks {', '.join(missing)}. Install: sudo apt install {packages} "
            f"(or: rosdep install --from-paths . --ignore-src)"
        )


def _imports(name: str, environ: Mapping[str, str]) -> bool:
    code = subprocess.call([sys.executable, "-c", f"import {name}"], env=environ, stderr=subprocess.DEVNULL)
    return code == 0
