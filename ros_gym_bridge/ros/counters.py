"""What happened how often, and a log that says each kind once a second at most."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

_HELD_S = 1.0


class Counters:
    """Counts events by kind and reports the newest of a kind once a second, with the number since the last report.

    Args:
        log: takes one line.
        clock: seconds, steady.
    """

    def __init__(self, log: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock = log, clock
        self._counts: Counter[str] = Counter()
        self._said: dict[str, tuple[float, int]] = {}
        self._held: dict[str, float] = {}

    def add(self, kind: str, text: str, provisional: bool = False) -> None:
        """One more of `kind`; `text` is logged unless the kind was logged within the last second.

        A `provisional` text, which will soon say more, is held back for up to a second in favour of one that does.
        """
        self._counts[kind] += 1
        now, count = self._clock(), self._counts[kind]
        if provisional and now - self._held.setdefault(kind, now) < _HELD_S:
            return
        self._held.pop(kind, None)
        when, before = self._said.get(kind, (float("-inf"), 0))
        if now - when >= 1.0:
            self._said[kind] = (now, count)
            more = f" ({count - before} of this kind since the last report)" if count - before > 1 else ""
            self._log(text + more)

    def count(self, kind: str) -> None:
        """One more of `kind`, of which nothing is said."""
        self._counts[kind] += 1

    def __getitem__(self, kind: str) -> int:
        return self._counts[kind]

    def items(self) -> list[tuple[str, int]]:
        """Kinds and counts, by name."""
        return sorted(self._counts.items())
