"""The generated pages: each is a function that returns Markdown."""

from __future__ import annotations

import ast
import json
import runpy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import yaml
from markdown import body, code, expected, keywords, number, summary, table

from ros_gym_bridge import RobotEnv, errors, load_robot, robot_names
from ros_gym_bridge.cli import app
from ros_gym_bridge.config import RobotFile
from ros_gym_bridge.connection import Connection
from ros_gym_bridge.env import Timing
from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.message_types import TYPES
from ros_gym_bridge.schema import RobotConfig, WorldConfig
from ros_gym_bridge.tasks import TASKS, Field, Task

ROOT = Path(__file__).resolve().parent.parent

# What a topic is for; its name, type and QoS come from a running node.
MEANINGS = {
    "joint_states": "state of every joint of the robot file; published again every 0.1 s while time stands",
    "joint_command": "commands; see [lockstep](architecture.md#lockstep)",
    "a_channel": "each channel of the robot file has topics; [their types](robot_file.md#the-file), here a `link_pose`",
    "robot_description": "the URDF, its meshes as `file://` URIs",
    "real_time_factor": "simulated seconds for each second of the wall clock, over the last second",
    "/clock": "simulated time; parameter `publish_clock`",
    "/tf": "frames of the joints that move; parameter `publish_tf`",
    "/tf_static": "the other frames; parameter `publish_tf`",
    "sim_node/set_joint_state": "joints of the robot that are put somewhere while the simulation is paused; time goes "
    "on by one control period; one topic for each robot of several, such as `sim_node/left/set_joint_state`",
    "sim_node/external_wrench": "a force and a torque on a link during one control period, in the frame of the link: "
    "`frame_id` is an entity, `ENTITY/LINK`, or a link of the robot that is alone",
    "/diagnostics": "mode, real-time factor, sensors' costs, and how often what was refused, once a second (REP 107)",
}


def environments() -> str:
    """Ids, keywords, observations, actions, errors."""
    from ros_gym_bridge.ros.topic_robot import TopicRobot

    parts = ["# Environments", body(RobotEnv)]
    parts += ['## `info["timing"]`', body(Timing), f"`stamp_ns` of the state; over topics {summary(TopicRobot.timing)}"]
    parts += ["## Keywords of `gym.make`", keywords(RobotEnv, leave_out=["task", "options"])]
    parts += ['### With `backend="topics"`', keywords(Connection, "Attributes")]
    for name, task in TASKS.items():
        parts += [f"## `ros_gym_bridge/{name}-v0`", body(task), keywords(task, leave_out=["robot"])]
        parts += [f"An episode is truncated after {number(task.time_limit_s)} simulated seconds."]
        for robots, observation, action in _spaces(task):
            title = ", ".join(code(robot) for robot in robots)
            parts += [f"### Observation of {title}", observation, f"### Action for {title}", action]
    rows = [(code(each.__name__), summary(each)) for each in vars(errors).values() if _is_error(each)]
    parts += ["## Errors", "All stand in `ros_gym_bridge.errors`.", table(("error", "meaning"), rows)]
    return "\n\n".join(parts) + "\n"


def _is_error(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, errors.BridgeError)


def _spaces(task: Any) -> Iterator[tuple[list[str], str, str]]:
    """The tables of observation and action, for all robots that have the same ones."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in robot_names():
        try:
            robot = load_robot(name)
            made = task(robot)
        except RobotFileError:
            continue  # a task that this robot cannot do
        found.setdefault((_observation(robot, made), _action(robot)), []).append(name)
    for (observation, action), robots in found.items():
        yield robots, observation, action


def _observation(robot: RobotFile, task: Task) -> str:
    rows = [
        (i, field.name, _unit(robot, field), number(field.low), number(field.high))
        for i, field in enumerate(task.fields)
    ]
    return table(("index", "meaning", "unit", "low", "high"), rows)


def _unit(robot: RobotFile, field: Field) -> str:
    """The unit, chosen by the joint's kind where the field leaves that open."""
    rotary, _, linear = field.unit.partition(" or ")
    joint = field.name.rpartition(" ")[0]
    return linear if linear and robot.model.joint(joint).type == "prismatic" else rotary


def _action(robot: RobotFile) -> str:
    rotary = {"position": "rad", "velocity": "rad/s", "effort": "N m", "linear": "m/s", "angular": "rad/s"}
    linear = {"position": "m", "velocity": "m/s", "effort": "N"}
    slides = [joint.name for joint in robot.model.movable if joint.type == "prismatic"]
    rows = []
    for i, entry in enumerate(robot.spec.commands):
        units = linear if entry.joint in slides else rotary
        rows.append((i, entry.joint, entry.interface, units[entry.interface], number(entry.low), number(entry.high)))
    return table(("index", "joint or drive", "interface", "unit", "at -1", "at +1"), rows)


