"""Whatever stands in a request to the simulator: it is done, or refused in words, with a code of the standard; and the
node goes on as before."""

from __future__ import annotations

import importlib
import inspect
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulation_interfaces import srv

from conftest import NodeProcess, node_and_client
from plain_client import PlainClient
from standard_calls import Steps, codes, load, names

PAUSED, OK, FAILED = 2, 1, 4
NASTY = (
    *("", " ", "arm", "floor", "one", "world", "nobody", "%s%n", "\x00", "a\x00b", "/", "//", "-", "😀", "x" * 5000),
    *("../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "package://", "package://x/../../y.urdf", "x://y"),
    *("pybullet_data://../x.urdf", "file://%00/x.urdf", "empty", "urdf/cube.urdf"),
    *("(", "((a*)*)*b", "a{1,99}", "[z-a]"),
    *("<robot", "<robot name='x'/>", "<sdf/>", "<mujoco/>", "name: x", "name: [", "&a [*a]", "robots: 7", "{}"),
)
RANGES = {f"{'u' * unsigned}int{bits}": (unsigned, bits) for unsigned in (0, 1) for bits in (8, 16, 32, 64)}
SERVICES = [kind for _, kind in inspect.getmembers(srv, inspect.isclass) if hasattr(kind, "Request")]
FUZZED = [kind for kind in SERVICES if kind is not srv.GetSimulatorFeatures]


def values(kind: str) -> st.SearchStrategy[Any]:
    """For a field of this type."""
    if found := re.fullmatch(r"sequence<(.*)>", kind):
        return st.lists(values(found[1]), max_size=3)
    if kind in ("float", "double"):
        return st.one_of(st.sampled_from([0.0, 1.0, -1.0, math.nan, math.inf, 1e300]), st.floats())
    if kind == "boolean":
        return st.booleans()
    if kind == "string":
        return st.sampled_from(NASTY)
    if kind in RANGES:
        unsigned, bits = RANGES[kind]
        low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return st.one_of(st.integers(0, 8), st.integers(low, high))
    package, name = kind.split("/")
    return requests(getattr(importlib.import_module(f"{package}.msg"), name))


def requests(kind: Any) -> st.SearchStrategy[Any]:
    """Of messages with whatever their fields can hold."""
    return st.builds(kind, **{name: values(type_) for name, type_ in kind.get_fields_and_field_types().items()})


def harmless(request: Any) -> Any:
    """Nothing that ends the node or takes minutes; there are other tests of that."""
    if isinstance(request, srv.SetSimulationState.Request) and request.state.state == 3:
        request.state.state = 77
    if isinstance(request, srv.StepSimulation.Request):
        request.steps %= 100
    if isinstance(request, srv.GetSpawnables.Request):
        request.sources = [source for source in request.sources if source not in ("/", "//")]
    return request


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, PlainClient]]:
    with node_and_client(tmp_path_factory, robot="arm", mode="lockstep", start_paused=True) as (node, client):
        yield node, client


@pytest.mark.parametrize("kind", FUZZED, ids=lambda kind: kind.__name__)
def test_any_request(shared: tuple[NodeProcess, PlainClient], kind: Any) -> None:
    node, client = shared
    client.set_state(PAUSED)
    assert load(client, "empty").result.result == OK
    client.set_state(PAUSED)
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    known = codes(kind)

    @settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(request=requests(kind.Request).map(harmless))
    def ask(request: Any) -> None:
        result = client.call(kind, name, request).result
        assert result.result in known.values(), result
        assert result.result == OK or result.error_message, "a refusal says why"
        assert len(result.error_message) < 10_000

    ask()
    assert node.process.poll() is None
    client.set_state(PAUSED)
    assert load(client, "empty").result.result == OK
    assert client.set_state(PAUSED).result == OK
    assert names(client) == ["arm", "floor"]
    assert client.step_simulation(3).result == OK
    assert all(math.isfinite(value) for value in client.states[-1].position)


def test_more_steps_than_anybody_can_wait_for(shared: tuple[NodeProcess, PlainClient]) -> None:
    _, client = shared
    client.set_state(PAUSED)
    result = Steps(client, 2**64 - 1).cancel()
    assert result.result == FAILED
    assert re.fullmatch(r"cancelled; \d+ of 18446744073709551615 steps were done", result.error_message)
