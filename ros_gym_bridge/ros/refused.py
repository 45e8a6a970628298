"""A command message that is not obeyed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ros_gym_bridge.errors import BridgeError


class CommandRefused(BridgeError, ValueError):
    """A command message that was refused whole; `kind` is the counter that it adds to.

    `provisional`: the text will soon say more, see `Counters.add`.
    """

    def __init__(
        self, kind: str, what: str, got: str = "", expected: str = "", remedy: str = "", provisional: bool = False
    ) -> None:
        super().__init__(what, got=got, expected=expected, remedy=remedy or "The last good command stands")
        self.kind, self.provisional = kind, provisional


def check_names(names: Sequence[str], known: Iterable[str], expected: Sequence[str]) -> None:
    """Refuse joints that are not known, or that are named twice.

    Args:
        names: of the message.
        known: those that it may hold.
        expected: those that the refusal tells.
    """
    known = set(known)
    for name in names:
        if name not in known:
            told = f"one of {', '.join(expected)}"
            raise CommandRefused("unknown_joint", "unknown joint", got=repr(name[:80]), expected=told)
    if len(set(names)) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise CommandRefused("repeated_joint", "the same joint twice", got=f"'{twice}'", expected="every joint once")


def not_finite(what: str, value: float) -> CommandRefused:
    """The refusal of a value that is no number."""
    return CommandRefused("not_finite", f"{what} is not finite", got=str(value), expected="a number")