def world_file() -> str:
    """Every key of a world file."""
    intro = (
        "What stands in a world: bodies, named poses, and robots, each in a namespace of its own. `config/worlds/` "
        "holds those that come with the package; the parameter `world` and `ros-gym-bridge sim --world` take the name "
        "of one of them, or the path of a file of your own; so does the service `load_world`, as a URI or as text. "
        "Scenes, named poses and gravity of robot files do not count here. All robots must have the same rates."
    )
    return _keys("World file", intro, WorldConfig.model_json_schema())


def robot_file() -> str:
    """Every key of a robot file."""
    intro = (
        "The one place that says what a robot is and how it speaks ROS. `config/robots/` holds those that come with "
        "the package; `robot=` and `--robot` take the name of one of them, or the path of a file of your own. "
        "`extends: NAME` takes all keys of another file and replaces those that follow. A key that is not listed here "
        "is refused, and so is a limit wider than the URDF's."
    )
    rows = [(code(name), kind.reads, ", ".join(map(code, kind.keys))) for name, kind in sorted(TYPES.items())]
    messages = [
        "## Messages of topic channels",
        "What a channel of the kind `topic` makes of a message, and which of its keys say how. Other packages add "
        "types by entry points of the group `ros_gym_bridge.messages`, see "
        "[a type of message](../CONTRIBUTING.md#a-type-of-message).",
        table(("message", "value", "keys"), rows),
    ]
    return _keys("Robot file", intro, RobotConfig.model_json_schema()) + "\n" + "\n\n".join(messages) + "\n"


def _keys(title: str, intro: str, schema: dict[str, Any]) -> str:
    parts = [f"# {title}", intro]
    for name, part in {"The file": schema, **schema["$defs"]}.items():
        rows = [
            (code(key), expected(value), _default(value, key in part.get("required", ())), value.get("description", ""))
            for key, value in part["properties"].items()
        ]
        head = ("key", "value", "default", "meaning")
        parts += [f"## {name}", " ".join(part["description"].split()), table(head, rows)]
    return "\n\n".join(parts) + "\n"


def _default(schema: dict[str, Any], required: bool) -> str:
    if required:
        return "required"
    default = schema.get("default")
    if isinstance(default, dict):
        return ", ".join(f"`{key}: {value}`" for key, value in default.items() if type(value) not in (dict, type(None)))
    return "" if default is None or default == [] else code(json.dumps(default))


def nodes() -> str:
    """Parameters, topics and services, from a node that runs."""
    from ros_gym_bridge.ros.agent_node import AGENT_PARAMETERS
    from ros_gym_bridge.ros.facts import facts
    from ros_gym_bridge.ros.parameters import SIM_PARAMETERS
    from ros_gym_bridge.ros.physics_parameters import PHYSICS_PARAMETERS
    from ros_gym_bridge.ros.safety_node import SAFETY_PARAMETERS

    robot = load_robot("arm")
    topics, services = _interfaces()
    told = [(code(fact.name), fact.description) for fact in facts(robot)]
    parts = [
        "# Nodes",
        "Names without a leading `/` are relative to the node's namespace. All can be remapped.",
        "## `sim_node`",
        "### Parameters",
        _parameters(SIM_PARAMETERS),
        "Physics, applied at once and kept through resets; not in `config/sim.yaml`, since a world brings its own "
        "gravity:",
        _parameters(PHYSICS_PARAMETERS),
        "Read-only parameters that say what is simulated:",
        table(("parameter", "meaning"), told),
        "### Topics",
        topics,
        "### Services and actions",
        "Of `simulation_interfaces`, beside the parameter services that every node has. What each code of an answer "
        "means is written in its definition; its text says what was wrong. "
        "[Entities and worlds](architecture.md#entities-and-worlds) has the rules.",
        services,
        "## `agent_node`",
        "### Parameters",
        _parameters(AGENT_PARAMETERS),
        "## `safety_node`",
        "Stands between an agent and a robot; [Safety](safety.md) has the rules. Topics, services and limits are those "
        "of [the robot file](robot_file.md#safety).",
        "### Parameters",
        _parameters(SAFETY_PARAMETERS),
        "## Launch files",
        "### `sim.launch.py`",
        _launch_arguments("sim"),
        "### `agent.launch.py`",
        _launch_arguments("agent"),
        "### `safety.launch.py`",
        _launch_arguments("safety"),
    ]
    return "\n\n".join(parts) + "\n"


def _parameters(parameters: tuple[Any, ...]) -> str:
    rows = []
    for each in parameters:
        between = f"{number(each.low)} to {number(each.high)}" if each.low is not None else ""
        allowed = ", ".join(map(code, each.choices)) or between
        default = str(each.default).lower() if isinstance(each.default, bool) else each.default
        default = list(default) if isinstance(default, tuple) else default
        changes = "yes" if each.run_time else ""
        kind = "list of float" if isinstance(each.default, tuple) else type(each.default).__name__
        rows.append((code(each.name), kind, code(default), allowed, each.unit, changes, each.description))
    return table(("parameter", "type", "default", "allowed", "unit", "at run time", "meaning"), rows)


