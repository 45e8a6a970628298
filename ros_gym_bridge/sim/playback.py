"""Whether simulated time moves."""

from __future__ import annotations

import enum


class Playback(enum.IntEnum):
    """The numbers are those of simulation_interfaces/SimulationState."""

    STOPPED = 0
    PLAYING = 1
    PAUSED = 2
    QUITTING = 3
    NO_WORLD = 4
    LOADING_WORLD = 5
