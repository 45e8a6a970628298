"""Three simulators that are not ours, in plain rclpy: they import nothing of this package.

    python other_simulators.py KIND --namespace /a --step-ms 2.0 --without get_simulation_state --without ...

- `letter` follows simulation_interfaces to the letter. It tells its state when that changes, and is silent otherwise.
  With `--stopped` it begins STOPPED, with `--mute` it does not tell its state after a reset, with `--single` it refuses
  several steps at once, with `--no-pause` another state, and with `--deaf` it says that steps were done that were not.
- `hasty` answers a step before it has begun, and knows full resets only; with `--ignores-pause` its time goes on.
- `stubborn` refuses single steps, ignores the scope of a reset, and plays after it.

A cart on a rail with a pole that hangs: `joint_command` (JointState) pushes the cart, `joint_states` tells the effort
that moved it, so that a state says which command it answers.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from typing import Any

import rclpy
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from simulation_interfaces.action import SimulateSteps
from simulation_interfaces.msg import Result, SimulationState, SimulatorFeatures
from simulation_interfaces.srv import (
    GetSimulationState,
    GetSimulatorFeatures,
    ResetSimulation,
    SetSimulationState,
    StepSimulation,
)

STOPPED, PLAYING, PAUSED = SimulationState.STATE_STOPPED, SimulationState.STATE_PLAYING, SimulationState.STATE_PAUSED
TELL_S = 0.05  # how often states are told while playing, and by `hasty` always


class Cart:
    """Its own little physics."""

    def __init__(self) -> None:
        self.force = 0.0
        self.restart()

    def restart(self) -> None:
        self.position, self.velocity = [0.0, math.pi], [0.0, 0.0]

    def step(self, seconds: float) -> None:
        acceleration = self.force - 0.1 * self.velocity[0]
        turn = -9.81 * math.sin(self.position[1] - math.pi) - acceleration - 0.2 * self.velocity[1]
        for joint, rate in enumerate((acceleration, turn)):
            self.velocity[joint] += rate * seconds
            self.position[joint] += self.velocity[joint] * seconds


class Simulator:
    """What the three have in common: topics, time, and the services that were not left out."""

    features = (20, 21, 22, 23, 24, 25, 26, 31, 32)

    def __init__(self, node: Node, options: argparse.Namespace) -> None:
        self.node, self.cart, self.state = node, Cart(), STOPPED if options.stopped else PAUSED
        self.step_ns, self.steps, self.options = round(options.step_ms * 1e6), 0, options
        self.states = node.create_publisher(JointState, "joint_states", 10)
        self.clock = None if "clock" in options.without else node.create_publisher(Clock, "/clock", 1)
        node.create_subscription(JointState, "joint_command", self.hear, 10)
        features = [f for f in self.features if f not in options.hide]
        for kind, name, answer in (
            (GetSimulatorFeatures, "get_simulator_features", self.tell_features(features)),
            (GetSimulationState, "get_simulation_state", self.get_state),
            (SetSimulationState, "set_simulation_state", self.set_state),
            (ResetSimulation, "reset_simulation", self.reset),
            (StepSimulation, "step_simulation", self.step),
        ):
            if name not in options.without:
                node.create_service(kind, name, answer)
        if options.action:
            self.action = ActionServer(
                node, SimulateSteps, "simulate_steps", self.act,
                goal_callback=lambda _: GoalResponse.ACCEPT, cancel_callback=lambda _: CancelResponse.REJECT,
            )  # fmt: skip
        node.create_timer(TELL_S, self.tick)
        self.last = time.monotonic()

    def hear(self, message: JointState) -> None:
        self.cart.force = message.effort[message.name.index("slider_to_cart")]

    def tell(self) -> None:
        message = JointState(name=["cart_to_pole", "passenger", "slider_to_cart"])  # not in the robot file's order
        nanoseconds = (self.steps + 1) * self.step_ns
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(nanoseconds, 10**9)
        (cart, pole), (speed, turn) = self.cart.position, self.cart.velocity
        message.position, message.velocity = [pole, 0.0, cart], [turn, 0.0, speed]
        message.effort = [0.0, 0.0, self.cart.force]
        self.states.publish(message)
        if self.clock is not None:
            self.clock.publish(Clock(clock=message.header.stamp))

    def advance(self, steps: int) -> None:
        for _ in range(steps):
            self.cart.step(self.step_ns / 1e9)
        self.steps += steps
        self.tell()

    def moves(self) -> bool:
        return self.state == PLAYING

    def tick(self) -> None:
        """In real time, while it plays."""
        now = time.monotonic()
        due = int((now - self.last) * 1e9) // self.step_ns
        self.last += due * self.step_ns / 1e9
        if self.moves():
            self.advance(due)

    # --- services

    def tell_features(self, features: list[int]) -> Any:
        def answer(_: Any, response: Any) -> Any:
            response.features = SimulatorFeatures(features=features)
            return response

        return answer

    def get_state(self, _: Any, response: Any) -> Any:
        response.state.state, response.result.result = self.state, Result.RESULT_OK
        return response

    def set_state(self, request: Any, response: Any) -> Any:
        wanted = request.state.state
        if self.options.no_pause:
            response.result.error_message = "states cannot be set"
            return response
        response.result.result = 101 if wanted == self.state else Result.RESULT_OK
        self.state = wanted
        return response

    def reset(self, request: Any, response: Any) -> Any:
        """Exactly what the scope says."""
        if request.scope in (0, 255) or request.scope & ResetSimulation.Request.SCOPE_TIME:
            self.steps = 0
        if request.scope in (0, 255) or request.scope & ResetSimulation.Request.SCOPE_STATE:
            self.cart.restart()
        if not self.options.mute:
            self.tell()
        response.result.result = Result.RESULT_OK
        return response

    def step(self, request: Any, response: Any) -> Any:
        self.judge(request.steps, response.result)
        if response.result.result == Result.RESULT_OK and not self.options.deaf:
            self.advance(request.steps)
        return response

    def judge(self, steps: int, result: Any) -> None:
        good = self.state == PAUSED and steps > 0 and not (steps > 1 and self.options.single)
        result.result = Result.RESULT_OK if good else Result.RESULT_OPERATION_FAILED
        result.error_message = "" if good else f"{steps} steps in state {self.state}"

    def act(self, goal: Any) -> Any:
        result = SimulateSteps.Result()
        self.judge(goal.request.steps, result.result)
        if result.result.result == Result.RESULT_OK:
            self.advance(goal.request.steps)
            goal.succeed()
        else:
            goal.abort()
        return result


class Hasty(Simulator):
    """Steps later, in pieces; a reset is one of everything, later too; `--ignores-pause`: time goes on."""

    features = (20, 21, 24, 25, 26, 31, 32)

    def __init__(self, node: Node, options: argparse.Namespace) -> None:
        super().__init__(node, options)
        self.owed, self.restart = 0, False
        node.create_timer(0.003, self.work)

    def moves(self) -> bool:
        return self.options.ignores_pause or self.state == PLAYING

    def tick(self) -> None:
        super().tick()
        if not self.moves():
            self.tell()

    def work(self) -> None:
        if self.restart:
            self.restart, self.steps, self.owed = False, 0, 0
            self.cart.restart()
            self.tell()
        if self.owed:
            part = min(self.owed, 4)
            self.owed -= part
            self.advance(part)

    def step(self, request: Any, response: Any) -> Any:
        self.owed += request.steps
        response.result.result = Result.RESULT_OK
        return response

    def reset(self, request: Any, response: Any) -> Any:
        whole = request.scope in (0, 255)
        self.restart = self.restart or whole
        response.result.result = Result.RESULT_OK if whole else Result.RESULT_FEATURE_UNSUPPORTED
        return response


class Stubborn(Simulator):
    """More than one step at a time, and no rest after a reset."""

    def judge(self, steps: int, result: Any) -> None:
        if steps == 1:
            result.result, result.error_message = Result.RESULT_OPERATION_FAILED, "steps must be greater than 1"
        else:
            super().judge(steps, result)

    def reset(self, request: Any, response: Any) -> Any:
        self.cart.restart()
        self.state, self.last = PLAYING, time.monotonic()
        self.tell()
        response.result.result = Result.RESULT_OK
        return response


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("letter", "hasty", "stubborn"))
    parser.add_argument("--namespace", default="")
    parser.add_argument("--name", default="other_simulator")
    parser.add_argument("--step-ms", type=float, default=2.0)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--hide", type=int, action="append", default=[])
    parser.add_argument("--action", action="store_true")
    parser.add_argument("--ignores-pause", action="store_true")
    parser.add_argument("--stopped", action="store_true")
    parser.add_argument("--mute", action="store_true")
    parser.add_argument("--single", action="store_true")
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--no-pause", action="store_true")
    options = parser.parse_args()
    rclpy.init()
    node = rclpy.create_node(options.name, namespace=options.namespace or None)
    kinds = {"letter": Simulator, "hasty": Hasty, "stubborn": Stubborn}
    kinds[options.kind](node, options)
    print("stands", flush=True)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, rclpy.executors.ExternalShutdownException):
        sys.exit(0)


if __name__ == "__main__":
    main()
