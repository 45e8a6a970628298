"""Time step by step: the service `step_simulation`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from simulation_interfaces.msg import Result, SimulatorFeatures
from simulation_interfaces.srv import StepSimulation

from ros_gym_bridge.errors import ResetNeededError
from ros_gym_bridge.ros.services.answers import Refused, tell
from ros_gym_bridge.ros.services.desk import Desk
from ros_gym_bridge.sim.engine import Engine
from ros_gym_bridge.sim.playback import Playback

FEATURES = (SimulatorFeatures.STEP_SIMULATION_SINGLE, SimulatorFeatures.STEP_SIMULATION_MULTIPLE)

_SLICE_S = 0.01


class SteppingServices:
    """Steps of a paused simulation. A long one is done in slices, between which the node serves everything else.

    Args:
        desk: where they are offered.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._service = desk.offer_late(StepSimulation, "step_simulation", self._step)

    def _step(self, request: Any, response: Any) -> None:
        refusal = self._refusal(request.steps)
        if refusal:
            raise Refused(Result.RESULT_OPERATION_FAILED, refusal)
        steps = _Steps(self._desk.stage().engine, request.steps, response.result)
        if not steps.run_slice():
            self._desk.host.job = _Service(steps, self._service.keep(response).send)

    def _refusal(self, steps: int) -> str:
        """Why these steps cannot be done; empty when they can."""
        host = self._desk.host
        if host.playback != Playback.PAUSED:
            return f"the simulation is {host.playback.name}; set_simulation_state to PAUSED (2) first"
        if host.job is not None:
            return host.under_way.replace("a ", "another ", 1) if host.job.name == "step_simulation" else host.under_way
        return "" if steps else "steps is 0; expected at least 1"


class _Steps:
    """Some physics steps to go, and the Result that says how they went."""

    def __init__(self, engine: Engine, steps: int, result: Any) -> None:
        self._engine, self.steps, self.remaining, self.result = engine, steps, steps, result

    def run_slice(self) -> bool:
        """Up to 10 ms of work, a control period at a time, each one published; True when nothing is left."""
        end = time.monotonic() + _SLICE_S
        simulation = self._engine.simulation
        try:
            while self.remaining:
                to_boundary = simulation.steps_per_period - simulation.steps % simulation.steps_per_period
                count = min(self.remaining, to_boundary)
                self._engine.advance(count)
                self.remaining -= count
                if time.monotonic() >= end:
                    break
        except ResetNeededError as error:
            self.remaining = 0
            tell(self.result, Result.RESULT_OPERATION_FAILED, str(error))
            return True
        if not self.remaining:
            tell(self.result, Result.RESULT_OK)
        return not self.remaining

    def give_up(self) -> None:
        """The simulator ends."""
        done = f"{self.steps - self.remaining} of {self.steps} steps were done"
        tell(self.result, Result.RESULT_OPERATION_FAILED, f"the simulator is ending; {done}")


class _Service:
    """A long `step_simulation`."""

    name = "step_simulation"
    state: Playback | None = None
    still = True

    def __init__(self, steps: _Steps, send: Callable[[], None]) -> None:
        self._steps, self._send = steps, send

    def work(self) -> bool:
        """See `Job`."""
        done = self._steps.run_slice()
        if done:
            self._send()
        return done

    def abandon(self) -> None:
        """See `Job`."""
        self._steps.give_up()
        self._send()
