"""What the schemas are made of: frozen models that refuse what they do not know, names, topics, texts, vectors."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError


def _shaped(pattern: str, expected: str) -> AfterValidator:
    """A text of a certain shape, refused in words instead of with the pattern."""

    def check(text: str) -> str:
        if len(text) > 200 or not re.fullmatch(pattern, text):
            raise PydanticCustomError("shape", "{expected}", {"expected": expected})
        return text

    return AfterValidator(check)


Name = Annotated[str, _shaped(r"[A-Za-z_][\w.\-/]*", "a name of letters, digits and _ . - / that begins with a letter")]
UrdfName = Annotated[str, Field(min_length=1, max_length=200)]
Namespace = Annotated[str, _shaped(r"(?a:([A-Za-z]\w*(/[A-Za-z]\w*)*)?)", "a relative namespace such as left")]
Topic = Annotated[str, _shaped(r"[A-Za-z]\w*(/[A-Za-z]\w*)*", "a relative topic name such as joint_command")]
PublicTopic = Annotated[str, _shaped(r"/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", "a topic name such as scan or /robot/scan")]
MessageName = Annotated[str, _shaped(r"[a-z]\w*/msg/[A-Z]\w*", "a message type such as sensor_msgs/msg/Imu")]
Vector3 = tuple[float, float, float]
MAX_GRAVITY = 1000.0
_Gravity = Annotated[float, Field(ge=-MAX_GRAVITY, le=MAX_GRAVITY)]
Gravity = Annotated[tuple[_Gravity, _Gravity, _Gravity], Field(description="m/s², world frame")]
Text = Annotated[str, Field(max_length=10_000)]
Tag = Annotated[str, Field(min_length=1, max_length=200)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=100)]


class Frozen(BaseModel):
    """A part of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class BoundsBox(Frozen):
    """A box along the axes of a frame: its lower and its upper corner (m)."""

    lower: Vector3
    upper: Vector3

    @model_validator(mode="after")
    def _ordered(self) -> BoundsBox:
        if any(low > high for low, high in zip(self.lower, self.upper, strict=True)):
            raise PydanticCustomError("shape", "a lower corner that is nowhere above the upper one")
        return self
