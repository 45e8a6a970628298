"""A client of the services of a simulator: simulation_interfaces, and the parameters of our own node."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.parameter import Parameter, parameter_value_to_python
from simulation_interfaces.msg import Result
from simulation_interfaces.srv import GetSimulationState, ResetSimulation, SetSimulationState, StepSimulation

from ros_gym_bridge.errors import RobotLostError, RobotRefusedError
from ros_gym_bridge.ros.names import NODE_NAME
from ros_gym_bridge.ros.session import Session
from ros_gym_bridge.sim.playback import Playback

_SERVICES = {
    "reset_simulation": ResetSimulation,
    "get_simulation_state": GetSimulationState,
    "set_simulation_state": SetSimulationState,
    "step_simulation": StepSimulation,
    f"{NODE_NAME}/get_parameters": GetParameters,
    f"{NODE_NAME}/set_parameters": SetParameters,
}


_PARAMETERS = (f"{NODE_NAME}/get_parameters", f"{NODE_NAME}/set_parameters")


class SimulatorClient:
    """Calls services, each with a deadline.

    Args:
        session: an open session.
        namespace: of the services, absolute; None for that of the session.
        needed: names of the services that must be there.
        timeout_s: wall-clock seconds to wait for an answer.
        ending: tells how the simulator has ended, so that nobody waits any longer; empty while it may answer.
    """

    def __init__(
        self,
        session: Session,
        namespace: str | None,
        needed: tuple[str, ...],
        timeout_s: float,
        ending: Callable[[], str],
    ) -> None:
        self._session, self._timeout_s, self._ending = session, timeout_s, ending
        self._needed = needed
        self._ours = False
        self._prefix = "" if namespace is None else namespace.rstrip("/") + "/"
        self._clients = {n: session.node.create_client(kind, self._prefix + n) for n, kind in _SERVICES.items()}

    def missing(self) -> list[str]:
        """The needed services that nobody serves, by full name."""
        return [self._full(name) for name in self._needed if not self._clients[name].service_is_ready()]

    def names(self) -> list[str]:
        """The needed services by full name."""
        return [self._full(name) for name in self._needed]

    def recognize(self, timeout_s: float) -> None:
        """Find out whether this is our simulation node, which takes a seed and tells what it simulates.

        Args:
            timeout_s: wall-clock seconds after which it is taken for another simulator.
        """
        clients = [self._clients[name] for name in _PARAMETERS]
        self._ours = self._session.spin_until(lambda: all(c.service_is_ready() for c in clients), timeout_s)

    def parameters(self, *names: str) -> dict[str, Any]:
        """Parameters of our simulation node, without those that it lacks; none where it is another simulator.

        Raises:
            RobotLostError: no answer.
        """
        if not self._ours:
            return {}
        values = self._call(_PARAMETERS[0], GetParameters.Request(names=list(names))).values
        plain = {name: parameter_value_to_python(value) for name, value in zip(names, values, strict=False)}
        return {name: value for name, value in plain.items() if value is not None}

    def reset(self, seed: int | None, strict: bool) -> None:
        """Start an episode: state and spawned things, not the time. A seed reaches our simulation node only.

        Raises:
            RobotRefusedError: the simulator says that it did not.
            RobotLostError: no answer.
        """
        if self._ours:
            values = {"seed": -1 if seed is None else seed, "strict_reset": strict}
            messages = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
            for result in self._call(_PARAMETERS[1], SetParameters.Request(parameters=messages)).results:
                if not result.successful:
                    raise RobotRefusedError(f"{self._full(_PARAMETERS[1])} refused", got=result.reason)
        scope = ResetSimulation.Request.SCOPE_STATE | ResetSimulation.Request.SCOPE_SPAWNED
        self._demand("reset_simulation", ResetSimulation.Request(scope=scope))

    def step(self, physics_steps: int) -> None:
        """Have a paused simulator do so many steps.

        Raises:
            RobotRefusedError, RobotLostError: as `reset`.
        """
        self._demand("step_simulation", StepSimulation.Request(steps=physics_steps))

    def ensure(self, playback: Playback) -> None:
        """Bring the simulator into a state, unless it is in it already.

        Raises:
            RobotRefusedError, RobotLostError: as `reset`.
        """
        if self._call("get_simulation_state", GetSimulationState.Request()).state.state != playback:
            request = SetSimulationState.Request()
            request.state.state = int(playback)
            self._demand("set_simulation_state", request, SetSimulationState.Response.ALREADY_IN_TARGET_STATE)

    def _full(self, name: str) -> str:
        """A service's name after namespace and remapping."""
        return str(self._session.node.resolve_service_name(self._prefix + name))

    def _demand(self, name: str, request: Any, *also_good: int) -> None:
        result = self._call(name, request).result
        if result.result not in (Result.RESULT_OK, *also_good):
            raise RobotRefusedError(
                f"{self._full(name)} refused",
                got=f"result {result.result}: {result.error_message or 'no reason given'}",
                expected="RESULT_OK (1)",
            )

    def _call(self, name: str, request: Any) -> Any:
        client = self._clients[name]
        future = client.call_async(request)
        begun = time.monotonic()
        self._session.spin_until(lambda: future.done() or self._ending(), self._timeout_s)
        if not future.done():
            client.remove_pending_request(future)
            raise lost(f"an answer from {self._full(name)}", time.monotonic() - begun, self._ending())
        return future.result()


def lost(what: str, waited_s: float, ending: str = "", seen: str = "") -> RobotLostError:
    """An error that says for how long and for what was waited.

    Args:
        what: was waited for.
        waited_s: wall-clock seconds.
        ending: how a simulator of our own has ended.
        seen: what else is known.
    """
    remedy = "Check that the robot or simulator is alive, not paused, and that nobody else commands it"
    return RobotLostError(
        f"waited {waited_s:.2f} s for {what} in vain",
        got=ending or seen,
        remedy="reset() starts a new one" if ending else f"{remedy}; reset() connects again",
    )
