"""What goes into a conversion, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.notes import Note
from ros_gym_bridge.urdf_numbers import numbers as read

Format = Literal["urdf", "xacro", "sdf", "mjcf"]
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Source:
    """A model in another format than URDF.

    Attributes:
        text: of the file.
        where: the file, for messages.
        folder: where relative names begin; None for a text that lies nowhere.
        format: of the text.
        arguments: of a xacro, by name.
        model_name: which of several models is meant.
    """

    text: str
    where: str
    folder: str | None
    format: Format
    arguments: tuple[tuple[str, str], ...] = ()
    model_name: str | None = None


@dataclass(frozen=True)
class Converted:
    """A model as URDF.

    Attributes:
        urdf: its text.
        notes: what was left out, or changed.
        floating: whether the file means a base that moves freely; None when it does not say.
        position, rpy: where the file places the root link in the world, m and rad.
        files: further files that were read.
    """

    urdf: str
    notes: tuple[Note, ...] = ()
    floating: bool | None = None
    position: Vector = (0.0, 0.0, 0.0)
    rpy: Vector = (0.0, 0.0, 0.0)
    files: tuple[str, ...] = ()


def choose(models: list[tuple[str, bool]], wanted: str | None, where: str) -> int:
    """Which of several models is meant: the one of that name, or the only one, or the only one that moves.

    Args:
        models: name, and whether it has joints that move.
        wanted: its name, if one was given.
        where: the file, for messages.

    Raises:
        ModelError: no model, none of that name, or several.
    """
    names = [name for name, _ in models]
    listed = ", ".join(f"'{name}'" for name in names)
    if not models:
        raise ModelError(f"{where}: no model in it", expected="at least one", remedy="Name another file")
    if wanted is not None:
        if wanted not in names:
            remedy = "Correct model_name"
            raise ModelError(f"{where}: no such model", got=f"'{wanted}'", expected=f"one of {listed}", remedy=remedy)
        return names.index(wanted)
    moving = [i for i, (_, moves) in enumerate(models) if moves]
    if len(models) == 1 or len(moving) == 1:
        return moving[0] if moving else 0
    expected, remedy = "one of them to be chosen", f"Say which: model_name: {names[0]}"
    raise ModelError(f"{where}: several models", got=listed, expected=expected, remedy=remedy)


def words(element: Element | None, count: int, default: tuple[float, ...], where: str) -> tuple[float, ...]:
    """The numbers in an element's text.

    Raises:
        ModelError: other words, or another number of them.
    """
    given = (element.text or "") if element is not None else ""
    return numbers(given, count, default, where)


def numbers(given: str | None, count: int, default: tuple[float, ...], where: str) -> tuple[float, ...]:
    """The numbers in a text, `count` of them; `default` when there is no text.

    Raises:
        ModelError: other words, or another number of them.
    """
    if given is None or not given.strip():
        return default
    try:
        values = read(given)
    except ValueError:
        values = ()
    if len(values) != count:
        expected = "a finite number" if count == 1 else f"{count} finite numbers"
        raise ModelError(f"{where} is not right", got=repr(given), expected=expected, remedy="Correct the value")
    return values
