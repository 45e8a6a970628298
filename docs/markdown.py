"""Small pieces of Markdown, and what docstrings and schemas say, for `generate.py`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table; bars in cells are escaped."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def code(value: object) -> str:
    """A value as it is written in code; nothing for an empty text."""
    text = value if isinstance(value, str) else repr(value)
    return f"`{text}`" if text else ""


def number(value: float) -> str:
    """A number to four digits."""
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.10g}"


def summary(thing: Any) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def body(thing: Any) -> str:
    """A docstring up to its first section, a paragraph a line."""
    text = re.split(r"\n\n(?:Args|Attributes|Raises|Returns):\n", inspect.getdoc(thing) or "")[0]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def section(thing: Any, title: str) -> dict[str, str]:
    """What the section `Args:` or `Attributes:` of a docstring says, by name."""
    found = re.search(rf"^{title}:\n((?: +.*\n?)+)", inspect.getdoc(thing) or "", re.MULTILINE)
    entries = re.findall(r"^ {4}(\w[\w, ]*): (.*(?:\n {5,}.*)*)", found[1] if found else "", re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def keywords(thing: Any, title: str = "Args", leave_out: Iterable[str] = ()) -> str:
    """A table of what a constructor takes: name, default, meaning."""
    parameters = inspect.signature(thing).parameters
    rows = [
        (code(name), _default(parameters[name]), text)
        for name, text in section(thing, title).items()
        if name not in leave_out
    ]
    return table(("keyword", "default", "meaning"), rows)


def _default(parameter: inspect.Parameter) -> str:
    default = parameter.default
    return "" if default is parameter.empty or callable(default) else code(repr(default))


def expected(schema: Mapping[str, Any]) -> str:
    """What a JSON schema takes, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema or "oneOf" in schema:
        kinds = schema.get("anyOf") or schema["oneOf"]
        return " or ".join(expected(each) for each in kinds if each.get("type") != "null")
    if schema.get("type") == "object":
        return f"mapping of names to {expected(schema['additionalProperties'])}"
    if "const" in schema or "enum" in schema:
        return ", ".join(code(value) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        parts = schema.get("prefixItems")
        return f"list of {len(parts)} numbers" if parts else f"list of {expected(schema['items'])}"
    if schema.get("type") == "object":
        return f"names with {expected(schema['additionalProperties'])}"
    words = {"string": "text", "integer": "integer", "number": "number", "boolean": "`true` or `false`"}
    return words[schema["type"]] + "".join(
        f" {sign} {number(schema[key])}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if key in schema
    )
