"""The services of simulation_interfaces against the real node, by plain rclpy clients."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from rosgraph_msgs.msg import Clock
from simulation_interfaces.msg import Result
from simulation_interfaces.srv import GetSimulatorFeatures, StepSimulation

from conftest import NodeProcess, slowness
from plain_client import PlainClient, content, nanoseconds

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]
Pair = tuple[NodeProcess, PlainClient]

STOPPED, PLAYING, PAUSED, QUITTING = 0, 1, 2, 3
OK, UNSUPPORTED, INCORRECT_STATE, FAILED = 1, 0, 3, 4
ALREADY, TRANSITION_ERROR, INCORRECT_TRANSITION = 101, 102, 103
TIME, STATE, SPAWNED, ALL = 1, 2, 4, 255
PERIOD = 20_000_000  # of the cart-pole: 50 Hz
CART = "slider_to_cart"


@pytest.fixture
def own(sim_process: Start, client: Make) -> Pair:
    """A cart-pole, whose home position is drawn, in lockstep, for one test alone; and a client of it."""
    node = sim_process(robot="cartpole", mode="lockstep")
    stranger = client()
    stranger.connect()
    return node, stranger


@pytest.fixture
def shared(cartpole: PlainClient) -> PlainClient:
    """A client of the shared cart-pole, which plays and stands at its first stamp."""
    cartpole.set_state(PLAYING)
    for name, value in (("seed", -1), ("strict_reset", False)):
        assert cartpole.set_parameter(name, value).successful
    assert cartpole.reset(ALL).result == OK
    cartpole.until(lambda: cartpole.stamp == PERIOD, "the first state")
    cartpole.states[:-1] = []
    return cartpole


def answer(result: Result) -> tuple[int, str]:
    return int(result.result), str(result.error_message)


# --- features


def test_features_are_exactly_what_works(shared: PlainClient) -> None:
    found = shared.call(GetSimulatorFeatures, "get_simulator_features", GetSimulatorFeatures.Request()).features
    assert list(found.features) == [*range(7), *range(8, 15), *range(20, 27), *range(31, 34), *range(40, 46), 50]
    for name in ("seed", "strict_reset", "real_time_factor"):
        assert name in found.custom_info
        assert name in shared.parameters(name)
    assert shared.set_state(PAUSED).result == OK
    assert shared.step_simulation(1).result == OK
    assert shared.step_simulation(2).result == OK
    for scope in (TIME, STATE, 0):
        assert shared.reset(scope).result == OK


# --- states


@pytest.mark.parametrize("source", [STOPPED, PLAYING, PAUSED])
def test_every_transition_between_states(shared: PlainClient, source: int) -> None:
    names = {STOPPED: "STOPPED", PLAYING: "PLAYING", PAUSED: "PAUSED"}
    for target in names:
        shared.set_state(source)
        assert shared.state() == source
        expected = (ALREADY, f"the simulation is {names[source]} already") if target == source else (OK, "")
        assert answer(shared.set_state(target)) == expected
        assert shared.state() == target


@pytest.mark.parametrize("state", [4, 5, 77])
def test_states_that_nobody_can_ask_for(shared: PlainClient, state: int) -> None:
    text = f"no transition to state {state}; expected STOPPED (0), PLAYING (1), PAUSED (2) or QUITTING (3)"
    assert answer(shared.set_state(state)) == (INCORRECT_TRANSITION, text)
    assert shared.state() == PLAYING


def test_stopped_is_paused_and_reset(shared: PlainClient) -> None:
    assert shared.set_parameter("seed", 4).successful
    assert shared.reset(ALL).result == OK
    shared.until(lambda: shared.stamp == PERIOD, "the first stamp")
    start = content(shared.states[-1])
    for _ in range(20):
        shared.step([CART], effort=[5.0])
    assert shared.set_state(STOPPED).result == OK
    shared.until(lambda: shared.stamp == PERIOD, "time turned back")
    assert content(shared.states[-1]) == start
    shared.send([CART], effort=[5.0])
    shared.listen(0.5)
    assert shared.stamp == PERIOD, "nothing moves"
    code, text = answer(shared.step_simulation(1))
    assert (code, text) == (FAILED, "the simulation is STOPPED; set_simulation_state to PAUSED (2) first")
    assert shared.set_state(PLAYING).result == OK
    assert nanoseconds(shared.step([CART], effort=[5.0]).header.stamp) == 2 * PERIOD


def test_paused_means_that_commands_do_not_step(shared: PlainClient) -> None:
    shared.step([CART], effort=[1.0])
    assert shared.set_state(PAUSED).result == OK
    shared.send([CART], effort=[1.0])
    shared.listen(0.5)
    assert shared.stamp == 2 * PERIOD
    assert shared.set_state(PLAYING).result == OK
    shared.step([CART], effort=[1.0])
    assert shared.stamp == 3 * PERIOD


@pytest.mark.parametrize("state", [PLAYING, PAUSED, STOPPED])
def test_quitting_ends_the_process(own: Pair, state: int) -> None:
    node, client = own
    if state != PLAYING:
        client.set_state(state)
    start = time.monotonic()
    assert client.set_state(QUITTING).result == OK
    assert node.wait(5.0) == 0
    assert time.monotonic() - start < 2.0 * slowness()
    assert not node.log("ERROR|WARN|Traceback")


# --- steps


def test_steps_need_a_pause(shared: PlainClient) -> None:
    text = "the simulation is PLAYING; set_simulation_state to PAUSED (2) first"
    assert answer(shared.step_simulation(1)) == (FAILED, text)
    assert shared.stamp == PERIOD


def test_steps_are_physics_steps_and_done_when_answered(shared: PlainClient) -> None:
    shared.set_state(PAUSED)
    expected = shared.stamp
    for steps in (1, 10, 9, 3, 250, 17):
        assert shared.step_simulation(steps).result == OK
        expected += steps * 2_000_000
        shared.until(lambda: shared.stamp >= expected, "the state")  # noqa: B023
        assert shared.stamp == expected
        assert shared.state() == PAUSED


def test_every_period_of_a_long_step_is_published(shared: PlainClient) -> None:
    shared.set_state(PAUSED)
    shared.states.clear()
    assert shared.step_simulation(205).result == OK
    last = PERIOD + 205 * 2_000_000
    shared.until(lambda: shared.states and shared.stamp == last, "the end")
    stamps = {nanoseconds(state.header.stamp) for state in shared.states}
    assert stamps == {PERIOD * i for i in range(1, 22)} | {last} or stamps == {PERIOD * i for i in range(2, 22)} | {
        last
    }


def test_zero_steps_are_refused(shared: PlainClient) -> None:
    shared.set_state(PAUSED)
    assert answer(shared.step_simulation(0)) == (FAILED, "steps is 0; expected at least 1")
    assert shared.stamp == PERIOD


def test_a_step_obeys_the_command_that_stands(shared: PlainClient) -> None:
    shared.set_state(PAUSED)
    before = shared.states[-1].velocity[0]
    shared.send([CART], effort=[10.0], stamp=0)
    assert shared.state() == PAUSED
    assert shared.step_simulation(10).result == OK
    shared.until(lambda: shared.stamp == 2 * PERIOD, "the state")
    assert shared.states[-1].velocity[0] > before + 0.1
    assert shared.states[-1].effort[0] == 10.0


def test_the_node_answers_during_a_long_step(own: Pair) -> None:
    _, client = own
    client.set_state(PAUSED)
    running = client.request(StepSimulation, "step_simulation", StepSimulation.Request(steps=10**9))
    client.until(lambda: client.stamp > 10**9, "steps")
    start = time.monotonic()
    assert client.state() == PAUSED
    assert time.monotonic() - start < 0.2 * slowness()
    busy = "a step_simulation is under way; wait for its answer"
    assert answer(client.step_simulation(1)) == (FAILED, "another step_simulation is under way; wait for its answer")
    assert answer(client.set_state(PLAYING)) == (TRANSITION_ERROR, busy)
    assert answer(client.set_state(STOPPED)) == (TRANSITION_ERROR, busy)
    assert answer(client.set_state(PAUSED)) == (ALREADY, "the simulation is PAUSED already")
    assert answer(client.reset(STATE)) == (INCORRECT_STATE, busy)
    assert client.parameters("mode") == {"mode": "lockstep"}
    assert not running.done()


def test_quitting_ends_a_long_step(own: Pair) -> None:
    node, client = own
    client.set_state(PAUSED)
    running = client.request(StepSimulation, "step_simulation", StepSimulation.Request(steps=10**9))
    client.until(lambda: client.stamp > 10**9, "steps")
    assert client.set_state(QUITTING).result == OK
    assert node.wait(5.0) == 0
    client.until(running.done, "an answer")
    code, text = answer(running.result().result)
    assert code == FAILED
    assert text.startswith("the simulator is ending; ")
    assert text.endswith(" of 1000000000 steps were done")


def test_a_second_client_gets_its_own_answer(own: Pair, client: Make) -> None:
    _, first = own
    second = client(name="second", commands=())
    first.set_state(PAUSED)
    running = first.request(StepSimulation, "step_simulation", StepSimulation.Request(steps=30_000))
    assert second.state() == PAUSED
    first.until(running.done, "the answer of the long step", 30.0)
    assert running.result().result.result == OK
    first.until(lambda: first.stamp == PERIOD + 30_000 * 2_000_000, "the last state")


# --- resets


def after_steps(client: PlainClient, count: int = 10) -> int:
    for _ in range(count):
        client.step([CART], effort=[3.0])
    return client.stamp


def settled(client: PlainClient, scope: int, stamp: int) -> tuple[bytes, bytes]:
    """Position and velocity after a reset that leads to `stamp`."""
    assert answer(client.reset(scope)) == (OK, "")
    client.until(lambda: client.stamp == stamp, f"the state at {stamp}")
    return content(client.states[-1])[2:4]


@pytest.mark.parametrize("scope", [0, ALL, TIME | STATE, TIME | STATE | SPAWNED])
def test_scopes_that_turn_time_back_and_reset_the_state(shared: PlainClient, scope: int) -> None:
    shared.set_parameter("seed", 11)
    expected = settled(shared, STATE, 2 * PERIOD)
    after_steps(shared)
    clock = shared.hear(Clock, "/clock")
    assert settled(shared, scope, PERIOD) == expected
    shared.until(lambda: clock and nanoseconds(clock[-1].clock) == PERIOD, "the clock")


@pytest.mark.parametrize("scope", [STATE, STATE | SPAWNED])
def test_scope_state_keeps_time_going_forward(shared: PlainClient, scope: int) -> None:
    shared.set_parameter("seed", 11)
    expected = settled(shared, 0, PERIOD)
    before = after_steps(shared)
    assert settled(shared, scope, before + PERIOD) == expected


def test_scope_time_keeps_the_state(shared: PlainClient) -> None:
    after_steps(shared)
    before = content(shared.states[-1])
    assert settled(shared, TIME, PERIOD) == before[2:4]


def test_scope_spawned_alone_changes_nothing(shared: PlainClient) -> None:
    stamp = after_steps(shared)
    before = content(shared.states[-1])
    assert shared.reset(SPAWNED).result == OK
    shared.listen(0.3)
    assert (shared.stamp, content(shared.states[-1])) == (stamp, before)


@pytest.mark.parametrize("scope", [8, 64, 9, 254])
def test_unknown_scopes_are_refused(shared: PlainClient, scope: int) -> None:
    stamp = after_steps(shared)
    text = f"unknown scope {scope}; expected 0, 255 or a sum of TIME (1), STATE (2) and SPAWNED (4)"
    assert answer(shared.reset(scope)) == (UNSUPPORTED, text)
    shared.listen(0.2)
    assert shared.stamp == stamp


def test_a_seed_repeats_an_episode_from_any_client_strictly_or_not(own: Pair, client: Make) -> None:
    _, first = own

    def episode(stranger: PlainClient, seed: int, strict: bool) -> list[tuple[bytes, ...]]:
        assert stranger.set_parameter("seed", seed).successful
        assert stranger.set_parameter("strict_reset", strict).successful
        stamp = stranger.stamp
        assert stranger.reset(STATE | SPAWNED).result == OK
        stranger.until(lambda: stranger.stamp == stamp + PERIOD, "the first state")
        states = [content(stranger.states[-1])[2:]]
        return states + [content(stranger.step([CART], effort=[2.0 - i]))[2:] for i in range(5)]

    a = episode(first, 3, False)
    assert episode(first, 3, True) == a
    assert episode(first, 4, False) != a
    first.close()
    second = client(name="second")
    second.connect()
    assert episode(second, 3, False) == a
    assert episode(second, 3, True) == a
    b = episode(second, -1, False)
    assert b != a
    assert episode(second, -1, False) != b, "without a seed the generator goes on"


def test_commands_from_before_a_reset_are_old(own: Pair) -> None:
    node, client = own
    stamp = after_steps(client)
    assert client.reset(STATE).result == OK
    client.until(lambda: client.stamp == stamp + PERIOD, "the first state")
    client.send([CART], effort=[1.0], stamp=stamp)
    node.says("it answers an older state")
    assert client.stamp == stamp + PERIOD
