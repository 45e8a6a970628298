"""From messages of a robot to arrays: one small class for each type. No ROS here, only the fields are looked at."""

from __future__ import annotations

from ros_gym_bridge.message_types.base import MessageRefused, MessageType, Wanted, WantedError
from ros_gym_bridge.message_types.registry import TYPES, message_type

__all__ = ["TYPES", "MessageRefused", "MessageType", "Wanted", "WantedError", "message_type"]
