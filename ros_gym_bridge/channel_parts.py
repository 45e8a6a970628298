"""What every channel has, whatever it is of: how old it may be, and how it enters an observation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ros_gym_bridge.schema_parts import Frozen, Name

_MOST = 1e30  # in numbers of an observation, which a float32 must hold


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST


def _row(value: Any) -> Any:
    row = (value,) if _number(value) else value
    if not (isinstance(row, tuple) and row and all(map(_number, row))):
        raise PydanticCustomError("shape", "a number, or a list of numbers")
    return row


def _rows(value: Any) -> Any:
    alone = isinstance(value, tuple) and all(map(_number, value))
    rows = (value,) if alone else value
    pairs = isinstance(rows, tuple) and rows and all(isinstance(row, tuple) and len(row) == 2 for row in rows)
    if not pairs or not all(_number(number) for row in rows for number in row):
        raise PydanticCustomError("shape", "a pair of numbers, or a list of pairs")
    return rows


_Row = Annotated[tuple[float, ...], BeforeValidator(_row)]
_Rows = Annotated[tuple[tuple[float, float], ...], BeforeValidator(_rows)]

_SCALE = "factor; one, or one for each number of the last axis"
_OFFSET = "added after that, likewise"
_CLIP = (
    "lower and upper bound of what comes out, and of the space; one pair, or one for each number of the last axis; "
    "where none is given, those of nature: pixels, -1 and 1 for quaternions, the sensor's range, or else 1000 in the "
    "message's unit"
)
_NAN = "in place of NaN (a bad reading), in the message's unit"
_MINUS = "in place of -inf (too close, REP 117), in the message's unit; where none is given, it is clipped"
_PLUS = "in place of +inf (nothing in range, REP 117), likewise"
_FILL = "the value of an optional channel that has never come, as it comes out; where none is given, the one next to 0"
_DTYPE = "of what comes out; where none is given, whole numbers that are not scaled keep theirs, others are float32"
_MAX_AGE = (
    "seconds between the sample's stamp and the state's from which the sample is stale; where none is given, never"
)
_REQUIRED = "false: a robot without it is taken as well"
_STALE = "what a stale sample does: it is held, flagged in `info`; the episode is truncated; or `step` raises an error"


class Observe(Frozen):
    """How the samples of a channel enter an observation (`channels=` of `gym.make`): what is not finite is replaced,
    then `value * scale + offset`, clipped. `RobotState.channels` holds them as they came."""

    scale: _Row = Field(default=(1.0,), description=_SCALE)
    offset: _Row = Field(default=(0.0,), description=_OFFSET)
    clip: _Rows | None = Field(default=None, description=_CLIP)
    nan: float = Field(default=0.0, ge=-_MOST, le=_MOST, description=_NAN)
    minus_inf: float | None = Field(default=None, ge=-_MOST, le=_MOST, description=_MINUS)
    plus_inf: float | None = Field(default=None, ge=-_MOST, le=_MOST, description=_PLUS)
    fill: float | None = Field(default=None, description=_FILL)
    dtype: Literal["uint8", "uint16", "int32", "float32", "float64"] | None = Field(default=None, description=_DTYPE)

    @model_validator(mode="after")
    def _sensible(self) -> Observe:
        if 0.0 in self.scale:
            raise PydanticCustomError("shape", "a scale other than 0")
        if any(low >= high for low, high in self.clip or ()):
            raise PydanticCustomError("shape", "lower bounds below upper ones in 'clip'")
        return self


class Received(Frozen):
    """What can be said of a channel wherever it comes from."""

    name: Name
    max_age_s: float | None = Field(default=None, gt=0.0, description=_MAX_AGE)
    required: bool = Field(default=True, description=_REQUIRED)
    when_stale: Literal["hold", "truncate", "raise"] = Field(default="hold", description=_STALE)
    observe: Observe = Observe()
