"""A model in tables: what it is, what it weighs, how it moves, and what is worth knowing about it."""

from __future__ import annotations

import math

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ros_gym_bridge.probing import Probe
from ros_gym_bridge.robot_model import Joint, RobotModel
from ros_gym_bridge.survey import LinkFacts, link_facts, remarks, total_mass


def describe(model: RobotModel, found: Probe | None, console: Console) -> None:
    """Print a model.

    Args:
        model: what `read_model` returned.
        found: how large it is in PyBullet; None for a model without joints that move.
        console: where to.
    """
    console.print(_summary(model, found), highlight=False, soft_wrap=True)
    _print(_links(model), console)
    if model.joints:
        _print(_joints(model), console)
    notes = remarks(model)
    console.print(Text("Worth knowing:" if notes else "Nothing unusual was found.", style="bold"))
    for note in notes:
        console.print(Text(f"- {note}"), soft_wrap=True)


def _print(table: Table, console: Console) -> None:
    """All of it, however narrow the terminal is: a name that is cut helps nobody."""
    width = console.measure(table, options=console.options.update(width=10_000)).maximum
    if width > console.width:
        console = Console(file=console.file, width=width, force_terminal=console.is_terminal)
    console.print(table)


def _summary(model: RobotModel, found: Probe | None) -> Text:
    lines = [
        f"{model.path}: {model.format}",
        f"robot '{model.name}', root link '{model.root}', {len(model.links)} links, {len(model.joints)} joints "
        f"({len(model.movable)} move), {total_mass(model):.4g} kg",
    ]
    if found is not None:
        x, y, z = (high - low for low, high in zip(found.low, found.high, strict=True))
        lines.append(f"PyBullet loads it; at home it is {x:.3g} x {y:.3g} x {z:.3g} m")
    if model.floating is not None:
        lines.append(f"the file means a {'floating' if model.floating else 'fixed'} base")
    return Text("\n".join(lines))


def _links(model: RobotModel) -> Table:
    table = _table("Links", "Link", "Mass (kg)", "Principal moments (kg m^2)", "Seen", "Collides")
    for link in link_facts(model):
        table.add_row(Text(link.name), *_weight(link), str(link.visuals or "-"), str(link.collisions or "-"))
    return table


def _table(title: str, *heads: str) -> Table:
    return Table(*heads, title=title, title_justify="left", box=box.SIMPLE_HEAD)


def _weight(link: LinkFacts) -> tuple[str, str]:
    if link.mass is None or link.moments is None:
        return "-", "-"
    return f"{link.mass:.4g}", ", ".join(f"{moment:.3g}" for moment in link.moments)


def _joints(model: RobotModel) -> Table:
    heads = ("Joint", "Type", "Parent -> child", "Axis", "Range", "Velocity", "Effort", "Mimics")
    table = _table("Joints (rad or m, rad/s or m/s, N m or N)", *heads)
    for joint in model.joints:
        ends = Text(f"{joint.parent} -> {joint.child}")
        moves = joint in model.movable
        table.add_row(Text(joint.name), joint.type, ends, *(_motion(joint) if moves else [""] * 5))
    return table


def _motion(joint: Joint) -> list[str]:
    endless = math.isinf(joint.lower)
    mimic = ""
    if joint.mimic is not None:
        mimic = f"{joint.mimic.multiplier:g} * {joint.mimic.joint} + {joint.mimic.offset:g}"
    return [
        " ".join(f"{value:.3g}" for value in joint.axis),
        "endless" if endless else f"{joint.lower:.4g} to {joint.upper:.4g}",
        *("unknown" if limit in (0.0, math.inf) else f"{limit:.4g}" for limit in (joint.velocity, joint.effort)),
        mimic,
    ]
