"""Whether the links and joints of a URDF form a tree: one root, and every link below it exactly once."""

from __future__ import annotations

from typing import Protocol
from xml.etree.ElementTree import Element

from ros_gym_bridge.errors import ModelError


class Refuse(Protocol):
    """Makes the error that names the file."""

    def __call__(self, what: str, *, got: str = "", expected: str, remedy: str) -> ModelError: ...


def check_tree(robot: Element, refuse: Refuse) -> None:
    """Every joint between known links, no link below two joints, one root, no cycle.

    Raises:
        ModelError: made by `refuse`.
    """
    links = [link.attrib["name"] for link in robot.findall("link")]
    above: dict[str, Element] = {}
    for joint in robot.findall("joint"):
        for end in ("parent", "child"):
            _check_known(joint, end, links, refuse)
        child = _link(joint, "child")
        if child in above:
            got = f"'{above[child].get('name')}' and '{joint.get('name')}'"
            expected, remedy = "a tree", "Let one of the joints lead to another link"
            raise refuse(f"link '{child}' is the child of two joints", got=got, expected=expected, remedy=remedy)
        above[child] = joint
    roots = [link for link in links if link not in above]
    if len(roots) > 1:
        expected, remedy = "one link that is no joint's child", f"Join the others to '{roots[0]}' by fixed joints"
        raise refuse("several root links", got=", ".join(roots), expected=expected, remedy=remedy)
    _check_cycle(links, {child: _link(joint, "parent") for child, joint in above.items()}, refuse)


def _link(joint: Element, end: str) -> str:
    return next(element.attrib["link"] for element in joint.findall(end))


def _check_known(joint: Element, end: str, links: list[str], refuse: Refuse) -> None:
    name = _link(joint, end)
    if name not in links:
        what, expected = f"joint '{joint.get('name')}': unknown {end} link", f"one of {', '.join(links)}"
        raise refuse(what, got=f"'{name}'", expected=expected, remedy="Correct the name, or add the link")


def _check_cycle(links: list[str], parents: dict[str, str], refuse: Refuse) -> None:
    for link in links:
        path = [link]
        while path[-1] in parents:
            path.append(parents[path[-1]])
            if path[-1] in path[:-1]:
                loop = " below ".join(f"'{each}'" for each in path[path.index(path[-1]) :])
                raise refuse("links form a cycle", got=loop, expected="a tree", remedy="Remove one of their joints")
