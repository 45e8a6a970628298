"""POSIX extended regular expressions, in time that is linear in the text.

Python's own `re` speaks another dialect, and takes exponential time for some short expressions: a client could make the
simulator hang with one. Here an expression becomes a small machine whose states are followed all at once.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import NamedTuple

MAX_LENGTH, MAX_SIZE, MAX_DEPTH, MAX_REPEAT = 500, 1000, 50, 255

_CLASSES = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "blank": " \t",
    "cntrl": "".join(map(chr, [*range(32), 127])),
    "digit": string.digits,
    "graph": "".join(map(chr, range(33, 127))),
    "lower": string.ascii_lowercase,
    "print": "".join(map(chr, range(32, 127))),
    "punct": string.punctuation,
    "space": string.whitespace,
    "upper": string.ascii_uppercase,
    "xdigit": string.hexdigits,
}


class RegexError(ValueError):
    """An expression that is wrong, or too large."""


class Regex:
    """A POSIX extended regular expression.

    Args:
        pattern: the expression.

    Raises:
        RegexError: what is wrong with it, and where.
    """

    def __init__(self, pattern: str) -> None:
        if len(pattern) > MAX_LENGTH:
            raise RegexError(f"it has {len(pattern)} characters; expected at most {MAX_LENGTH}")
        self._program: list[_Step] = []
        _Parser(pattern).expression()(self._program)
        self._program.append(_Step("match"))

    def found_in(self, text: str) -> bool:
        """Whether any part of a text matches."""
        states: set[int] = set()
        for at in range(len(text) + 1):
            states = self._closure(states | {0}, at == 0, at == len(text))
            if len(self._program) - 1 in states:
                return True
            if at < len(text):
                states = {number + 1 for number in states if self._program[number].takes(text[at])}
        return False

    def _closure(self, states: set[int], first: bool, last: bool) -> set[int]:
        """The states that are reached without a character."""
        reached, rest = set[int](), list(states)
        while rest:
            number = rest.pop()
            if number in reached:
                continue
            reached.add(number)
            step = self._program[number]
            if step.kind == "jump":
                rest.extend(step.to)
            elif (step.kind == "^" and first) or (step.kind == "$" and last):
                rest.append(number + 1)
        return reached


class _Step(NamedTuple):
    """One state: it takes a character of a set, jumps without one, stands at an end of the text, or has matched."""

    kind: str
    characters: frozenset[str] = frozenset()
    negated: bool = False
    to: tuple[int, ...] = ()

    def takes(self, character: str) -> bool:
        return self.kind == "take" and (character in self.characters) is not self.negated


_Emit = Callable[[list[_Step]], None]


class _Parser:
    """Reads an expression from left to right; what it returns appends the states of a part to a program."""

    def __init__(self, pattern: str) -> None:
        self._pattern, self._at, self._depth = pattern, 0, 0

    def expression(self) -> _Emit:
        """All of it.

        Raises:
            RegexError: see `Regex`.
        """
        whole = self._branches()
        if self._at < len(self._pattern):
            raise self._wrong("a ')' without its '('")
        return whole

    def _branches(self) -> _Emit:
        branches = [self._branch()]
        while self._take("|"):
            branches.append(self._branch())
        return branches[0] if len(branches) == 1 else _either(branches)

    def _branch(self) -> _Emit:
        pieces: list[_Emit] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            pieces.append(self._piece())
        return _sequence(pieces)

    def _piece(self) -> _Emit:
        piece = self._atom()
        found = self._repetition()
        if found is not None and self._pattern[self._at : self._at + 1] in tuple("*+?{"):
            raise self._wrong("a repetition of a repetition; write the first one in ( )")
        return piece if found is None else _repeated(piece, *found)

    def _repetition(self) -> tuple[int, int | None] | None:
        """At least and at most how often; None for no bound."""
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._take(sign):
                return bounds
        if not self._take("{"):
            return None
        inside, closed, _ = self._pattern[self._at :].partition("}")
        low, comma, high = inside.partition(",")
        if not (closed and low.isdecimal() and (not high or high.isdecimal())):
            raise self._wrong("a '{' that is not {n}, {n,} or {n,m}; write \\{ for the character")
        at_least, at_most = int(low), int(high) if high else None if comma else int(low)
        if max(at_least, at_most or 0) > MAX_REPEAT or (at_most is not None and at_most < at_least):
            raise self._wrong(f"a repetition that is not from 0 to {MAX_REPEAT}, lower number first")
        self._at += len(inside) + 1
        return at_least, at_most

    def _atom(self) -> _Emit:
        character = self._pattern[self._at]
        if character in "*+?{":
            raise self._wrong(f"a '{character}' with nothing to repeat before it")
        self._at += 1
        if character == "(":
            return self._group()
        if character == "[":
            return self._bracket()
        if character == "\\":
            return self._escaped()
        if character in "^$":
            return _one(_Step(character))
        return _one(_Step("take", negated=True) if character == "." else _Step("take", frozenset(character)))

    def _group(self) -> _Emit:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._wrong(f"more than {MAX_DEPTH} nested groups")
        inside = self._branches()
        if not self._take(")"):
            raise self._wrong("a '(' without its ')'")
        self._depth -= 1
        return inside

    def _escaped(self) -> _Emit:
        character = self._pattern[self._at : self._at + 1]
        if not character or character.isalnum():
            raise self._wrong(f"'\\{character}' means nothing in POSIX; write [0-9], [[:alnum:]_] or the like")
        self._at += 1
        return _one(_Step("take", frozenset(character)))

    def _bracket(self) -> _Emit:
        negated = self._take("^")
        characters, first = set[str](), True
        while first or not self._take("]"):
            characters |= self._member()
            first = False
        return _one(_Step("take", frozenset(characters), negated))

    def _member(self) -> set[str]:
        """A character, a range or a class within brackets."""
        if self._pattern.startswith("[:", self._at):
            name, closed, _ = self._pattern[self._at + 2 :].partition(":]")
            if not closed or name not in _CLASSES:
                raise self._wrong(f"a class that is not one of [:{':], [:'.join(_CLASSES)}:]")
            self._at += len(name) + 4
            return set(_CLASSES[name])
        if self._pattern.startswith(("[=", "[."), self._at):
            raise self._wrong("collating elements, which are not supported")
        low = self._within_brackets()
        rest = self._pattern[self._at : self._at + 2]
        if len(rest) < 2 or rest[0] != "-" or rest[1] == "]":
            return {low}
        self._at += 1
        high = self._within_brackets()
        if high < low or ord(high) - ord(low) > 255:
            raise self._wrong(f"the range {low}-{high}, which is empty or too large")
        return set(map(chr, range(ord(low), ord(high) + 1)))

    def _within_brackets(self) -> str:
        if self._at >= len(self._pattern):
            raise self._wrong("a '[' without its ']'")
        self._at += 1
        return self._pattern[self._at - 1]

    def _take(self, sign: str) -> bool:
        found = self._pattern.startswith(sign, self._at)
        self._at += found
        return found

    def _wrong(self, what: str) -> RegexError:
        return RegexError(f"{what}, at character {self._at + 1} of '{self._pattern}'")


def _append(program: list[_Step], step: _Step) -> None:
    if len(program) >= MAX_SIZE:
        raise RegexError(f"it is too large when its repetitions are written out; expected at most {MAX_SIZE} states")
    program.append(step)


def _one(step: _Step) -> _Emit:
    return lambda program: _append(program, step)


def _sequence(parts: list[_Emit]) -> _Emit:
    def emit(program: list[_Step]) -> None:
        for part in parts:
            part(program)

    return emit if parts else _nothing


def _nothing(program: list[_Step]) -> None:
    """A state all the same, so that nothing repeated often counts, too."""
    _append(program, _Step("jump", to=(len(program) + 1,)))


def _either(branches: list[_Emit]) -> _Emit:
    def emit(program: list[_Step]) -> None:
        ends = []
        for branch in branches[:-1]:
            fork = len(program)
            _append(program, _Step("jump"))
            branch(program)
            ends.append(len(program))
            _append(program, _Step("jump"))
            program[fork] = _Step("jump", to=(fork + 1, len(program)))
        branches[-1](program)
        for end in ends:
            program[end] = _Step("jump", to=(len(program),))

    return emit


def _repeated(part: _Emit, at_least: int, at_most: int | None) -> _Emit:
    if at_most == 0:
        return _nothing

    def emit(program: list[_Step]) -> None:
        for _ in range(at_least):
            part(program)
        forks = []
        for _ in range(1 if at_most is None else at_most - at_least):
            forks.append(len(program))
            _append(program, _Step("jump"))
            part(program)
        if at_most is None:
            _append(program, _Step("jump", to=(forks[0],)))
        for fork in forks:
            program[fork] = _Step("jump", to=(fork + 1, len(program)))

    return emit
