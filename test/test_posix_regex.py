"""POSIX extended regular expressions: the same answers as the C library's, in linear time, and refusals in words."""

from __future__ import annotations

import contextlib
import ctypes
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_gym_bridge.posix_regex import Regex, RegexError

LIBC = ctypes.CDLL(None)
EXTENDED, NOSUB = 1, 8


def libc_finds(pattern: str, text: str) -> bool:
    """What `regcomp` and `regexec` of the C library say."""
    compiled = ctypes.create_string_buffer(256)  # a regex_t is smaller
    assert LIBC.regcomp(compiled, pattern.encode(), EXTENDED | NOSUB) == 0, pattern
    try:
        return int(LIBC.regexec(compiled, text.encode(), 0, None, 0)) == 0
    finally:
        LIBC.regfree(compiled)


CASES = {
    "cube": ["cube", "a_cube_1", "cub"],
    "^cube_[0-9]+$": ["cube_1", "cube_", "a_cube_1", "cube_12x"],
    "^(left|right)/": ["left/a", "right/", "middle/left/"],
    "a|b|": ["", "c"],
    "^a{2,3}$": ["a", "aa", "aaa", "aaaa"],
    "^a{2,}$": ["a", "aa", "aaaaaa"],
    "^a{2}$": ["a", "aa", "aaa"],
    "^ab{0}$": ["a", "ab"],
    "^a(b|)$": ["a", "ab", "ac"],
    "^a?b*c+$": ["c", "abbc", "ab", "aac"],
    "[^a-c]": ["abc", "abcd"],
    "[]a]": ["]", "a", "b"],
    "[^]a]": ["]a", "b"],
    "[a-]": ["-", "b"],
    "[\\]": ["\\", "a"],
    "[[:upper:][:digit:]_]": ["a", "A", "1", "_"],
    "^[[:alpha:]]+$": ["abc", "a1"],
    "a.c": ["abc", "ac"],
    "a\\.c": ["abc", "a.c"],
    "(a*)*b": ["aab", "aa"],
    "((a|b)+c?){2}": ["ab", "a", "acbc"],
    "a^b": ["a^b", "ab"],
    "x$|^y": ["ax", "ya", "ay"],
    "": ["", "a"],
}


@pytest.mark.parametrize(("pattern", "text"), [(p, text) for p, texts in CASES.items() for text in texts])
def test_the_same_as_the_c_library(pattern: str, text: str) -> None:
    assert Regex(pattern).found_in(text) is libc_finds(pattern, text)


def test_both_answers_occur() -> None:
    answers = [Regex(pattern).found_in(text) for pattern, texts in CASES.items() for text in texts]
    assert 0.3 < sum(answers) / len(answers) < 0.8


ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "[a-c]", "[[:alpha:]]", "\\.", "_"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,}"])).map(lambda p: f"({p[0]}){p[1]}"),
        inner.map(lambda part: f"^{part}"),
        inner.map(lambda part: f"{part}$"),
    ),
    max_leaves=6,
)


# Derandomized: the C library finds "^(^.){2}" in "11", where only the first repetition can stand at the beginning.
@settings(max_examples=400, deadline=None, derandomize=True)
@given(PATTERNS, st.text("abc._A1", max_size=8))
def test_any_expression_is_read_as_by_the_c_library(pattern: str, text: str) -> None:
    assert Regex(pattern).found_in(text) is libc_finds(pattern, text)


REFUSED = {
    "(a": "a '(' without its ')', at character 3 of '(a'",
    "a)": "a ')' without its '(', at character 2 of 'a)'",
    "[a": "a '[' without its ']', at character 3 of '[a'",
    "*a": "a '*' with nothing to repeat before it, at character 1 of '*a'",
    "a|+": "a '+' with nothing to repeat before it, at character 3 of 'a|+'",
    "a{x}": "a '{' that is not {n}, {n,} or {n,m}; write \\{ for the character, at character 3 of 'a{x}'",
    "a{1": "a '{' that is not {n}, {n,} or {n,m}; write \\{ for the character, at character 3 of 'a{1'",
    "a{3,2}": "a repetition that is not from 0 to 255, lower number first, at character 3 of 'a{3,2}'",
    "a{256}": "a repetition that is not from 0 to 255, lower number first, at character 3 of 'a{256}'",
    "\\d": "'\\d' means nothing in POSIX; write [0-9], [[:alnum:]_] or the like, at character 2 of '\\d'",
    "a\\": "'\\' means nothing in POSIX; write [0-9], [[:alnum:]_] or the like, at character 3 of 'a\\'",
    "[z-a]": "the range z-a, which is empty or too large, at character 5 of '[z-a]'",
    "[[=a=]]": "collating elements, which are not supported, at character 2 of '[[=a=]]'",
    "(a{255}){255}": "it is too large when its repetitions are written out; expected at most 1000 states",
    "((){255}){255}": "it is too large when its repetitions are written out; expected at most 1000 states",
    "((a{0}){255}){255}": "it is too large when its repetitions are written out; expected at most 1000 states",
    "a**": "a repetition of a repetition; write the first one in ( ), at character 3 of 'a**'",
    "a" * 501: "it has 501 characters; expected at most 500",
    "(" * 51 + ")" * 51: f"more than 50 nested groups, at character 52 of '{'(' * 51 + ')' * 51}'",
}


@pytest.mark.parametrize(("pattern", "message"), REFUSED.items())
def test_refusals(pattern: str, message: str) -> None:
    with pytest.raises(RegexError) as caught:
        Regex(pattern)
    assert str(caught.value) == message


def test_an_unknown_class_is_told_those_that_there_are() -> None:
    with pytest.raises(RegexError) as caught:
        Regex("[[:letters:]]")
    assert str(caught.value).startswith("a class that is not one of [:alnum:], [:alpha:], [:blank:], ")


@settings(max_examples=300, deadline=None)
@given(st.text("ab()[]{}*+?|\\^$.:-0123,", max_size=20))
def test_no_text_is_more_than_refused(pattern: str) -> None:
    with contextlib.suppress(RegexError):
        Regex(pattern).found_in("abc")


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "(a*)*(a*)*(a*)*$b", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_what_takes_python_years_takes_no_time(pattern: str) -> None:
    start = time.process_time()
    assert not Regex(pattern).found_in("a" * 200 + "!")
    assert time.process_time() - start < 2.0


def test_the_largest_expression_takes_bearable_time() -> None:
    start = time.process_time()
    assert not Regex("(a?){240}(a|b){120}z").found_in("a" * 200)
    assert time.process_time() - start < 5.0
