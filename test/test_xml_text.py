"""XML that may come from anybody: nothing in it grows or reads other files."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.model import read_model
from ros_gym_bridge.xml_text import MAX_BYTES, parse_xml, read_text

DOCTYPE = (
    "bad.urdf: a document type is declared; expected no <!DOCTYPE>, which can hide entities; "
    "Remove it, and write out what its entities say."
)
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
BOMBS = {
    "billion laughs": f'<!DOCTYPE r [<!ENTITY l0 "ha">{LAUGHS}]><robot name="&l9;"/>',
    "quadratic": f'<!DOCTYPE r [<!ENTITY a "{"a" * 50_000}">]><robot>{"&a;" * 50_000}</robot>',
    "external entity": '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><robot name="&a;"/>',
    "parameter entity": '<!DOCTYPE r [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]><robot/>',
    "external type": '<!DOCTYPE r SYSTEM "http://localhost/r.dtd"><robot/>',
    "plain type": "<!DOCTYPE robot><robot/>",
}


def refusal(text: str) -> str:
    started = time.monotonic()
    with pytest.raises(ModelError) as caught:
        parse_xml(text, "bad.urdf")
    assert time.monotonic() - started < 10.0
    return str(caught.value)


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_document_types_are_refused_before_anything_is_expanded(bomb: str) -> None:
    assert refusal(bomb) == DOCTYPE
    assert refusal("<?xml version='1.0' encoding='UTF-16'?>" + bomb) == DOCTYPE


def test_the_word_in_a_comment_does_no_harm() -> None:
    assert parse_xml("<r><!-- <!DOCTYPE r> <!ENTITY a 'b'> --></r>", "good.urdf").tag == "r"


def test_unknown_entities_are_not_replaced() -> None:
    assert refusal("<r>&a;</r>") == (
        "bad.urdf: not XML at line 1, column 4; got undefined entity; expected a model; Correct the file there."
    )


@pytest.mark.parametrize(
    ("text", "what", "most"),
    [
        ("<r>" + "<a/>" * 2_000_000 + "</r>", "too many elements", "at most 200000"),
        ("<a>" * 1_000_000, "too many levels of elements", "at most 90"),
    ],
)
def test_sizes_are_bounded(text: str, what: str, most: str) -> None:
    assert refusal(text) == f"bad.urdf: {what}; expected {most}; Simplify the model."


def test_long_texts_are_refused_unread(tmp_path: Path) -> None:
    end = "; expected at most 10000000; Simplify the model, and put what is drawn into mesh files."
    assert refusal("x" * (MAX_BYTES + 1)) == f"bad.urdf: too large for a model; got 10000001 bytes{end}"
    path = tmp_path / "large.urdf"
    with path.open("wb") as file:
        file.truncate(5_000_000_000)  # a hole: nothing is written
    with pytest.raises(ModelError) as caught:
        read_text(path)
    assert str(caught.value) == f"{path}: too large for a model; got 5000000000 bytes{end}"


def test_a_half_character_is_refused() -> None:
    assert refusal("<r>\ud800</r>") == (
        "bad.urdf: not XML at line 1, column 1; got characters that UTF-8 cannot hold; expected a model; "
        "Correct the file there."
    )


def test_comments_without_end_take_no_time(tmp_path: Path) -> None:
    path = tmp_path / "r.urdf"
    path.write_text("<robot name='r'>" + "<!--" * 2_000_000)
    with pytest.raises(ModelError, match="not XML at line 1"):
        read_model(path)
