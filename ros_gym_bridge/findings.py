"""What a tool has found out, row by row: what was looked at, whether it is as it should be, and what to do."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.table import Table


class Verdict(enum.Enum):
    """How something was found; the value is the word in a table."""

    GOOD = "good"
    BAD = "BAD"
    OPEN = "-"  # not looked at, or nothing to judge


_STYLES = {Verdict.GOOD: "green", Verdict.BAD: "bold red", Verdict.OPEN: "dim"}


class Finding(NamedTuple):
    """One row.

    Attributes:
        subject: what was looked at.
        verdict: how it is.
        found: what was found, in words.
        remedy: what to do; empty where nothing is to be done.
    """

    subject: str
    verdict: Verdict
    found: str
    remedy: str = ""


def judged(subject: str, good: bool, found: str, remedy: str = "") -> Finding:
    """A row that is good or bad; the remedy is left out where it is good."""
    return Finding(subject, Verdict.GOOD if good else Verdict.BAD, found, "" if good else remedy)


def exit_code(findings: Iterable[Finding]) -> int:
    """Of a program that found this: 1 where something is bad."""
    return int(any(finding.verdict is Verdict.BAD for finding in findings))


def table(title: str, findings: Sequence[Finding]) -> Table:
    """As a table for the terminal; the column of remedies is left out where there are none."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    remedies = any(finding.remedy for finding in findings)
    made = Table(title=title, title_justify="left", box=box.ROUNDED, show_lines=remedies)
    made.add_column("What")
    made.add_column("")
    made.add_column("Found")
    if remedies:
        made.add_column("What to do")
    for each in findings:
        cells = [Text(each.subject), Text(each.verdict.value, _STYLES[each.verdict]), Text(each.found)]
        made.add_row(*cells, *([Text(each.remedy)] if remedies else []))
    return made