def _launch_arguments(name: str) -> str:
    """From the file's text: the launch packages are not everywhere."""
    tree = ast.parse((ROOT / "launch" / f"{name}.launch.py").read_text(encoding="utf-8"))
    defaults = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())["/**"]["ros__parameters"]
    rows = []
    for key, value in _items(tree, "PARAMETERS"):
        text = json.dumps(defaults[key]).strip('"')
        rows.append((code(key), code(text), ast.literal_eval(value.elts[1])))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if getattr(call.func, "id", "") == "DeclareLaunchArgument" and isinstance(call.args[0], ast.Constant):
            said = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
            rows.append((code(call.args[0].value), code(said["default_value"]), said["description"]))
    rows += [(code(key), code(key), ast.literal_eval(value)) for key, value in _items(tree, "TOPICS")]
    return table(("argument", "default", "meaning"), rows)


def _items(tree: ast.Module, name: str) -> list[tuple[str, Any]]:
    """Keys and values of a dictionary that a file defines."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return [(key.value, value) for key, value in zip(node.value.keys, node.value.values, strict=True)]
    return []


def _interfaces() -> tuple[str, str]:
    """The tables of topics and services of a simulation node that stands."""
    from ros_gym_bridge.ros.own_node import PrivateDomain
    from ros_gym_bridge.ros.session import Session
    from ros_gym_bridge.ros.sim_node import SimNode

    domain = PrivateDomain()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documented.yaml"
        path.write_text("extends: arm\nchannels: [{name: a, kind: link_pose, link: tool0, topic: a_channel}]\n")
        arguments = ["--ros-args", "--log-level", "warn", "-p", f"robot:={path}"]
        session = Session("sim_node", "/ns", domain.domain_id, arguments)
        try:
            node = SimNode(session)
            tables = _topics(session.node), _services(session.node)
            node.close()
        finally:
            session.close()
            domain.release()
    return tables


def _topics(node: Any) -> str:
    rows = []
    for direction, ends in (("publishes", node.publishers), ("subscribes", node.subscriptions)):
        for end in ends:
            name = end.topic_name.removeprefix("/ns/")
            if name not in ("/rosout", "/parameter_events"):
                rows.append((direction, code(name), code(_type(end.msg_type)), _qos(end.qos_profile), MEANINGS[name]))
    return table(("", "topic", "type", "QoS", "meaning"), sorted(rows))


def _services(node: Any) -> str:
    from rclpy.action import get_action_server_names_and_types_by_node

    ours = [each for each in node.services if each.srv_type.__module__.startswith("simulation_interfaces")]
    rows = sorted((code(s.srv_name.removeprefix("/ns/")), code(_type(s.srv_type))) for s in ours)
    actions = get_action_server_names_and_types_by_node(node, node.get_name(), node.get_namespace())
    rows += [(code(name.removeprefix("/ns/")), code(kinds[0])) for name, kinds in actions]
    return table(("service or action", "type"), rows)


def _type(kind: Any) -> str:
    package, folder, _ = kind.__module__.split(".")
    return f"{package}/{folder}/{kind.__name__}"


def _qos(profile: Any) -> str:
    latched = ", transient local" if profile.durability.name == "TRANSIENT_LOCAL" else ""
    return f"{profile.reliability.name.lower()}, depth {profile.depth}{latched}"


def speed() -> str:
    """What `make bench` measures."""
    figures = runpy.run_path(str(ROOT / "bench" / "figures.py"))["FIGURES"]
    measured = json.loads((ROOT / "bench" / "reference.json").read_text(encoding="utf-8"))
    rows = []
    for figure in figures:
        value = measured.get(figure.name)
        told = "" if value is None else number(value) if figure.kept(value) else f"**{number(value)}**"
        rows.append((code(figure.name), figure.meaning, figure.budget, told))
    text = f"""\
`make bench` takes some minutes and writes `bench/results.json`; with `ARGS=--quick` it only tries all of it. What is
compared is measured by turns, so that a busy machine slows both.

The figures here, a copy of such results in `bench/reference.json`, come from {measured["machine"]};
pictures were drawn by {measured["renderer"]}. What misses its budget is bold."""
    return "\n\n".join(["# Speed", text, table(("figure", "what it is", "budget", "measured"), rows)]) + "\n"


def commands() -> str:
    """The command line."""
    group: Any = typer.main.get_command(app)
    parts = ["# `ros-gym-bridge`", _flowing(group.help)]
    for name, command in group.commands.items():
        rows = [
            (", ".join(map(code, [*each.opts, *each.secondary_opts])), _value(each.default), each.help)
            for each in command.params
        ]
        parts += [f"## `ros-gym-bridge {name}`", _flowing(command.help)]
        parts += [table(("option", "default", "meaning"), rows)] if rows else []
    return "\n\n".join(parts) + "\n"


def _flowing(text: str) -> str:
    """Each paragraph in one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _value(default: object) -> str:
    return "" if default is None or default is False else code(str(default))
