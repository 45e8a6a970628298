"""What a robot file for a model could say: guesses that run, for a human to put right."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from ros_gym_bridge.groups import Interface
from ros_gym_bridge.kinematics import tip_position
from ros_gym_bridge.robot_model import Joint, RobotModel
from ros_gym_bridge.survey import link_facts, moved_links, total_mass

_GRAVITY = 9.81
_SPEED = 10.0  # rad/s or m/s, where nobody says
_STRONGER = 3.0  # than what holds the weight stretched out


@dataclass(frozen=True)
class JointGuess:
    """How one joint could be driven.

    Attributes:
        joint: of the model.
        home: where it starts, rad or m.
        interface: None for a joint that is left alone.
        velocity, effort: limits that the model does not say; None where it does, or where none is needed.
        why: why it is left alone, or why its limits are guesses; empty otherwise.
    """

    joint: Joint
    home: float
    interface: Interface | None
    velocity: float | None = None
    effort: float | None = None
    why: str = ""


def guess_joints(model: RobotModel, floating: bool) -> tuple[JointGuess, ...]:
    """All joints that move, in the order of the file.

    A joint with a range and known limits follows positions, one without a range (a wheel, mostly) velocities, and one
    whose limits nobody knows efforts. Where some joints have an effort limit, those with 0 have no motor.
    """
    motors = any(_known(joint.effort) for joint in model.movable)
    weights = _Weights(model, floating)
    return tuple(_joint(joint, motors, weights) for joint in model.movable if joint.lower < joint.upper)


def guess_floating(model: RobotModel) -> bool:
    """Whether the base moves freely: as the file says, or because it has wheels or several legs."""
    if model.floating is not None:
        return model.floating
    if model.root == "world":
        return False
    base = _rigid(model, model.root)
    first = [joint for joint in model.movable if joint.parent in base]
    wheels = [joint for joint in first if joint.type == "continuous" and abs(joint.slide[2]) < 0.5]
    legs = [joint for joint in first if any(each.parent in moved_links(model, joint.name) for each in model.movable)]
    return len(legs) > 1 or len(wheels) > 1


def guess_end_effector(model: RobotModel) -> str | None:
    """The link at the end of the longest chain, or where it splits into fingers; None without a joint that moves."""

    def length(link: str) -> tuple[int, int]:
        chain = model.chain(link)
        return sum(joint in model.movable for joint in chain), len(chain)

    children = Counter(joint.parent for joint in model.movable)
    tip = max(model.links, key=length)
    chain = [joint for joint in model.chain(tip) if joint in model.movable]
    while chain and children[chain[-1].parent] > 1 and len(chain) > 1:
        tip = chain.pop().parent
    return tip if chain else None


def _joint(joint: Joint, motors: bool, weights: _Weights) -> JointGuess:
    home = 0.0 if joint.lower <= 0.0 <= joint.upper else round(0.5 * (joint.lower + joint.upper), 3)
    if joint.mimic is not None:
        return JointGuess(joint, home, None, why=f"mimics {joint.mimic.joint}")
    if motors and joint.effort == 0.0:
        return JointGuess(joint, home, None, why="no motor: its effort limit is 0")
    effort = None if _known(joint.effort) else weights.effort(joint)
    velocity = None if _known(joint.velocity) else _SPEED
    why = "guessed: the model does not say"
    if joint.type == "continuous":
        return JointGuess(joint, home, "velocity", velocity, effort, why if velocity or effort else "")
    if velocity is None and effort is None:
        return JointGuess(joint, home, "position")
    return JointGuess(joint, home, "effort", None, effort, why if effort else "")


class _Weights:
    """What hangs on a joint when all stand at 0."""

    def __init__(self, model: RobotModel, floating: bool) -> None:
        self._model = model
        self._masses = {link.name: 1.0 if link.mass is None else link.mass for link in link_facts(model)}
        self._all = total_mass(model) if floating else None
        self._places = {link: tip_position(model, link, [])([]) for link in model.links}

    def effort(self, joint: Joint) -> float:
        """Some times what holds the weight that hangs on it, N m or N, to one digit."""
        moved = moved_links(self._model, joint.name)
        mass = sum(self._masses[name] for name in moved) if self._all is None else self._all
        start = self._places[joint.child]
        reach = max(math.dist(start, self._places[name]) for name in moved)
        lever = 1.0 if joint.type == "prismatic" else max(reach, 0.1)
        return _rounded(_STRONGER * _GRAVITY * mass * lever)


def _rounded(value: float) -> float:
    """To one digit, at least 1."""
    return max(1.0, float(f"{value:.1g}"))


def _known(limit: float) -> bool:
    return 0.0 < limit < math.inf


def _rigid(model: RobotModel, link: str) -> set[str]:
    """A link and what is fixed to it."""
    rigid = {link}
    for _ in model.joints:  # parents may stand after their children
        rigid |= {each.child for each in model.joints if each.type == "fixed" and each.parent in rigid}
    return rigid
