"""The tasks: one file each."""

from __future__ import annotations

from ros_gym_bridge.tasks.balance import Balance
from ros_gym_bridge.tasks.base import Evaluation, Field, Marker, Task
from ros_gym_bridge.tasks.reach import Reach

TASKS: dict[str, type[Reach] | type[Balance]] = {"Reach": Reach, "Balance": Balance}

__all__ = ["TASKS", "Balance", "Evaluation", "Field", "Marker", "Reach", "Task"]
