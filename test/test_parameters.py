"""The parameters of the simulation node: each described, each checked, and the same in config/sim.yaml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rcl_interfaces.msg import ParameterType
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter

from conftest import NodeProcess
from plain_client import PlainClient
from ros_gym_bridge.ros.parameters import ON_THE_WALL_CLOCK, SIM_PARAMETERS
from ros_gym_bridge.ros.physics_parameters import PHYSICS_PARAMETERS

Start = Callable[..., NodeProcess]
Make = Callable[..., PlainClient]

FILE = Path(__file__).resolve().parent.parent / "config" / "sim.yaml"
KINDS = {
    str: ParameterType.PARAMETER_STRING,
    bool: ParameterType.PARAMETER_BOOL,
    int: ParameterType.PARAMETER_INTEGER,
    float: ParameterType.PARAMETER_DOUBLE,
}
PHYSICS = {each.name for each in PHYSICS_PARAMETERS}
RUN_TIME = {"real_time_factor", "seed", "strict_reset"} | PHYSICS


def content() -> dict[str, Any]:
    """The parameters in config/sim.yaml."""
    whole = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert list(whole) == ["/**"]
    assert list(whole["/**"]) == ["ros__parameters"]
    values: dict[str, Any] = whole["/**"]["ros__parameters"]
    return values


def test_the_file_holds_every_parameter_with_its_default_and_type() -> None:
    defaults = {each.name: each.default for each in SIM_PARAMETERS}
    given = content()
    assert given == defaults
    assert {name: type(value) for name, value in given.items()} == {n: type(v) for n, v in defaults.items()}
    assert list(given) == list(defaults), "in the same order"


def test_every_parameter_in_the_file_has_a_comment() -> None:
    above = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("    ") and not line.strip().startswith("#"):
            assert above.strip().startswith("#") or "#" in line, line
        above = line


def test_the_file_works_and_a_parameter_after_it_wins(sim_process: Start, client: Make) -> None:
    sim_process("--params-file", str(FILE), robot="arm", real_time_factor=2)
    stranger = client(commands=())
    expected = {**content(), "robot": "arm", "real_time_factor": 2.0}
    assert stranger.parameters(*expected) == expected


def test_every_parameter_is_described(cartpole: PlainClient) -> None:
    found = cartpole.descriptions()
    assert {each.name for each in SIM_PARAMETERS} <= found.keys()
    for name, described in found.items():
        if not name.startswith(("use_sim_time", "qos_overrides", "start_type_description")):
            assert described.description.endswith("."), name
            assert described.read_only is (name not in RUN_TIME), name
    for each in SIM_PARAMETERS:
        described = found[each.name]
        assert described.type == KINDS[type(each.default)]
        for word in (each.unit, *each.choices):
            assert word in described.description
    assert "s/s" in found["real_time_factor"].description
    factor, seed = found["real_time_factor"].floating_point_range[0], found["seed"].integer_range[0]
    assert (factor.from_value, factor.to_value) == (0.0, 1000.0)
    assert (seed.from_value, seed.to_value) == (-1, 2**31 - 1)


def test_facts_of_the_robot_are_parameters_that_a_client_can_compare(cartpole: PlainClient) -> None:
    facts = cartpole.parameters("physics_hz", "control_hz", "commands")
    assert facts == {"physics_hz": 500, "control_hz": 50, "commands": ["slider_to_cart/effort"]}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("real_time_factor", -0.5, "real_time_factor"),
        ("real_time_factor", 1000.5, "real_time_factor"),
        ("real_time_factor", float("nan"), "real_time_factor"),
        ("real_time_factor", "fast", "Wrong parameter type"),
        ("seed", -2, "seed"),
        ("seed", 2**31, "seed"),
        ("seed", 1.0, "Wrong parameter type"),
        ("strict_reset", 1, "Wrong parameter type"),
        ("robot", "panda", "read-only"),
        ("mode", "realtime", "read-only"),
        ("publish_tf", False, "read-only"),
        ("physics_hz", 1000, "read-only"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_a_reason(
    cartpole: PlainClient, name: str, value: Any, reason: str
) -> None:
    before = cartpole.parameters(name)
    result = cartpole.set_parameter(name, value)
    assert not result.successful
    assert reason in result.reason
    assert cartpole.parameters(name) == before


def other(value: Any) -> Any:
    """One of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value}x"
    return type(value)([*value, value[0]] if value else ["x"]) if isinstance(value, list) else value + 1


def test_every_parameter_changes_or_says_that_it_cannot(cartpole: PlainClient) -> None:
    """Also those that are not ours: the clock's, the ones of QoS, and facts about the robot."""
    described = cartpole.descriptions()
    assert {each.name for each in (*SIM_PARAMETERS, *PHYSICS_PARAMETERS)} < described.keys()
    for name in described:
        before = cartpole.parameters(name)[name]
        result = cartpole.set_parameter(name, other(before) if name != "gravity" else [0.0, 0.0, -1.0])
        after = cartpole.parameters(name)[name]
        if name in RUN_TIME:
            assert (result.successful, result.reason, after == before) == (True, "", False), name
            assert cartpole.set_parameter(name, before).successful
        else:
            words = ON_THE_WALL_CLOCK if name == "use_sim_time" else f"read-only parameter: {name}"
            assert not result.successful, name
            assert words in result.reason, result.reason
            assert after == before, name


def test_the_node_stays_on_the_wall_clock(cartpole: PlainClient) -> None:
    """Together with another parameter neither is set, and the node does not listen to its own clock."""
    both = [Parameter("seed", value=77), Parameter("use_sim_time", value=True)]
    request = SetParametersAtomically.Request(parameters=[each.to_parameter_msg() for each in both])
    result = cartpole.call(SetParametersAtomically, "sim_node/set_parameters_atomically", request).result
    assert (result.successful, result.reason) == (False, ON_THE_WALL_CLOCK)
    assert cartpole.parameters("seed", "use_sim_time") == {"seed": -1, "use_sim_time": False}
    assert "/clock" not in cartpole.named("subscriber")
    assert cartpole.set_parameter("use_sim_time", False).successful


def test_a_parameter_that_there_is_not_is_refused(cartpole: PlainClient) -> None:
    result = cartpole.set_parameter("sede", 1)
    assert not result.successful
    assert "undeclared parameter" in result.reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("real_time_factor", 0.0),
        ("real_time_factor", 1000.0),
        ("real_time_factor", 3),
        ("seed", 0),
        ("strict_reset", True),
    ],
)
def test_what_may_change_changes_at_run_time(cartpole: PlainClient, name: str, value: Any) -> None:
    assert cartpole.set_parameter(name, value).successful
    assert cartpole.parameters(name) == {name: value}
