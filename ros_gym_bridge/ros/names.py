"""What the simulation node and those who start or look for it must agree on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

NODE_NAME = "sim_node"
UNTIL_STDIN_CLOSES = "--until-stdin-closes"


def upward(namespace: str, name: str) -> list[str]:
    """A relative name in a namespace, and in each one above it, by full name: a robot's simulator may stand there.

    Args:
        namespace: absolute.
        name: relative.
    """
    parts = [part for part in namespace.split("/") if part]
    return ["/".join(["", *parts[:count], name]) for count in range(len(parts), -1, -1)]


def absolute(namespace: str) -> str:
    """A namespace with the slash that it may have been given without."""
    return "/" + namespace.strip("/")


def place_below(namespace: str | None, simulator: str | None) -> str:
    """The robot's namespace below that of its simulator; empty for a robot that is alone.

    Args:
        namespace: of the robot.
        simulator: of the simulator's services; None: the same.
    """
    if simulator is None:
        return ""
    return absolute(namespace or "").removeprefix(absolute(simulator)).strip("/")


def fact_name(namespace: str, name: str) -> str:
    """The parameter by which a simulation node tells a fact about one robot among several."""
    return ".".join([*namespace.split("/"), name]) if namespace else name


def under(namespace: str, name: str) -> str:
    """A relative name in the namespace of one robot among several; empty for a robot that is alone."""
    return f"{namespace}/{name}" if namespace else name


def is_relative(name: str) -> bool:
    """Whether this is a relative name: of letters, digits and _, with / between its parts."""
    return re.fullmatch(r"(?a:[A-Za-z]\w*(/[A-Za-z]\w*)*)", name) is not None


def names_only(arguments: Sequence[str]) -> list[str]:
    """Of a node's ROS arguments those that say what things are called, for another node beside it; rules for one node
    by its name, and its own name, are left out.

    Args:
        arguments: such as `--ros-args -r __ns:=/left -p robot:=arm`.
    """
    rules = [
        rule
        for flag, rule in pairwise(arguments)
        if flag in ("-r", "--remap")
        and not rule.startswith(("__node:=", "__name:="))
        and ":" not in rule.partition(":=")[0]
    ]
    return ["--ros-args", *(part for rule in rules for part in ("-r", rule))] if rules else []
