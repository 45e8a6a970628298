"""XML that may come from anybody: bounded, and with nothing in it that grows or reads other files."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

from ros_gym_bridge.errors import ModelError

MAX_BYTES, MAX_ELEMENTS, MAX_DEPTH = 10_000_000, 200_000, 90


def read_text(path: Path) -> str:
    """A model file's text.

    Raises:
        ModelError: missing, too large, not UTF-8.
    """
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8-sig") if size <= MAX_BYTES else ""
    except (OSError, UnicodeDecodeError) as error:
        expected, remedy = "a model in UTF-8", "Correct the path, or save the file as UTF-8"
        raise ModelError(f"{path}: cannot be read", got=str(error), expected=expected, remedy=remedy) from error
    check_size(size, str(path))
    return clean(text)


def check_size(size: int, where: str) -> None:
    """Refuse a text of `size` bytes that is too long.

    Raises:
        ModelError: it is.
    """
    if size > MAX_BYTES:
        remedy = "Simplify the model, and put what is drawn into mesh files"
        raise ModelError(
            f"{where}: too large for a model", got=f"{size} bytes", expected=f"at most {MAX_BYTES}", remedy=remedy
        )


def clean(text: str) -> str:
    """Without what editors leave before the first and after the last element, and XML does not allow there."""
    return text.lstrip("\ufeff \t\r\n").rstrip("\0")


def parse_xml(text: str, where: str) -> Element:
    """The outermost element.

    Args:
        text: XML; an encoding that it declares is not looked at.
        where: the file, for messages.

    Raises:
        ModelError: not XML, too long, too deep, or with a document type: entities can make a short text enormous, or
            read other files.
    """
    check_size(len(text.encode("utf-8", "surrogatepass")), where)
    try:
        _check_bounds(text, where)
        return ElementTree.fromstring(text)
    except expat.ExpatError as error:
        place, reason = (error.lineno, error.offset), expat.ErrorString(error.code)
    except ElementTree.ParseError as error:
        place, reason = error.position, str(error).partition(":")[0]
    except UnicodeEncodeError:
        place, reason = (1, 0), "characters that UTF-8 cannot hold"
    at = f"line {place[0]}, column {place[1] + 1}"
    raise ModelError(f"{where}: not XML at {at}", got=reason, expected="a model", remedy="Correct the file there")


def _check_bounds(text: str, where: str) -> None:
    """One pass that builds nothing and stops at the first element too much."""
    parser = expat.ParserCreate("utf-8")
    elements = depth = 0

    def doctype(*_: object) -> None:
        expected, remedy = "no <!DOCTYPE>, which can hide entities", "Remove it, and write out what its entities say"
        raise ModelError(f"{where}: a document type is declared", expected=expected, remedy=remedy)

    def start(*_: object) -> None:
        nonlocal elements, depth
        elements, depth = elements + 1, depth + 1
        for what, count, most in (("elements", elements, MAX_ELEMENTS), ("levels of elements", depth, MAX_DEPTH)):
            if count > most:
                raise ModelError(f"{where}: too many {what}", expected=f"at most {most}", remedy="Simplify the model")

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(text.encode(), True)
