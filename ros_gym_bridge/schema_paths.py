"""Where in a file something is wrong: from pydantic's locations to keys as the reader wrote them."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel


def place(root: type[BaseModel], location: tuple[int | str, ...]) -> tuple[str, list[str]]:
    """The key at a location, such as `channels[0].noise`, and the keys that are valid inside it.

    Where a part may be of several kinds, pydantic names the kind in the location; the reader did not write that.
    """
    key = ""
    models = [root]
    for part in location:
        kinds = [model for model in models if _kind(model) == part]
        if len(models) > 1 and kinds:
            models = kinds
            continue
        key += f"[{part}]" if isinstance(part, int) else f".{part}"
        if isinstance(part, str):
            fields = [model.model_fields[part] for model in models if part in model.model_fields]
            models = [model for field in fields for model in _models(field.annotation)]
    return key.removeprefix("."), list(models[0].model_fields) if len(models) == 1 else []


def _kind(model: type[BaseModel]) -> object:
    """What the key `kind` must be for this model."""
    field = model.model_fields.get("kind")
    return get_args(field.annotation)[0] if field is not None else None


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation names, also within lists and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]
