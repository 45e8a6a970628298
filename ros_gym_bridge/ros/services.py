"""The services of simulation_interfaces that this simulator offers. `GetSimulatorFeatures` advertises exactly what
works."""

from __future__ import annotations

import time
from typing import Any

from rclpy.node import Node
from simulation_interfaces.msg import Result, SimulationState, SimulatorFeatures
from simulation_interfaces.srv import (
    GetSimulationState,
    GetSimulatorFeatures,
    ResetSimulation,
    SetSimulationState,
    StepSimulation,
)

from ros_gym_bridge.errors import ResetNeededError
from ros_gym_bridge.sim.engine import Engine
from ros_gym_bridge.sim.playback import Playback

_SLICE_S = 0.01

FEATURES = (
    SimulatorFeatures.SIMULATION_RESET,
    SimulatorFeatures.SIMULATION_RESET_TIME,
    SimulatorFeatures.SIMULATION_RESET_STATE,
    SimulatorFeatures.SIMULATION_STATE_GETTING,
    SimulatorFeatures.SIMULATION_STATE_SETTING,
    SimulatorFeatures.SIMULATION_STATE_PAUSE,
    SimulatorFeatures.STEP_SIMULATION_SINGLE,
    SimulatorFeatures.STEP_SIMULATION_MULTIPLE,
)

CUSTOM_INFO = (
    "PyBullet rigid-body physics by ros_gym_bridge. One step of step_simulation is one physics step. The parameters "
    "seed, strict_reset and real_time_factor say what the standard has no field for. "
    "reset_simulation: 0, 255 and any scope with SCOPE_TIME turn time back; SCOPE_STATE alone does not."
)


class SimulationServices:
    """Five services, relative to the node's namespace.

    A long `step_simulation` is done in slices: `work` does one, and the node serves everything else in between.

    Args:
        node: what serves; its parameters `seed` and `strict_reset` are read at every reset.
        engine: what obeys.
    """

    def __init__(self, node: Node, engine: Engine) -> None:
        self._node, self._engine = node, engine
        self._stepping: _LongStep | None = None
        node.create_service(GetSimulatorFeatures, "get_simulator_features", _get_features)
        node.create_service(GetSimulationState, "get_simulation_state", self._get_state)
        node.create_service(SetSimulationState, "set_simulation_state", self._set_state)
        node.create_service(ResetSimulation, "reset_simulation", self._reset)
        service = node.create_service(StepSimulation, "step_simulation", self._step)
        # rclpy answers when a callback returns, and its events executor knows no coroutines: a long step is kept back
        self._send = service.send_response
        service.send_response = self._send_or_keep

    @property
    def busy(self) -> bool:
        """Whether a `step_simulation` is under way."""
        return self._stepping is not None

    def work(self) -> None:
        """One slice of the step under way; answers when it is done."""
        step = self._stepping
        if step is not None and step.run_slice():
            self._stepping = None
            self._send(step.response, step.header)

    def abandon(self) -> None:
        """The node ends: say so to who waits for a step."""
        if self._stepping is not None:
            step, self._stepping = self._stepping, None
            done = f"{step.steps - step.remaining} of {step.steps} steps were done"
            _set(step.response.result, Result.RESULT_OPERATION_FAILED, f"the simulator is ending; {done}")
            self._send(step.response, step.header)

    def _get_state(self, _: Any, response: Any) -> Any:
        response.state.state = int(self._engine.playback)
        return _ok(response)

    def _set_state(self, request: Any, response: Any) -> Any:
        target = request.state.state
        if target not in (0, 1, 2, 3):
            text = f"no transition to state {target}; expected STOPPED (0), PLAYING (1), PAUSED (2) or QUITTING (3)"
            return _fail(response, SetSimulationState.Response.INCORRECT_TRANSITION, text)
        if target == self._engine.playback:
            text = f"the simulation is {Playback(target).name} already"
            return _fail(response, SetSimulationState.Response.ALREADY_IN_TARGET_STATE, text)
        if self.busy and target != SimulationState.STATE_QUITTING:
            text = "a step_simulation is under way; wait for its answer"
            return _fail(response, SetSimulationState.Response.STATE_TRANSITION_ERROR, text)
        if target == SimulationState.STATE_STOPPED:
            self._start_over(rewind=True, state=True)
        self._engine.playback = Playback(target)
        return _ok(response)

    def _reset(self, request: Any, response: Any) -> Any:
        scope = request.scope or ResetSimulation.Request.SCOPE_ALL
        known = (
            ResetSimulation.Request.SCOPE_TIME
            | ResetSimulation.Request.SCOPE_STATE
            | ResetSimulation.Request.SCOPE_SPAWNED
        )
        if scope != ResetSimulation.Request.SCOPE_ALL and scope & ~known:
            text = f"unknown scope {scope}; expected 0, 255 or a sum of TIME (1), STATE (2) and SPAWNED (4)"
            return _fail(response, Result.RESULT_FEATURE_UNSUPPORTED, text)
        if self.busy:
            text = "a step_simulation is under way; wait for its answer"
            return _fail(response, Result.RESULT_INCORRECT_STATE, text)
        self._start_over(
            rewind=bool(scope & ResetSimulation.Request.SCOPE_TIME),
            state=bool(scope & ResetSimulation.Request.SCOPE_STATE),
        )
        return _ok(response)

    def _start_over(self, rewind: bool, state: bool) -> None:
        """Nothing was spawned, since this simulator does not spawn: that scope is fulfilled by itself."""
        if state:
            seed = int(self._node.get_parameter("seed").value)
            self._engine.reset(seed if seed >= 0 else None, bool(self._node.get_parameter("strict_reset").value))
        if rewind:
            self._engine.rewind()

    def _step(self, request: Any, response: Any) -> Any:
        engine = self._engine
        if engine.playback != Playback.PAUSED:
            text = f"the simulation is {engine.playback.name}; set_simulation_state to PAUSED (2) first"
            return _fail(response, Result.RESULT_OPERATION_FAILED, text)
        if self.busy:
            return _fail(
                response, Result.RESULT_OPERATION_FAILED, "another step_simulation is under way; wait for its answer"
            )
        if request.steps == 0:
            return _fail(response, Result.RESULT_OPERATION_FAILED, "steps is 0; expected at least 1")
        self._stepping = _LongStep(engine, request.steps, response)
        if self._stepping.run_slice():
            self._stepping = None
        return response

    def _send_or_keep(self, response: Any, header: Any) -> None:
        if self._stepping is not None and self._stepping.response is response:
            self._stepping.header = header
        else:
            self._send(response, header)


class _LongStep:
    """Some physics steps to go, and who waits for them."""

    def __init__(self, engine: Engine, steps: int, response: Any) -> None:
        self._engine, self.steps, self.remaining = engine, steps, steps
        self.response, self.header = response, None

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
            _set(self.response.result, Result.RESULT_OPERATION_FAILED, str(error))
            return True
        if not self.remaining:
            _ok(self.response)
        return not self.remaining


def _get_features(_: Any, response: Any) -> Any:
    response.features.features = list(FEATURES)
    response.features.custom_info = CUSTOM_INFO
    return response


def _set(result: Any, code: int, text: str = "") -> None:
    result.result = code
    result.error_message = text


def _ok(response: Any) -> Any:
    _set(response.result, Result.RESULT_OK)
    return response


def _fail(response: Any, code: int, text: str) -> Any:
    _set(response.result, code, text)
    return response
