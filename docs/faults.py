"""Writes `docs/faults.md` from a run of the tests that inject faults: what they saw stands in it.

python docs/faults.py [ROWS]        ROWS: rows of an earlier run, in place of a new one, which takes some minutes
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from markdown import table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test"))

from fault_registry import HEAD, PAGE, SECTIONS, WRITE  # noqa: E402 (the tests are no package)

NOTE = "<!-- Written by docs/faults.py from a run of the tests; run `make faults`. -->\n\n"
INTRODUCTION = """# Faults

What tests inject into the wire, the processes and the disk, and what they saw of it: this page is written from their
run, and every run of the tests compares each row with what it sees. N stands for measured numbers. "Within" is the time
after which nothing waits any more: for an error `step_timeout_s` or `connect_timeout_s`, which tests have set to that,
otherwise a bound for the whole episode. Steps are counted at the other side, by its stamps. After all of it no process
and no shared memory of one is left: what a process that was killed has left is removed when the next program of this
package starts or ends."""
TITLES = {
    "lockstep": "In lockstep",
    "processes": "Processes",
    "robot": "On a robot, in real time",
    "disk": "The disk",
}


def main() -> int:
    """Returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1] if len(sys.argv) > 1 else Path(folder) / "rows.jsonl")
        if not path.exists():
            files = sorted(map(str, (ROOT / "test").glob("test_faults_*.py")))
            run = [sys.executable, "-m", "pytest", "-q", "-k", "not page", *files]
            code = subprocess.run(run, cwd=ROOT, env={**os.environ, WRITE: str(path)}, check=False).returncode
            if code:
                return code
        PAGE.write_text(page(path), encoding="utf-8")
    return 0


def page(path: Path) -> str:
    """The page, from rows as tests write them."""
    rows = dict(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    parts = [INTRODUCTION]
    for section, faults in SECTIONS.items():
        parts += [f"## {TITLES[section]}", table(HEAD, [rows[f"{section}.{name}"] for name in faults])]
    return NOTE + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.exit(main())
