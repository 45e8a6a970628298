"""How fast, as ratios measured in one run: prints a table and writes `results.json` beside this file.

`figures.py` says what is measured.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import in_process
import over_topics
import safety
from figures import FIGURES
from rich.console import Console
from rich.table import Table
from turns import Effort

FULL = Effort(rounds=15, turn_s=0.7, seconds=5.0)
QUICK = Effort(rounds=3, turn_s=0.05, seconds=0.3)

Results = Mapping[str, float | str]


def measure(effort: Effort) -> Iterator[Results]:
    """All figures, a few at a time."""
    yield {"direct_over_raw_4": in_process.direct_over_raw(4, effort)}
    yield {"direct_over_raw_20": in_process.direct_over_raw(20, effort)}
    yield from in_process.direct_over_panda_gym(effort)
    yield over_topics.lockstep(effort)
    yield in_process.resets(effort)
    yield {"two_workers_over_one": in_process.two_workers_over_one(effort)}
    yield in_process.sensors(effort)
    yield {"four_robots_over_one": in_process.four_robots_over_one(effort)}
    yield over_topics.rover(effort)
    yield over_topics.large_pictures(effort)
    yield over_topics.realtime_1khz(effort)
    yield over_topics.node_alone(effort)
    yield safety.added(effort)
    yield {"idle_adapter_cpu": over_topics.idle_adapter(effort)}


def table(results: Results) -> Table:
    """Figures beside their budgets."""
    drawn = Table("figure", "measured", "budget", "what it is", title="ros_gym_bridge: bench")
    for figure in FIGURES:
        value = results.get(figure.name)
        if isinstance(value, float):
            colour = "" if not figure.sign else "[green]" if figure.kept(value) else "[red]"
            drawn.add_row(figure.name, f"{colour}{value:.4g}", figure.budget, figure.meaning.replace("`", ""))
        else:
            drawn.add_row(figure.name, "-", figure.budget, "not measured: pip install panda-gym")
    drawn.caption = f"Pictures are drawn by {results['renderer']}."
    return drawn


def main() -> None:
    """Measure, print, write."""
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only try all of it: the figures are worth nothing")
    parser.add_argument("--output", type=Path, default=here / "results.json", help="where the figures are written")
    given = parser.parse_args()
    results: dict[str, float | str] = {}
    console = Console()
    for figures in measure(QUICK if given.quick else FULL):
        results |= figures
        console.print("  ".join(f"{n} {v:.4g}" if isinstance(v, float) else f"{n} {v}" for n, v in figures.items()))
    given.output.write_text(json.dumps(results, indent=2) + "\n")
    console.print(table(results))


if __name__ == "__main__":
    main()
