"""Each `ros2` command line of the README's section on the simulator's services, taken apart by bash as there, and sent
by plain rclpy: `ros2` itself is not on the package index."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import node_and_client
from plain_client import PlainClient
from standard_calls import names

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
BLOCK = re.findall(r"<!-- commands: test/test_readme_commands.py [^\n]*-->\n```bash\n(.*?)```", README, re.DOTALL)
ROS2 = f"ros2() {{ '{sys.executable}' -c 'import json, sys; print(json.dumps(sys.argv[1:]))' \"$@\"; }}\n"


def commands() -> list[list[str]]:
    """The words of each, as bash makes them."""
    done = subprocess.run(["bash", "-ec", ROS2 + "".join(BLOCK)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def kind_of(name: str) -> Any:
    """The class of `package/srv/Type`."""
    package, folder, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.{folder}"), kind)


def filled(message: Any, values: dict[str, Any]) -> Any:
    """As the command line does it; a field that there is not is an error."""
    kinds = message.get_fields_and_field_types()
    for name, value in values.items():
        kind = kinds[name]
        if isinstance(value, dict):
            filled(getattr(message, name), value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            of = kind_of(kind.removeprefix("sequence<").removesuffix(">").replace("/", "/msg/"))
            setattr(message, name, [filled(of(), each) for each in value])
        else:
            setattr(message, name, value)
    return message


def sent(client: PlainClient, words: list[str]) -> None:
    """One command, which must work."""
    what, verb, *rest = words
    arguments = [word for word in rest if not word.startswith("--")]
    if (what, verb) == ("param", "set"):
        node, name, value = arguments
        assert node == "/sim_node"
        assert client.set_parameter(name, yaml.safe_load(value)).successful
        return
    place, kind, *text = arguments
    values = yaml.safe_load(text[0]) if text else {}
    of = kind_of(kind)
    if (what, verb) == ("service", "call"):
        result = client.call(of, place, filled(of.Request(), values)).result
        assert result.result == 1, result
    elif (what, verb) == ("topic", "pub"):
        publisher = client.node.create_publisher(of, place, 10)
        client.until(publisher.get_subscription_count, f"somebody who hears {place}")
        publisher.publish(filled(of(), values))
    else:
        assert (what, verb) == ("action", "send_goal")
        goal = client.action(of, place).send_goal_async(filled(of.Goal(), values))
        client.until(goal.done, "the goal's acceptance")
        result = goal.result().get_result_async()
        client.until(result.done, "the result")
        assert result.result().result.result.result == 1


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainClient]:
    """What the README starts before: the Panda, which plays in real time, with the table."""
    assert "```bash\nros-gym-bridge sim --world table\n```" in README
    with node_and_client(tmp_path_factory, world="table") as (_, client):
        yield client


def test_every_command_of_the_readme_works(client: PlainClient) -> None:
    every = commands()
    assert len(every) == BLOCK[0].count("\nros2 ") > 20
    for words in every:
        sent(client, words)
        if words[:2] == ["topic", "pub"] and words[3].endswith("set_joint_state"):
            client.until(lambda: abs(client.states[-1].position[0] - 0.5) < 1e-6, "the joint where it was put")
        if "{entity: duck}" in words:
            assert {"ant", "ball"} <= set(names(client))
            assert "duck" not in names(client)
    assert names(client) == ["panda", "floor"]
    assert client.parameters("friction_scale", "solver_iterations") == {"friction_scale": 0.5, "solver_iterations": 100}
