"""What a simulator with simulation_interfaces offers, what it lacks, and what each lack costs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from simulation_interfaces.msg import SimulatorFeatures as Features

ACTION = "simulate_steps"
_PROMISES = {
    Features.SIMULATION_RESET: "reset_simulation",
    Features.SIMULATION_STATE_GETTING: "get_simulation_state",
    Features.SIMULATION_STATE_SETTING: "set_simulation_state",
    Features.STEP_SIMULATION_SINGLE: "step_simulation",
    Features.STEP_SIMULATION_MULTIPLE: "step_simulation",
    Features.STEP_SIMULATION_ACTION: ACTION,
}


class Lack(NamedTuple):
    """Something that a simulator does not offer or does in its own way.

    Attributes:
        what: is lacking, or is otherwise.
        cost: what follows from it for the user.
    """

    what: str
    cost: str

    def __str__(self) -> str:
        return f"{self.what}: {self.cost}"


def promised(features: Collection[int] | None) -> set[str]:
    """The services and the action, by relative name, that a simulator with these features must have."""
    return {name for feature, name in _PROMISES.items() if feature in (features or ())}


def reset_scope(features: Collection[int] | None, bits: Any) -> int:
    """Which scope to ask a simulator for: what starts an episode without turning time back, if it can do that.

    Args:
        features: of the simulator; None where it does not tell.
        bits: `ResetSimulation.Request`.

    Returns:
        0, which is everything, where the state alone cannot be reset.
    """
    if features is not None and Features.SIMULATION_RESET_STATE not in features:
        return int(bits.SCOPE_DEFAULT)
    spawned = features is None or Features.SIMULATION_RESET_SPAWNED in features
    return int(bits.SCOPE_STATE | (bits.SCOPE_SPAWNED if spawned else 0))


def lacking(features: Collection[int] | None, there: Collection[str], by_service: bool) -> list[Lack]:
    """What a simulator that is not ours lacks of what an environment would use.

    Args:
        features: of the simulator; None where it does not tell.
        there: relative names of the services and the action that are served.
        by_service: whether it is to be stepped by service.
    """
    lacks = [Lack("no seed", "reset(seed=...) seeds the task alone, and options={'strict': True} changes nothing")]
    if features is None:
        lacks.append(Lack("no answer from get_simulator_features", "what it can do is taken from the services there"))
    elif Features.SIMULATION_RESET_STATE not in features:
        lacks.append(_WHOLE_RESETS)
    elif Features.SIMULATION_RESET_SPAWNED not in features:
        lacks.append(Lack("no reset of spawned entities", "what was spawned stays from one episode to the next"))
    if "get_simulation_state" not in there:
        lacks.append(Lack("no get_simulation_state", "it is told its state at each reset, whatever that is"))
    if "set_simulation_state" not in there:
        what = "time must stand still between steps by itself" if by_service else "it must be playing already"
        lacks.append(Lack("no set_simulation_state", f"it cannot be paused or played: {what}"))
    if by_service and "step_simulation" not in there:
        lacks.append(Lack("no step_simulation", f"steps are asked for by the action {ACTION}, which takes longer"))
    return lacks


_WHOLE_RESETS = Lack(
    "no reset of the state alone",
    "a reset is one of everything: time starts again, so stamps of two episodes repeat, and all that was changed is "
    "undone",
)


def refused_scope(reason: str) -> Lack:
    """A simulator has refused to reset the state alone."""
    return Lack(f"{_WHOLE_RESETS.what} ({reason})", _WHOLE_RESETS.cost)
