"""Writes the generated pages of `docs/` from the code that they describe, so that they cannot disagree with it.

python docs/generate.py             write them
python docs/generate.py --check     exit code 1 when a page is stale
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import pages

FOLDER = Path(__file__).resolve().parent
NOTE = "<!-- Written by docs/generate.py; change the code, then run `make docs`. -->\n\n"

PAGES: dict[str, Callable[[], str]] = {
    "environments.md": pages.environments,
    "robot_file.md": pages.robot_file,
    "world_file.md": pages.world_file,
    "nodes.md": pages.nodes,
    "commands.md": pages.commands,
    "speed.md": pages.speed,
}


def main() -> int:
    """Write or check. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 when a page is stale")
    only_check = parser.parse_args().check
    stale = [name for name, page in PAGES.items() if not update(FOLDER / name, NOTE + page(), only_check)]
    for name in stale:
        print(f"docs/{name} is stale; run: make docs", file=sys.stderr)
    return 1 if stale else 0


def update(path: Path, text: str, only_check: bool) -> bool:
    """Whether the file holds this text in the end."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return True
    if not only_check:
        path.write_text(text, encoding="utf-8")
    return not only_check


if __name__ == "__main__":
    sys.exit(main())
