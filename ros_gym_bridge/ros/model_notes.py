"""What whoever starts a simulation should hear about its models, in a line each."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ros_gym_bridge.robot_model import RobotModel
from ros_gym_bridge.survey import deviations
from ros_gym_bridge.world_file import WorldFile

_SAID, _LONGEST = 3, 240  # remarks on one model, and characters of each


def about(model: RobotModel) -> str:
    """In what a model is simulated otherwise than its file says; empty for one that is as it says."""
    notes = [textwrap.shorten(str(note), _LONGEST, placeholder=" ...") for note in deviations(model)]
    if not notes:
        return ""
    rest = len(notes) - _SAID
    said = [*notes[:_SAID], f"{rest} more remarks." if rest > 1 else "1 more remark." if rest == 1 else ""]
    where = f"All of it: ros-gym-bridge describe {model.path}" if model.path.is_file() else ""
    return " ".join(filter(None, (f"Model '{model.name}':", *said, where)))


def about_all(world: WorldFile) -> Iterator[str]:
    """Of every model of a world that there is something to say of, once."""
    models = [placed.robot.model for placed in world.robots] + [placed.model for placed in world.bodies]
    for model in {(model.path, model.name): model for model in models}.values():
        text = about(model)
        if text:
            yield text
