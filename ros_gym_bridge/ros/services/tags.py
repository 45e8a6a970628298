"""Filters by tags."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from simulation_interfaces.msg import Result, TagsFilter

from ros_gym_bridge.ros.services.answers import Refused


def check_tags_filter(tags: Any) -> None:
    """Refuse a mode that the standard does not have.

    Raises:
        Refused: it has another.
    """
    if tags.filter_mode not in (TagsFilter.FILTER_MODE_ANY, TagsFilter.FILTER_MODE_ALL):
        text = f"unknown filter_mode {tags.filter_mode}; expected ANY (0) or ALL (1)"
        raise Refused(Result.RESULT_OPERATION_FAILED, text)


def has_tags(wanted: Any, tags: Collection[str]) -> bool:
    """Whether tags pass a TagsFilter; one without tags lets everything pass."""
    hits = [tag in tags for tag in wanted.tags]
    return not hits or (all(hits) if wanted.filter_mode == TagsFilter.FILTER_MODE_ALL else any(hits))
