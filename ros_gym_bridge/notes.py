"""What is worth knowing about a model that can be used all the same."""

from __future__ import annotations

from typing import NamedTuple


class Note(NamedTuple):
    """One remark.

    Attributes:
        where: the element, such as "joint 'elbow'"; empty for the model as a whole.
        what: what is unusual there, and what is made of it.
        remedy: what to do about it.
    """

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.remedy}."
