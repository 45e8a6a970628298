"""The action `simulate_steps` on the real node, by a plain rclpy action client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from simulation_interfaces.action import SimulateSteps
from simulation_interfaces.srv import StepSimulation

from conftest import NodeProcess
from plain_client import PlainClient, content, nanoseconds

PLAYING, PAUSED = 1, 2
OK, INCORRECT_STATE, FAILED = 1, 3, 4
TRANSITION_ERROR = 102
SUCCEEDED, CANCELED, ABORTED = GoalStatus.STATUS_SUCCEEDED, GoalStatus.STATUS_CANCELED, GoalStatus.STATUS_ABORTED
PERIOD, STEP = 20_000_000, 2_000_000  # of the cart-pole: 50 Hz, 500 Hz
CART = "slider_to_cart"


class Actor:
    """An action client beside the shared plain client."""

    def __init__(self, client: PlainClient) -> None:
        self.client = client
        self.action = client.action(SimulateSteps, "simulate_steps")

    def start(self, steps: int) -> Goal:
        goal = Goal(self)
        sent = self.action.send_goal_async(SimulateSteps.Goal(steps=steps), feedback_callback=goal.hear)
        self.client.until(sent.done, "the goal's acceptance")
        goal.take(sent.result())
        return goal


class Goal:
    """A goal, its feedback, and how it ended."""

    def __init__(self, actor: Actor) -> None:
        self._client = actor.client
        self.feedback: list[tuple[int, int]] = []

    def hear(self, message: Any) -> None:
        self.feedback.append((message.feedback.completed_steps, message.feedback.remaining_steps))

    def take(self, handle: Any) -> None:
        assert handle.accepted
        self.handle, self.result = handle, handle.get_result_async()

    def end(self, timeout_s: float = 20.0) -> tuple[int, int, str]:
        """Status, result and text."""
        self._client.until(self.result.done, "the result", timeout_s)
        answered = self.result.result()
        result = answered.result.result
        return int(answered.status), int(result.result), str(result.error_message)

    def cancel(self) -> int:
        """Ask for it; how many goals are cancelled."""
        asked = self.handle.cancel_goal_async()
        self._client.until(asked.done, "the answer to the cancellation")
        return len(asked.result().goals_canceling)


@pytest.fixture
def actor(cartpole: PlainClient) -> Actor:
    """Of the shared cart-pole, which is paused at its first stamp."""
    cartpole.set_state(PAUSED)
    assert cartpole.set_parameter("seed", 3).successful
    assert cartpole.reset(0).result == OK
    cartpole.until(lambda: cartpole.stamp == PERIOD, "the first state")
    cartpole.states[:-1] = []
    return Actor(cartpole)


def test_every_step_is_told_and_the_simulation_is_paused_afterwards(actor: Actor) -> None:
    client = actor.client
    goal = actor.start(8)
    assert goal.end() == (SUCCEEDED, OK, "")
    assert goal.feedback == [(i, 8 - i) for i in range(1, 9)]
    client.until(lambda: client.stamp == PERIOD + 8 * STEP, "the state")
    assert client.state() == PAUSED


def test_a_state_at_the_end_of_each_control_period(actor: Actor) -> None:
    client = actor.client
    assert actor.start(35).end() == (SUCCEEDED, OK, "")
    client.until(lambda: client.stamp == PERIOD + 35 * STEP, "the last state")
    stamps = {nanoseconds(state.header.stamp) for state in client.states}
    assert {2 * PERIOD, 3 * PERIOD, 4 * PERIOD, PERIOD + 35 * STEP} <= stamps


def test_the_same_as_by_the_service_to_the_last_bit(actor: Actor) -> None:
    client = actor.client

    def course(step: Callable[[int], Any]) -> Any:
        assert client.reset(0).result == OK
        client.send([CART], effort=[4.0], stamp=0)
        for count in (3, 7, 25, 1, 100):
            step(count)
        end = PERIOD + 136 * STEP
        client.until(lambda: client.stamp == end, "the state")
        return content(client.states[-1])

    assert course(lambda count: actor.start(count).end()) == course(client.step_simulation)


def test_a_goal_is_cancelled(actor: Actor) -> None:
    client = actor.client
    goal = actor.start(10**9)
    client.until(lambda: goal.feedback, "feedback")
    assert goal.cancel() == 1
    status, code, text = goal.end()
    assert (status, code) == (CANCELED, FAILED)
    done = int(text.removeprefix("cancelled; ").removesuffix(" of 1000000000 steps were done"))
    assert done >= goal.feedback[0][0]
    client.until(lambda: client.stamp == PERIOD + done * STEP, "the state where it stopped")
    assert client.state() == PAUSED
    assert actor.start(1).end() == (SUCCEEDED, OK, "")


def test_goals_that_cannot_be_done(actor: Actor) -> None:
    assert actor.start(0).end() == (ABORTED, FAILED, "steps is 0; expected at least 1")
    actor.client.set_state(PLAYING)
    text = "the simulation is PLAYING; set_simulation_state to PAUSED (2) first"
    assert actor.start(1).end() == (ABORTED, FAILED, text)
    assert actor.client.stamp == PERIOD


def test_one_at_a_time(actor: Actor) -> None:
    client = actor.client
    goal = actor.start(10**9)
    client.until(lambda: goal.feedback, "feedback")
    busy = "a simulate_steps is under way; wait for its answer"
    assert actor.start(1).end() == (ABORTED, FAILED, f"another{busy[1:]}")
    for result, code in (
        (client.step_simulation(1), FAILED),
        (client.set_state(PLAYING), TRANSITION_ERROR),
        (client.reset(0), INCORRECT_STATE),
    ):
        assert (result.result, result.error_message) == (code, busy)
    assert goal.cancel() == 1
    assert goal.end()[0] == CANCELED
    running = client.request(StepSimulation, "step_simulation", StepSimulation.Request(steps=20_000))
    client.until(lambda: client.stamp > 10**8, "steps")
    text = "a step_simulation is under way; wait for its answer"
    assert actor.start(1).end() == (ABORTED, FAILED, text)
    client.until(running.done, "the answer", 60.0)
    assert running.result().result.result == OK


def test_the_simulator_ends_in_the_middle(
    sim_process: Callable[..., NodeProcess], client: Callable[..., PlainClient]
) -> None:
    node = sim_process(robot="cartpole", start_paused=True)
    stranger = client()
    stranger.connect()
    actor = Actor(stranger)
    goal = actor.start(10**9)
    stranger.until(lambda: goal.feedback, "feedback")
    assert stranger.set_state(3).result == OK
    status, code, text = goal.end()
    assert (status, code) == (ABORTED, FAILED)
    assert text.startswith("the simulator is ending; ")
    assert node.wait(5.0) == 0


def test_a_client_that_vanishes_leaves_a_goal_that_goes_on(
    sim_process: Callable[..., NodeProcess], client: Callable[..., PlainClient]
) -> None:
    """Nobody cancels it; whoever comes next finds it under way, and can cancel it."""
    sim_process(robot="cartpole", start_paused=True)
    first = client(name="first")
    first.connect()
    goal = Actor(first).start(10**9)
    first.until(lambda: goal.feedback, "feedback")
    first.close()
    second = client(name="second")
    second.connect()
    assert second.step_simulation(1).error_message == "a simulate_steps is under way; wait for its answer"
    everything = second.call(CancelGoal, "simulate_steps/_action/cancel_goal", CancelGoal.Request())
    assert len(everything.goals_canceling) == 1
    second.until(lambda: second.step_simulation(1).result == OK, "the end of the goal")
