"""A simulator's services, called from a loop that must not wait."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from simulation_interfaces.msg import Result, SimulationState
from simulation_interfaces.srv import GetSimulationState, ResetSimulation, SetSimulationState, StepSimulation

from ros_gym_bridge.ros.names import upward

_KINDS = {
    "get_simulation_state": GetSimulationState,
    "set_simulation_state": SetSimulationState,
    "step_simulation": StepSimulation,
    "reset_simulation": ResetSimulation,
}
_STATES = {0: "stopped", 1: "playing", 2: "paused", 3: "quitting", 4: "no world", 5: "loading a world"}
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Answer:
    """What came of a request: words for the user."""

    text: str
    good: bool


@dataclass(frozen=True)
class _Pending:
    client: Any
    future: Any
    since: float
    done: str


class Remote:
    """Plays, pauses, steps and resets a simulator, and tells what it answers.

    Args:
        node: the services are looked for in its namespace and upward, where a simulator of several robots stands.

    Attributes:
        state: what the simulator says it is doing; empty where nobody does.
    """

    def __init__(self, node: Node) -> None:
        self._clients: dict[str, list[Any]] = {
            name: [node.create_client(kind, full) for full in upward(node.get_namespace(), name)]
            for name, kind in _KINDS.items()
        }
        self._pending: dict[str, _Pending] = {}
        self.state = ""

    def ready(self) -> dict[str, bool]:
        """Which services are there."""
        return {name: self._client(name) is not None for name in _KINDS}

    def ask(self, kind: str, steps: int = 1) -> Answer | None:
        """Send `play`, `pause`, `step` or `reset`.

        Returns:
            Why it was not sent; None when it was, and `work` will tell the answer.
        """
        name, request, done = _request(kind, steps)
        if name in self._pending:
            return Answer(f"{name} has not answered the last request yet", False)
        if self._client(name) is None:
            return Answer(f"there is no service {name}", False)
        self._send(name, request, done)
        return None

    def look(self) -> None:
        """Ask for the state, unless that is under way."""
        name = "get_simulation_state"
        if self._client(name) is None:
            self.state = ""
        elif name not in self._pending:
            self._send(name, GetSimulationState.Request(), "")

    def work(self) -> Answer | None:
        """One answer that has arrived, or a request that was given up; None when there is nothing to tell."""
        for name, pending in list(self._pending.items()):
            if pending.future.done():
                del self._pending[name]
                if name != "get_simulation_state":
                    return _answer(name, pending)
                state = pending.future.result().state.state
                self.state = _STATES.get(state, f"state {state}")
            elif time.monotonic() - pending.since > _TIMEOUT_S:
                del self._pending[name]
                pending.client.remove_pending_request(pending.future)
                if name != "get_simulation_state":
                    return Answer(f"{name} did not answer within {_TIMEOUT_S:.0f} s", False)
        return None

    def _client(self, name: str) -> Any:
        """The nearest that is served; None when none is."""
        return next((client for client in self._clients[name] if client.service_is_ready()), None)

    def _send(self, name: str, request: Any, done: str) -> None:
        client = self._client(name)
        self._pending[name] = _Pending(client, client.call_async(request), time.monotonic(), done)


def _request(kind: str, steps: int) -> tuple[str, Any, str]:
    """The service, the request, and the words when it is done."""
    if kind == "step":
        return "step_simulation", StepSimulation.Request(steps=steps), f"stepped {steps}"
    if kind == "reset":
        request = ResetSimulation.Request()
        request.scope = request.SCOPE_STATE | request.SCOPE_SPAWNED
        return "reset_simulation", request, "reset: state and spawned things; time goes on"
    request = SetSimulationState.Request()
    request.state.state = SimulationState.STATE_PLAYING if kind == "play" else SimulationState.STATE_PAUSED
    return "set_simulation_state", request, _STATES[request.state.state]


def _answer(name: str, pending: _Pending) -> Answer:
    result = pending.future.result().result
    if result.result == Result.RESULT_OK:
        return Answer(pending.done, True)
    return Answer(f"{name} refused: {result.error_message or 'no reason given'} (result {result.result})", False)
