"""A client of the services of a simulator: simulation_interfaces, and the parameters of our own node."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.action import ActionClient
from rclpy.parameter import Parameter, parameter_value_to_python
from simulation_interfaces.action import SimulateSteps
from simulation_interfaces.msg import Result
from simulation_interfaces.srv import (
    GetSimulationState,
    GetSimulatorFeatures,
    ResetSimulation,
    SetSimulationState,
    StepSimulation,
)

from ros_gym_bridge.errors import RobotLostError, RobotRefusedError
from ros_gym_bridge.ros.names import NODE_NAME
from ros_gym_bridge.ros.offers import ACTION, Lack, lacking, promised, refused_scope, reset_scope
from ros_gym_bridge.ros.session import Session
from ros_gym_bridge.sim.playback import Playback

_PARAMETERS = (f"{NODE_NAME}/get_parameters", f"{NODE_NAME}/set_parameters")
_SERVICES = {
    "reset_simulation": ResetSimulation,
    "get_simulation_state": GetSimulationState,
    "set_simulation_state": SetSimulationState,
    "step_simulation": StepSimulation,
    "get_simulator_features": GetSimulatorFeatures,
    _PARAMETERS[0]: GetParameters,
    _PARAMETERS[1]: SetParameters,
}
_OF_EPISODES = ("seed", "strict_reset")  # the parameters by which our node is known
_FEATURES_S = 2.0
_AGAIN_S = 0.5
_PROMISED_S = 3.0


class SimulatorClient:
    """Calls services, each with a deadline.

    Attributes:
        ours: whether this is our simulation node, which takes a seed and tells what it simulates.
        features: constants of `SimulatorFeatures`; None where nobody tells.
        lacks: what another simulator does not offer or does in its own way, and what that costs.

    Args:
        session: an open session.
        namespace: of the services, absolute; None for that of the session.
        needed: names of the services that must be there; the action `simulate_steps` will do for `step_simulation`.
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
        self.ours = False
        self.features: frozenset[int] | None = None
        self._scope = ResetSimulation.Request.SCOPE_STATE | ResetSimulation.Request.SCOPE_SPAWNED
        self.lacks: list[Lack] = []
        self._prefix = "" if namespace is None else namespace.rstrip("/") + "/"
        self._clients = {n: session.node.create_client(kind, self._prefix + n) for n, kind in _SERVICES.items()}
        self._action: ActionClient | None = None

    def close(self) -> None:
        """Before the node goes. May be called again."""
        if self._action is not None:
            self._action.destroy()
            self._action = None

    def offers(self, name: str, timeout_s: float) -> bool:
        """Whether a service is there, or comes within so many wall-clock seconds."""
        return self._session.spin_until(self._clients[name].service_is_ready, timeout_s)

    def need(self, names: tuple[str, ...]) -> None:
        """From now on these services must be there."""
        self._needed = names

    def missing(self) -> list[str]:
        """The needed services that nobody serves, by full name."""
        return [self._full(name) for name in self._needed if not self._there(name)]

    def names(self) -> list[str]:
        """The needed services by full name."""
        return [self._full(name) for name in self._needed]

    def survey(self, timeout_s: float) -> None:
        """As `look`, and note what another simulator lacks."""
        self.look(timeout_s)
        if not self.ours:
            for lack in lacking(self.features, self.offered(), "step_simulation" in self._needed):
                self.note(lack)

    def look(self, timeout_s: float) -> None:
        """Find out whether this is our simulation node, and what another simulator offers.

        Args:
            timeout_s: wall-clock seconds after which it is taken for another simulator.

        Raises:
            RobotLostError: our node does not answer.
        """
        clients = [self._clients[name] for name in _PARAMETERS]
        if self._session.spin_until(lambda: all(c.service_is_ready() for c in clients), timeout_s):
            self.ours = len(self._known(_OF_EPISODES)) == len(_OF_EPISODES)
        if self.ours:
            self._session.spin_until(lambda: all(c.service_is_ready() for c in self._clients.values()), timeout_s)
            return
        self.features = self._ask_features()
        self._scope = reset_scope(self.features, ResetSimulation.Request)
        wanted = promised(self.features)
        self._session.spin_until(lambda: wanted <= self.offered(), _PROMISED_S)

    def offered(self) -> set[str]:
        """The services that are served, and the action, by relative name."""
        services = {name for name, client in self._clients.items() if client.service_is_ready()}
        return services | ({ACTION} if self._acts() else set())

    def note(self, lack: Lack) -> None:
        """Remember a lack, and warn of it once."""
        if lack not in self.lacks:
            self.lacks.append(lack)
            self._session.node.get_logger().warning(f"The simulator has {lack}.")

    def parameters(self, *names: str) -> dict[str, Any]:
        """Parameters of our simulation node, without those that it lacks; none where it is another simulator.

        Raises:
            RobotLostError: no answer.
        """
        return self._known(names) if self.ours else {}

    def reset(self, seed: int | None, strict: bool) -> None:
        """Start an episode: state and spawned things, not the time, where the simulator can do that. A seed reaches our
        simulation node only.

        Raises:
            RobotRefusedError: the simulator says that it did not.
            RobotLostError: no answer.
        """
        if self.ours:
            values = {"seed": -1 if seed is None else seed, "strict_reset": strict}
            messages = [Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]
            for result in self._call(_PARAMETERS[1], SetParameters.Request(parameters=messages)).results:
                if not result.successful:
                    raise RobotRefusedError(f"{self._full(_PARAMETERS[1])} refused", got=result.reason)
        try:
            self._demand("reset_simulation", ResetSimulation.Request(scope=self._scope))
        except RobotRefusedError as error:
            if self.ours or not self._scope:
                raise
            self._demand("reset_simulation", ResetSimulation.Request())
            self._scope = ResetSimulation.Request.SCOPE_DEFAULT
            self.note(refused_scope(error.got))

    def step(self, steps: int) -> None:
        """Have a paused simulator do so many steps.

        Raises:
            RobotRefusedError, RobotLostError: as `reset`.
        """
        if self.ours or self._clients["step_simulation"].service_is_ready():
            self._demand("step_simulation", StepSimulation.Request(steps=steps))
        else:
            self._act(steps)

    def ensure(self, playback: Playback) -> None:
        """Bring the simulator into a state, unless it is in it already, or nobody can.

        Raises:
            RobotRefusedError, RobotLostError: as `reset`.
        """
        if not self._there("set_simulation_state"):
            return
        if not self._there("get_simulation_state") or self._playback() != playback:
            request = SetSimulationState.Request()
            request.state.state = int(playback)
            self._demand("set_simulation_state", request, SetSimulationState.Response.ALREADY_IN_TARGET_STATE)

    def plays(self) -> bool:
        """Whether a simulator that can be paused says that it plays."""
        names = ("get_simulation_state", "set_simulation_state")
        return all(map(self._there, names)) and self._playback() == Playback.PLAYING

    def _playback(self) -> int:
        return int(self._ask("get_simulation_state", GetSimulationState.Request()).state.state)

    def _full(self, name: str) -> str:
        """A service's name after namespace and remapping."""
        return str(self._session.node.resolve_service_name(self._prefix + name))

    def _there(self, name: str) -> bool:
        """Whether somebody serves it; the action will do for `step_simulation`."""
        return self._clients[name].service_is_ready() or (name == "step_simulation" and self._acts())

    def _acts(self) -> bool:
        """Whether the action is served."""
        wanted = f"{self._full(ACTION)}/_action/send_goal"
        return any(name == wanted for name, _ in self._session.node.get_service_names_and_types())

    def _known(self, names: Sequence[str]) -> dict[str, Any]:
        """Values of the parameters that are there."""
        values = self._ask(_PARAMETERS[0], GetParameters.Request(names=list(names))).values
        plain = {name: parameter_value_to_python(value) for name, value in zip(names, values, strict=False)}
        return {name: value for name, value in plain.items() if value is not None}

    def _ask_features(self) -> frozenset[int] | None:
        """None where nobody answers."""
        name = "get_simulator_features"
        if not self._clients[name].service_is_ready():
            return None
        try:
            answer = self._ask(name, GetSimulatorFeatures.Request(), _FEATURES_S)
        except RobotLostError:
            return None
        return frozenset(int(feature) for feature in answer.features.features)

    def _demand(self, name: str, request: Any, *also_good: int) -> None:
        self._check(name, self._call(name, request).result, *also_good)

    def _check(self, name: str, result: Any, *also_good: int) -> None:
        if result.result not in (Result.RESULT_OK, *also_good):
            raise RobotRefusedError(
                f"{self._full(name)} refused",
                got=f"result {result.result}: {result.error_message or 'no reason given'}",
                expected="RESULT_OK (1)",
            )

    def _act(self, steps: int) -> None:
        """Steps by the action; it is connected to when it is wanted first."""
        if self._action is None:
            self._action = ActionClient(self._session.node, SimulateSteps, self._prefix + ACTION)
            self._session.spin_until(self._action.server_is_ready, self._timeout_s)
        goal = self._wait(ACTION, self._action.send_goal_async(SimulateSteps.Goal(steps=steps)))
        if not goal.accepted:
            raise RobotRefusedError(f"{self._full(ACTION)} refused", got="the goal was rejected", expected="accepted")
        self._check(ACTION, self._wait(ACTION, goal.get_result_async()).result.result)

    def _call(self, name: str, request: Any) -> Any:
        client = self._clients[name]
        future = client.call_async(request)
        try:
            return self._wait(name, future)
        except RobotLostError:
            client.remove_pending_request(future)
            raise

    def _ask(self, name: str, request: Any, timeout_s: float | None = None) -> Any:
        """A question, which changes nothing, so it may be asked again: an answer is lost where the other side has not
        discovered yet who asks."""
        client, futures, begun = self._clients[name], [], time.monotonic()
        deadline = begun + (timeout_s or self._timeout_s)
        while (now := time.monotonic()) < deadline and not self._ending():
            futures.append(client.call_async(request))
            until = min(_AGAIN_S, deadline - now)
            self._session.spin_until(lambda: any(f.done() for f in futures) or self._ending(), until)
            answered = [future for future in futures if future.done()]
            if answered:
                return answered[0].result()
        for future in futures:
            client.remove_pending_request(future)
        raise lost(f"an answer from {self._full(name)}", time.monotonic() - begun, self._ending())

    def _wait(self, name: str, future: Any) -> Any:
        begun = time.monotonic()
        self._session.spin_until(lambda: future.done() or self._ending(), self._timeout_s)
        if not future.done():
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


def overtaken(newest_ns: int, expected_ns: int) -> RobotLostError:
    """An error that says that time has moved without us."""
    return RobotLostError(
        "somebody else has moved the simulator's time",
        got=f"a state at {newest_ns} ns",
        expected=f"none after {expected_ns} ns",
        remedy="Let one agent alone step and reset a simulator; reset() connects again",
    )
