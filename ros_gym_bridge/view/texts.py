"""The page's words as HTML. Whatever comes from a message is escaped here."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_LEVELS = {0: ("OK", "#2b8a3e"), 1: ("WARN", "#e67700"), 2: ("ERROR", "#c92a2a"), 3: ("STALE", "#868e96")}
_RANKS = {2: 0, 1: 1, 0: 3}  # others stand between warnings and what is well
_LONGEST = 400
_MOST = 40


@dataclass(frozen=True)
class Status:
    """One entry of `/diagnostics`.

    Attributes:
        level: 0 OK, 1 warning, 2 error, 3 stale.
        values: key and value.
    """

    level: int
    message: str
    values: tuple[tuple[str, str], ...]


def facts(rows: Mapping[str, str]) -> str:
    """A table of names and values."""
    return _box(_table(rows.items()))


def notes(lines: Sequence[str], colour: str = "#c92a2a") -> str:
    """Paragraphs that the reader should see."""
    more = [f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return _box("".join(_paragraph(line, colour) for line in [*lines[:_MOST], *more]))


def answer(text: str, good: bool) -> str:
    """What a service said."""
    return notes([text], "#2b8a3e" if good else "#c92a2a") if text else ""


def diagnostics(entries: Mapping[str, Status]) -> str:
    """The newest of each name, the worst first."""
    parts = []
    ordered = sorted(entries.items(), key=lambda entry: (_RANKS.get(entry[1].level, 2), entry[0]))
    for name, status in ordered[:_MOST]:
        word, colour = _LEVELS.get(status.level, (f"level {status.level}", "#868e96"))
        head = f'<b style="color:{colour}">{word}</b> {_text(name)}: {_text(status.message)}'
        parts.append(f'<div style="margin:0.4em 0">{head}{_table(status.values[:_MOST])}</div>')
    return _box("".join(parts) or "nothing on /diagnostics yet")


def _paragraph(line: str, colour: str) -> str:
    return f'<div style="color:{colour};margin:0.3em 0">{_text(line)}</div>'


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cell, nowrap = "padding:0 0.8em 0 0;vertical-align:top", "white-space:nowrap;opacity:0.7"
    lines = (
        f'<tr><td style="{cell};{nowrap}">{_text(a)}</td><td style="{cell};overflow-wrap:anywhere">{_text(b)}</td></tr>'
        for a, b in rows
    )
    return f'<table style="border-spacing:0">{"".join(lines)}</table>'


def _text(text: str) -> str:
    return html.escape(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _box(inner: str) -> str:
    return f'<div style="font-size:0.8rem;line-height:1.4;padding:0.2em 0.8em;overflow-wrap:anywhere">{inner}</div>'
