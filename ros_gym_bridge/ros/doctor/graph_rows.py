"""Rows about the graph: domain, nodes, command topics, services, shared memory."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rclpy.duration import Infinite
from rclpy.qos import LivelinessPolicy, QoSProfile

from ros_gym_bridge.findings import Finding, Verdict, judged
from ros_gym_bridge.ros import qos
from ros_gym_bridge.ros.command_writers import command_writers
from ros_gym_bridge.ros.doctor.watch import Look
from ros_gym_bridge.ros.domains import domains_in_use
from ros_gym_bridge.ros.facts import facts, unstamped
from ros_gym_bridge.ros.graph import endpoint_name, publishers
from ros_gym_bridge.ros.listener import message_name, untaken
from ros_gym_bridge.ros.names import fact_name, under
from ros_gym_bridge.ros.offers import lacking
from ros_gym_bridge.ros.safety_node import NODE_NAME as GUARD
from ros_gym_bridge.shared_memory import stale_files

# as a publisher's: qos.COMMANDS, with what it leaves open settled
_OFFERED = QoSProfile(
    depth=qos.COMMANDS.depth,
    reliability=qos.COMMANDS.reliability,
    durability=qos.COMMANDS.durability,
    deadline=Infinite,
    lifespan=Infinite,
    liveliness=LivelinessPolicy.AUTOMATIC,
    liveliness_lease_duration=Infinite,
)


def environment(look: Look) -> Iterator[Finding]:
    """Domain, discovery, and whether anybody is there; nodes that are there twice."""
    nodes = [f"{namespace.rstrip('/')}/{name}" for name, namespace in look.session.node.get_node_names_and_namespaces()]
    others = [name for name in nodes if name != look.session.node.get_fully_qualified_name()]
    where = f"{look.session.domain_id}, discovery {_range()}; nodes there: {len(others)}"
    yield judged("ROS domain", bool(others), where, _nobody(look.session.domain_id))
    twice = [f"{name} ({count} times)" for name, count in sorted(Counter(others).items()) if count > 1]
    yield judged(
        "nodes",
        not twice,
        f"there more than once: {', '.join(twice)}" if twice else "each name once",
        "End all but one, or give the others a name or namespace of their own (-r __node:=NAME)",
    )


def commands(look: Look) -> Iterator[Finding]:
    """Whether somebody takes each command, and nobody else gives any."""
    for topic, writer in command_writers(look.robot, True).items():
        yield _taken(look, look.session.node.resolve_topic_name(under(look.command_prefix, topic)), writer.kind)
        yield from _speakers(look, topic)


def _taken(look: Look, topic: str, kind: Any) -> Finding:
    node, message, subject = look.session.node, message_name(kind), f"command topic {topic}"
    takers, reason = _takers(node, topic, message), untaken(node, topic, _OFFERED, message).removeprefix(topic)
    if reason or not takers:
        found = reason.lstrip(": ") or "nobody subscribes"
        return Finding(subject, Verdict.BAD, found + _elsewhere(node, message, topic), _NO_TAKER)
    return Finding(subject, Verdict.GOOD, f"{message}, taken by {_names(takers)}")


def _speakers(look: Look, topic: str) -> Iterator[Finding]:
    """Who commands; where a safety node stands before the robot, on both of its sides."""
    node = look.session.node
    for each in dict.fromkeys((under(look.command_prefix, topic), topic)):
        names = publishers(node, each)
        subject, found = f"commands on {node.resolve_topic_name(each)}", f"from {', '.join(names)}"
        guarded = any(name.endswith(f"/{GUARD}") for name in names)
        if guarded and not look.command_prefix:
            yield Finding(subject, Verdict.BAD, f"{found}, which stands before the robot", _GUARDED)
        else:
            yield judged(subject, len(names) < 2, found if names else "nobody publishes", _TWO_SPEAKERS)


def services(look: Look) -> Iterator[Finding]:
    """Whether a simulator is there, which one, and what it lacks."""
    simulator, subject = look.simulator, "simulator"
    offered = simulator.offered()
    by_service = look.stepping == "step_service"
    if simulator.ours:
        yield from _ours(look)
    elif not {"reset_simulation", "step_simulation", "get_simulator_features"} & offered:
        verdict = Verdict.BAD if by_service else Verdict.OPEN
        remedy = "Pass --simulator with the namespace of its services, or start it" if by_service else ""
        yield Finding(subject, verdict, "no services of simulation_interfaces: a robot", remedy)
    else:
        lacks = [str(lack) for lack in lacking(simulator.features, offered, by_service)]
        yield Finding(subject, Verdict.GOOD, "not ours; it has " + "; ".join(lacks))


def _ours(look: Look) -> Iterator[Finding]:
    """Our node tells what it runs."""
    mine: dict[str, Any] = {fact_name(look.place, fact.name): fact.value for fact in facts(look.robot)}
    if look.stepping in ("lockstep", "realtime"):
        mine["mode"] = look.stepping
    theirs = look.simulator.parameters(*mine)
    plain = {name: list(value) if isinstance(mine[name], list) else value for name, value in theirs.items()}
    if fact_name(look.place, "robot_digest") not in plain:
        yield Finding("simulator", Verdict.BAD, "ours, without this robot", "Pass --namespace and --simulator")
        return
    wrong = [name for name in mine if plain.get(name, mine[name]) != mine[name]]
    told = [f"{name} is {plain[name]!r}, not {mine[name]!r}" for name in wrong[:1]]
    told += [f"other {', '.join(wrong[1:])}"] if wrong[1:] else []
    yield judged(
        "simulator",
        not wrong,
        f"ours, but {'; '.join(told)}" if wrong else "ours, with the same robot file",
        "Start it with the same robot file, and with the mode that the stepping needs",
    )


def stamps_of_commands(look: Look) -> Iterator[Finding]:
    """In lockstep a command says which state it answers."""
    text = unstamped(look.robot) if look.stepping == "lockstep" else ""
    if text:
        remedy = "Use another stepping, or another 'message' for the group"
        yield Finding("stamps of commands", Verdict.BAD, f"lockstep needs them: {text}", remedy)


def shared_memory(folder: Path) -> Iterator[Finding]:
    """What killed programs have left."""
    stale = stale_files(folder)
    size = sum(path.stat().st_size for path in stale if path.exists()) / 1e6
    yield judged(
        "shared memory",
        not stale,
        f"{len(stale)} stale files of Fast DDS in {folder}, {size:.1f} MB" if stale else "no stale files",
        f"Left by programs that were killed; they can keep others from starting. Remove them: rm {_listed(stale)}",
    )


_GUARDED = "Command through it: pass --command-prefix, and command_prefix to gym.make (agent, unless told otherwise)"
_NO_TAKER = (
    "Start or activate the controller; or correct 'topic' or 'message' of the group in the robot file, remap, or pass "
    "--namespace"
)
_TWO_SPEAKERS = "End all but one: a robot obeys whoever spoke last, and our simulator in lockstep obeys neither"


def _listed(paths: list[Path]) -> str:
    """Short enough for a table."""
    return " ".join(map(str, paths)) if len(paths) <= 4 else f"{paths[0]} ... ({len(paths)}; or: fastdds shm clean)"


def _names(infos: list[Any]) -> str:
    return ", ".join(sorted({endpoint_name(info) for info in infos}))


def _elsewhere(node: Any, message: str, topic: str) -> str:
    """Where else such messages are taken, by others than us."""
    names = [
        name
        for name, kinds in node.get_topic_names_and_types()
        if message in kinds and name != topic and _takers(node, name, message)
    ]
    return f"; {message} is taken on {', '.join(sorted(names)[:5])}" if names else ""


def _takers(node: Any, topic: str, message: str) -> list[Any]:
    """Who else takes such messages."""
    infos = node.get_subscriptions_info_by_topic(topic)
    return [info for info in infos if info.topic_type == message and info.node_name != node.get_name()]


def _range() -> str:
    """How far this process looks."""
    if os.environ.get("ROS_LOCALHOST_ONLY") == "1":
        return "on this machine only (ROS_LOCALHOST_ONLY=1)"
    name = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    return {"LOCALHOST": "on this machine only (LOCALHOST)", "SUBNET": "in the network (SUBNET)"}.get(name, name)


def _nobody(domain_id: int) -> str:
    others = sorted(domains_in_use() - {domain_id})
    there = f"; somebody on this machine is in {', '.join(map(str, others[:8]))}" if others else ""
    return (
        f"Start the robot with ROS_DOMAIN_ID={domain_id}, or pass --domain{there}. For a robot on another machine: "
        "ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET on both"
    )
