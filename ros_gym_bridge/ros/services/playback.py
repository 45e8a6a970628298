"""Whether time moves, and where it starts again: `get_`/`set_simulation_state`, `reset_simulation`."""

from __future__ import annotations

from typing import Any

from simulation_interfaces.msg import Result, SimulatorFeatures
from simulation_interfaces.srv import GetSimulationState, ResetSimulation, SetSimulationState

from ros_gym_bridge.ros.services.answers import Refused
from ros_gym_bridge.ros.services.desk import Desk
from ros_gym_bridge.ros.stage import Stage
from ros_gym_bridge.sim.playback import Playback

FEATURES = (
    SimulatorFeatures.SIMULATION_RESET,
    SimulatorFeatures.SIMULATION_RESET_TIME,
    SimulatorFeatures.SIMULATION_RESET_STATE,
    SimulatorFeatures.SIMULATION_STATE_GETTING,
    SimulatorFeatures.SIMULATION_STATE_SETTING,
    SimulatorFeatures.SIMULATION_STATE_PAUSE,
)

_Scope = ResetSimulation.Request
_KNOWN = _Scope.SCOPE_TIME | _Scope.SCOPE_STATE | _Scope.SCOPE_SPAWNED
_ASKED_FOR = (Playback.STOPPED, Playback.PLAYING, Playback.PAUSED, Playback.QUITTING)


class PlaybackServices:
    """The state machine.

    Args:
        desk: where they are offered; the parameters `seed` and `strict_reset` of its node are read at every reset.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk, self._host, self._node = desk, desk.host, desk.node
        desk.offer(GetSimulationState, "get_simulation_state", self._get)
        desk.offer(SetSimulationState, "set_simulation_state", self._set)
        desk.offer(ResetSimulation, "reset_simulation", self._reset)

    def _get(self, _: Any, response: Any) -> None:
        response.state.state = int(self._host.playback)

    def _set(self, request: Any, _: Any) -> None:
        answer, target = SetSimulationState.Response, request.state.state
        if target not in _ASKED_FOR:
            text = f"no transition to state {target}; expected STOPPED (0), PLAYING (1), PAUSED (2) or QUITTING (3)"
            raise Refused(answer.INCORRECT_TRANSITION, text)
        if target == self._host.playback:
            raise Refused(answer.ALREADY_IN_TARGET_STATE, f"the simulation is {Playback(target).name} already")
        if target == Playback.QUITTING:
            self._host.quitting = True
            return
        self._desk.check_idle(answer.STATE_TRANSITION_ERROR)
        if self._host.stage is None:
            raise Refused(answer.INCORRECT_TRANSITION, "no world is loaded; call load_world first")
        if target == Playback.PLAYING and self._host.stage.simulation.diverged:
            raise Refused(answer.STATE_TRANSITION_ERROR, "the physics has diverged; call reset_simulation first")
        if target == Playback.STOPPED:
            self._start_over(self._host.stage, _Scope.SCOPE_ALL)
        self._host.stage.engine.playback = Playback(target)

    def _reset(self, request: Any, _: Any) -> None:
        scope = request.scope or _Scope.SCOPE_ALL
        if scope != _Scope.SCOPE_ALL and scope & ~_KNOWN:
            text = f"unknown scope {scope}; expected 0, 255 or a sum of TIME (1), STATE (2) and SPAWNED (4)"
            raise Refused(Result.RESULT_FEATURE_UNSUPPORTED, text)
        self._start_over(self._desk.idle_stage(), scope)

    def _start_over(self, stage: Stage, scope: int) -> None:
        if scope == _Scope.SCOPE_ALL:
            stage.entities.infos.forget()
        if scope & _Scope.SCOPE_SPAWNED:
            stage.entities.delete_spawned()
        if scope & _Scope.SCOPE_STATE:
            seed = int(self._node.get_parameter("seed").value)
            stage.reset(seed if seed >= 0 else None, bool(self._node.get_parameter("strict_reset").value))
        if scope & _Scope.SCOPE_TIME:
            stage.engine.rewind()
