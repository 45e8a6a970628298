"""Where the links stand, from the positions of the joints.

Frames are those of the URDF: a joint's child frame is its parent frame moved by `xyz`, turned by `rpy` about the
parent's fixed axes x, y, z in this order, R = Rz(yaw) Ry(pitch) Rx(roll), and then moved along or turned about the
joint's axis (https://wiki.ros.org/urdf/XML/joint). Metres, radians, right-handed, quaternions as x, y, z, w (REP 103).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.result import Vector
from ros_gym_bridge.mimic import followers
from ros_gym_bridge.robot_model import ROTARY, Joint, RobotModel

Quaternion = tuple[float, float, float, float]
TipPosition = Callable[[Sequence[float]], Vector]

# A linear combination: a variable's name and its factor; the name "" stands for 1.
Sum = dict[str, float]

# Fixed rotations are made of rounded angles; 1.57079632679 leaves 5e-12 where 0 is meant.
_ROUNDING = 1e-11


def joint_transform(joint: Joint, position: float = 0.0) -> tuple[Vector, Quaternion]:
    """The child link's frame in the parent link's frame, as `/tf` wants it.

    Args:
        joint: of any type; `position` is not used for a fixed one.
        position: rad or m.

    Returns:
        The translation x, y, z, m, and the rotation as a unit quaternion x, y, z, w.
    """
    x, y, z, w = joint.quaternion
    if joint.type == "prismatic":
        (ox, oy, oz), (dx, dy, dz) = joint.xyz, joint.slide
        return (ox + dx * position, oy + dy * position, oz + dz * position), joint.quaternion
    if joint.type not in ROTARY:
        return joint.xyz, joint.quaternion
    sine, c = math.sin(position / 2), math.cos(position / 2)
    ax, ay, az = joint.axis
    a, b, d = ax * sine, ay * sine, az * sine
    return joint.xyz, (
        w * a + x * c + y * d - z * b,
        w * b + y * c + z * a - x * d,
        w * d + z * c + x * b - y * a,
        w * c - x * a - y * b - z * d,
    )


def tip_position(model: RobotModel, tip_link: str, joint_names: Sequence[str]) -> TipPosition:
    """Make the function that tells where a link's frame has its origin.

    The inner loop of an environment calls it, so it is written out for this chain: one straight line of Python on three
    numbers, from the tip to the base, with everything constant worked out beforehand. The same positions give the same
    bits in every call and every process.

    Args:
        model: the robot.
        tip_link: the link asked for.
        joint_names: the order of the positions; may hold joints that do not move the tip. Joints of the chain that are
            not among them follow theirs (<mimic>) where that is among them, and otherwise stand at 0.

    Returns:
        A function of as many positions, rad or m (a list or tuple of floats is fastest), that returns x, y, z, m, in
        the root link's frame. It raises `ValueError` for another number of positions.

    Raises:
        ModelError: a link or joint that the model lacks, or the same joint twice.
    """
    source = _source(model, tip_link, joint_names)
    namespace: dict[str, Any] = {"sin": math.sin, "cos": math.cos}
    exec(source, namespace)  # text of our own making: factors and variables, no names from the URDF
    function: TipPosition = namespace["position"]
    return function


def tip_jacobian(
    model: RobotModel, tip_link: str, joint_names: Sequence[str]
) -> Callable[[Sequence[float]], npt.NDArray[np.float64]]:
    """Make the function that tells how the tip moves with each joint, by central differences of `tip_position`.

    Returns:
        A function of the positions, ordered as `joint_names`, that returns a float64 array (3, n): m/rad or m/m, in the
        root link's frame. A step of 1e-5 leaves an error below 1e-9 for a robot of some metres.

    Raises:
        ModelError: as `tip_position`.
    """
    tip, step = tip_position(model, tip_link, joint_names), 1e-5

    def jacobian(positions: Sequence[float]) -> npt.NDArray[np.float64]:
        at = np.asarray(positions, dtype=np.float64)
        shifted = at + np.vstack([step * np.eye(at.size), -step * np.eye(at.size)])
        points = np.array([tip(row) for row in shifted.tolist()]).reshape(2, at.size, 3)
        return np.ascontiguousarray((points[0] - points[1]).T / (2 * step))

    return jacobian


def _source(model: RobotModel, tip_link: str, joint_names: Sequence[str]) -> str:
    """The text of the function `position`."""
    variables = {model.joint(name).name: f"q{i}" for i, name in enumerate(joint_names)}
    if len(variables) < len(joint_names):
        twice = next(name for name in variables if list(joint_names).count(name) > 1)
        what, remedy = f"{model.path}: a joint is named twice", "Remove one of them"
        raise ModelError(what, got=f"'{twice}'", expected="every joint once", remedy=remedy)
    unpacked = ", ".join(variables.values()) + ("," if variables else "")
    lines: list[str] = []
    for i, (name, mimic) in enumerate(followers(model).items()):
        if name not in variables and mimic.joint in variables:
            variables[name] = f"f{i}"
            lines.append(f"f{i} = {_text({variables[mimic.joint]: mimic.multiplier, '': mimic.offset})}")
    point: list[Sum] = [{}, {}, {}]
    for joint in reversed(model.chain(tip_link)):
        variable = variables.get(joint.name)
        if variable and joint.type in ROTARY:
            point = _turned(point, joint.axis, variable, lines)
        elif variable and joint.type == "prismatic":
            point = [_total([(1.0, p), (along, {variable: 1.0})]) for p, along in zip(point, joint.axis, strict=True)]
        point = _placed(point, joint)
    head = f"def position(q, sin=sin, cos=cos):\n    {f'{unpacked} = q' if unpacked else '() = q'}\n"
    return head + "".join(f"    {line}\n" for line in lines) + f"    return {', '.join(map(_text, point))}\n"


def _placed(point: list[Sum], joint: Joint) -> list[Sum]:
    """From the joint's frame, at position 0, to the parent's."""
    return [
        _total([*zip(row, point, strict=True), (offset, {"": 1.0})])
        for row, offset in zip(joint.rotation, joint.xyz, strict=True)
    ]


def _turned(point: list[Sum], axis: Vector, angle: str, lines: list[str]) -> list[Sum]:
    """Turned about the axis: (u, v) are the coordinates across it and w the one along it, which stays."""
    across, up = _perpendicular(axis)
    u, v, w = (_total(list(zip(direction, point, strict=True))) for direction in (across, up, axis))
    if u or v:
        sine, cosine = f"s{angle}", f"c{angle}"
        lines += [f"{sine} = sin({angle})", f"{cosine} = cos({angle})"]
        u, v = _single(u, f"u{angle}", lines), _single(v, f"v{angle}", lines)
        x = _total([(1.0, _times(cosine, u)), (-1.0, _times(sine, v))])
        y = _total([(1.0, _times(sine, u)), (1.0, _times(cosine, v))])
        u, v = _single(x, f"x{angle}", lines), _single(y, f"y{angle}", lines)
    return [_total([(a, u), (b, v), (c, w)]) for a, b, c in zip(across, up, axis, strict=True)]


def _perpendicular(axis: Vector) -> tuple[Vector, Vector]:
    """Two unit vectors that make a right-handed frame with the axis as its z; x and y for z."""
    least = min(range(3), key=lambda i: abs(axis[i]))
    x, y, z = (float(i == least) - axis[least] * axis[i] for i in range(3))
    length = math.hypot(x, y, z)
    (x, y, z), (a, b, c) = (x / length, y / length, z / length), axis
    return (x, y, z), (b * z - c * y, c * x - a * z, a * y - b * x)


def _total(parts: Sequence[tuple[float, Sum]]) -> Sum:
    """The sum of factor times sum, without what is zero but for rounding; a factor next to 1 or -1 becomes exact."""
    total: Sum = {}
    for factor, part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0.0) + factor * value
    rounded = {name: math.copysign(1.0, f) if name and abs(abs(f) - 1) < _ROUNDING else f for name, f in total.items()}
    return {name: factor for name, factor in rounded.items() if abs(factor) > _ROUNDING}


def _times(variable: str, total: Sum) -> Sum:
    return {f"{variable} * {name}" if name else variable: factor for name, factor in total.items()}


def _single(total: Sum, name: str, lines: list[str]) -> Sum:
    """The same as one term; what needs working out gets a line and a name of its own."""
    if len(total) < 2 and not any("*" in each for each in total):
        return total
    lines.append(f"{name} = {_text(total)}")
    return {name: 1.0}


def _text(total: Sum) -> str:
    """As Python; `repr` of a float reads back as the same bits."""
    terms = []
    for name, factor in total.items():
        size = "" if name and abs(factor) == 1 else repr(abs(factor))
        terms.append(("- " if factor < 0 else "+ ") + " * ".join(filter(None, (size, name))))
    return " ".join(terms).removeprefix("+ ") or "0.0"
