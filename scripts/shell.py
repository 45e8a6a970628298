"""Running commands for the set-up: a clean environment, output to a log, failures with the log's last lines."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

GUARD = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"
NEVER = (GUARD, "PYTHONHOME", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV")
OF_AN_INSTALLATION = ("PYTHONPATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH", "COLCON_PREFIX_PATH")
LAST_LINES = 15


class Failure(Exception):
    """A command failed; the text names it, the log, and shows how the log ends."""


def clean_environment(environ: Mapping[str, str], sourced: bool) -> dict[str, str]:
    """The environment for children, without leftovers of another virtual environment.

    The ROS wheels set a guard variable and LD_LIBRARY_PATH for their own environment and children inherit both, so a
    Python of a different environment would load the wrong libraries. Without a sourced installation, what points to
    one goes too.
    """
    dropped = NEVER if sourced else NEVER + OF_AN_INSTALLATION
    kept = {name: value for name, value in environ.items() if name not in dropped}
    libraries = [p for p in kept.pop("LD_LIBRARY_PATH", "").split(os.pathsep) if p and not _in_environment(p)]
    if libraries:
        kept["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
    return kept


def _in_environment(path: str) -> bool:
    return any((parent / "pyvenv.cfg").is_file() for parent in Path(path).parents)


def run(command: Sequence[str | Path], log: Path, environ: Mapping[str, str]) -> None:
    """Run a command with its output appended to the log; raise Failure when it fails."""
    words = [str(word) for word in command]
    with log.open("a", encoding="utf-8") as output:
        output.write(f"\n$ {' '.join(words)}\n")
        output.flush()
        code = subprocess.call(words, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environ)
    if code:
        raise Failure(f"{Path(words[0]).name} ended with exit code {code}:\n{tail(log)}\nThe whole log: {log}")


def tail(log: Path) -> str:
    """The last lines of the log, indented."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
    return "\n".join(f"    {line}" for line in lines)
