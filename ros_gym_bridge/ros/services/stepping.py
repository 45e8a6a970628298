"""Time step by step: the service `step_simulation` and the action `simulate_steps`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.task import Future
from simulation_interfaces.action import SimulateSteps
from simulation_interfaces.msg import Result, SimulatorFeatures
from simulation_interfaces.srv import StepSimulation

from ros_gym_bridge.errors import ResetNeededError
from ros_gym_bridge.ros.services.answers import Refused, tell
from ros_gym_bridge.ros.services.desk import Desk
from ros_gym_bridge.sim.engine import Engine
from ros_gym_bridge.sim.playback import Playback

FEATURES = (
    SimulatorFeatures.STEP_SIMULATION_SINGLE,
    SimulatorFeatures.STEP_SIMULATION_MULTIPLE,
    SimulatorFeatures.STEP_SIMULATION_ACTION,
)

_SLICE_S = 0.01


class SteppingServices:
    """Steps of a paused simulation. Many are done in slices, between which the node serves everything else.

    Attributes:
        unanswered: somebody waits for the result of an action, which goes out while the executor is served.

    Args:
        desk: where they are offered.
        executor: of its node; what an action waits for is resumed there.
    """

    def __init__(self, desk: Desk, executor: Any) -> None:
        self._desk, self._executor = desk, executor
        self.unanswered = False
        self._service = desk.offer_late(StepSimulation, "step_simulation", self._step)
        self._action: ActionServer | None = ActionServer(
            desk.node,
            SimulateSteps,
            "simulate_steps",
            self._execute,
            goal_callback=lambda _: GoalResponse.ACCEPT,  # a goal that is rejected could not say why
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    def close(self) -> None:
        """Before the node goes. May be called again."""
        if self._action is not None:
            self._action.destroy()
            self._action = None

    def _step(self, request: Any, response: Any) -> None:
        refusal = self._refusal("step_simulation", request.steps)
        if refusal:
            raise Refused(Result.RESULT_OPERATION_FAILED, refusal)
        steps = _Steps(self._desk.stage().engine, request.steps, response.result)
        if not steps.run_slice():
            self._desk.host.job = _Service(steps, self._service.keep(response).send)

    async def _execute(self, goal: Any) -> Any:
        """The steps are made by the node's loop; this waits until they are."""
        result = SimulateSteps.Result()
        refusal = self._refusal("simulate_steps", goal.request.steps)
        if refusal:
            tell(result.result, Result.RESULT_OPERATION_FAILED, refusal)
            goal.abort()
            return result
        done = Future(executor=self._executor)
        steps = _Steps(self._desk.stage().engine, goal.request.steps, result.result)
        self._desk.host.job = _Action(steps, goal, done)
        self.unanswered = True
        await done
        self.unanswered = False
        return result

    def _refusal(self, name: str, steps: int) -> str:
        """Why these steps cannot be done; empty when they can."""
        host = self._desk.host
        if host.playback != Playback.PAUSED:
            return f"the simulation is {host.playback.name}; set_simulation_state to PAUSED (2) first"
        if host.job is not None:
            return host.under_way.replace("a ", "another ", 1) if host.job.name == name else host.under_way
        return "" if steps else "steps is 0; expected at least 1"


class _Steps:
    """Some physics steps to go, and the Result that says how they went."""

    def __init__(self, engine: Engine, steps: int, result: Any) -> None:
        self._engine, self.steps, self.remaining, self.result = engine, steps, steps, result

    @property
    def completed(self) -> int:
        """How many were done."""
        return self.steps - self.remaining

    def run_slice(self, each: Callable[[], None] | None = None) -> bool:
        """Up to 10 ms of work; a state is published at the end of each control period and of the slice.

        Args:
            each: called after each step; without it a control period is one piece.

        Returns:
            True when nothing is left, and the Result is filled in.
        """
        end, told = time.monotonic() + _SLICE_S, True
        try:
            while self.remaining and time.monotonic() < end:
                told = self._advance(self._to_boundary() if each is None else 1)
                if each is not None:
                    each()
            if not told:
                self._engine.tell()
        except ResetNeededError as error:
            self.remaining = 0
            tell(self.result, Result.RESULT_OPERATION_FAILED, str(error))
            return True
        if not self.remaining:
            tell(self.result, Result.RESULT_OK)
        return not self.remaining

    def _advance(self, count: int) -> bool:
        """Whether a state was published."""
        count = min(count, self.remaining)
        tell_it = count in (self.remaining, self._to_boundary())
        self._engine.advance(count, tell_it)
        self.remaining -= count
        return tell_it

    def _to_boundary(self) -> int:
        """Steps to the end of the control period."""
        simulation = self._engine.simulation
        return simulation.steps_per_period - simulation.steps % simulation.steps_per_period

    def give_up(self, why: str) -> None:
        """What remains will not be done."""
        text = f"{why}; {self.completed} of {self.steps} steps were done"
        tell(self.result, Result.RESULT_OPERATION_FAILED, text)


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
        self._steps.give_up("the simulator is ending")
        self._send()


class _Action:
    """A goal of `simulate_steps`."""

    name = "simulate_steps"
    state: Playback | None = None
    still = True

    def __init__(self, steps: _Steps, goal: Any, done: Future) -> None:
        self._steps, self._goal, self._done = steps, goal, done

    def work(self) -> bool:
        """See `Job`."""
        if self._goal.is_cancel_requested:
            self._steps.give_up("cancelled")
            self._goal.canceled()
        elif not self._steps.run_slice(self._feedback):
            return False
        elif self._steps.result.result == Result.RESULT_OK:
            self._goal.succeed()
        else:
            self._goal.abort()
        self._done.set_result(None)
        return True

    def abandon(self) -> None:
        """See `Job`."""
        self._steps.give_up("the simulator is ending")
        self._goal.abort()
        self._done.set_result(None)

    def _feedback(self) -> None:
        steps = self._steps
        self._goal.publish_feedback(
            SimulateSteps.Feedback(completed_steps=steps.completed, remaining_steps=steps.remaining)
        )
