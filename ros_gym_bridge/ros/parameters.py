"""The parameters of the simulation node: each declared once, everything else derived."""

from __future__ import annotations

import difflib
import weakref
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from ros_gym_bridge.errors import OptionError

Value = str | bool | int | float | tuple[float, ...]

ON_THE_WALL_CLOCK = "This node makes the simulated time and cannot live on it: use_sim_time is false here."


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        name: in the node.
        default: its type is the parameter's type.
        description: one sentence.
        unit: of the value.
        low, high: range of a number, or of each of several, both included.
        choices: all that a text may be.
        run_time: whether it can change while the node runs.
    """

    name: str
    default: Value
    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    run_time: bool = False


SIM_PARAMETERS = (
    Parameter("robot", "panda", "Robot file: the name of one that comes with the package, or a path."),
    Parameter(
        "world",
        "",
        "World file: the name of one that comes with the package, or a path; empty: the robot file's own scene.",
    ),
    Parameter(
        "resource_path",
        "",
        "Folders of your own with worlds (*.yaml) and models (*.urdf) to offer, with ':' between them.",
    ),
    Parameter(
        "mode",
        "realtime",
        "What moves time: each stamped command (lockstep) or the wall clock (realtime).",
        choices=("lockstep", "realtime"),
    ),
    Parameter(
        "real_time_factor",
        1.0,
        "Simulated seconds for each second of the wall clock, in realtime mode; 0: as fast as possible.",
        unit="s/s",
        low=0.0,
        high=1000.0,
        run_time=True,
    ),
    Parameter(
        "seed",
        -1,
        "Seed of the episodes that reset_simulation starts; -1: the generator goes on.",
        low=-1,
        high=2**31 - 1,
        run_time=True,
    ),
    Parameter(
        "strict_reset",
        False,
        "reset_simulation loads everything anew instead of restoring the snapshot.",
        run_time=True,
    ),
    Parameter("start_paused", False, "Wait in the state PAUSED until set_simulation_state asks for PLAYING."),
    Parameter("gui", False, "Show PyBullet's own window."),
    Parameter("publish_tf", True, "Publish /tf and /tf_static, from the frame world to every link."),
    Parameter(
        "robot_state_publisher",
        False,
        "That node runs as well: leave to it the transforms that it derives from joint_states, and publish the others.",
    ),
    Parameter("publish_clock", True, "Publish /clock; off when another node of the domain does."),
    Parameter("frame_prefix", "", "Put before every frame name in transforms."),
)


def declare(node: Node, parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    """Declare them all on a node and return their values.

    Raises:
        OptionError: a value of the wrong type or outside of its range; names parameter, value and what was expected.
    """
    integers_are_numbers = _converters.setdefault(node, _IntegersAreNumbers())
    integers_are_numbers.add(parameters)
    node._parameter_overrides.update(
        (each.name, each) for each in integers_are_numbers(list(node._parameter_overrides.values()))
    )
    for parameter in parameters:
        try:
            node.declare_parameter(parameter.name, _plain(parameter.default), _descriptor(parameter))
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise OptionError(
                f"parameter '{parameter.name}'", got=_given(node, parameter.name), expected=expectation(parameter)
            ) from error
    values = {p.name: node.get_parameter(p.name).value for p in parameters}
    for parameter in parameters:
        check(parameter, values[parameter.name])
    if not integers_are_numbers.called:
        integers_are_numbers.called = True
        node.add_pre_set_parameters_callback(integers_are_numbers)
    return values


class _IntegersAreNumbers:
    """Takes `real_time_factor:=2` for what is meant by it; ROS tells integers and floating-point numbers apart.

    One for each node: rclpy hands the same list to every callback of this kind, and strings their answers together.

    Attributes:
        called: the node calls it.
    """

    def __init__(self) -> None:
        self.called = False
        self._names: set[str] = set()

    def add(self, parameters: tuple[Parameter, ...]) -> None:
        """Those with a floating-point default are meant."""
        self._names |= {parameter.name for parameter in parameters if isinstance(parameter.default, float | tuple)}

    def __call__(self, given: list[RosParameter]) -> list[RosParameter]:
        """The same values with the types that were declared."""
        return [self._converted(each) if each.name in self._names else each for each in given]

    def _converted(self, given: RosParameter) -> RosParameter:
        if given.type_ == RosParameter.Type.INTEGER:
            return RosParameter(given.name, value=float(given.value))
        if given.type_ == RosParameter.Type.INTEGER_ARRAY:
            return RosParameter(given.name, value=[float(value) for value in given.value])
        return given


_converters: weakref.WeakKeyDictionary[Node, _IntegersAreNumbers] = weakref.WeakKeyDictionary()


def without_effect(node: Node) -> list[str]:
    """A sentence for each parameter that was given and that this node lacks."""
    own = [name for name in node._parameters if not name.startswith("qos_overrides")]
    sentences = []
    for name in node._parameter_overrides:
        if name not in own and not name.startswith("qos_overrides"):
            near = difflib.get_close_matches(name, own, 1)
            remedy = f"did you mean '{near[0]}'?" if near else "'ros2 param list' shows those that it has."
            sentences.append(f"Parameter '{name}' is not one of this node's and has no effect; {remedy}")
    return sentences


def leave_simulated_time(node: Node) -> bool:
    """Put a node that makes time on the wall clock for good; whether it had been told to live on `/clock`."""
    told = bool(node.get_parameter("use_sim_time").value)
    if told:
        node.set_parameters([RosParameter("use_sim_time", value=False)])
    node.add_on_set_parameters_callback(_refuse_simulated_time)
    return told


def _refuse_simulated_time(given: list[RosParameter]) -> SetParametersResult:
    """rclpy asks the callback that was added last first, so its own, which would obey, does not hear of it."""
    wrong = any(each.name == "use_sim_time" and each.value is not False for each in given)
    return SetParametersResult(successful=not wrong, reason=ON_THE_WALL_CLOCK if wrong else "")


def check(parameter: Parameter, value: Any) -> None:
    """Refuse a value that is none of the choices, or not so many numbers in their range.

    Raises:
        OptionError: names the parameter, the value and what was expected.
    """
    numbers = isinstance(parameter.default, tuple)
    if (parameter.choices and value not in parameter.choices) or (numbers and not _fits(parameter, value)):
        raise OptionError(f"parameter '{parameter.name}'", got=repr(value), expected=expectation(parameter))


def expectation(parameter: Parameter) -> str:
    """What a parameter takes, in words."""
    if parameter.choices:
        return "one of " + ", ".join(parameter.choices)
    kind = {str: "a text", bool: "true or false", int: "an integer", float: "a number"}
    default = parameter.default
    words = f"{len(default)} numbers" if isinstance(default, tuple) else kind[type(default)]
    return f"{words} from {parameter.low} to {parameter.high}" if parameter.low is not None else words


def _fits(parameter: Parameter, value: Any) -> bool:
    """Whether these are as many numbers as the default has, each in the range."""
    assert isinstance(parameter.default, tuple)
    low, high = parameter.low or 0.0, parameter.high or 0.0
    return len(value) == len(parameter.default) and all(low <= number <= high for number in value)


def _plain(default: Value) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _given(node: Node, name: str) -> str:
    override = node._parameter_overrides.get(name)
    return repr(override.value) if override is not None else "nothing"


def _descriptor(parameter: Parameter) -> ParameterDescriptor:
    unit = f" Unit: {parameter.unit}." if parameter.unit else ""
    words = f" One of {', '.join(parameter.choices)}." if parameter.choices else ""
    fixed = "" if parameter.run_time else " Fixed once the node runs."
    descriptor = ParameterDescriptor(
        description=parameter.description + words + unit + fixed, read_only=not parameter.run_time
    )
    if parameter.low is not None and parameter.high is not None:
        if isinstance(parameter.default, tuple):
            descriptor.additional_constraints = expectation(parameter)
        elif isinstance(parameter.default, float):
            descriptor.floating_point_range = [FloatingPointRange(from_value=parameter.low, to_value=parameter.high)]
        else:
            descriptor.integer_range = [
                IntegerRange(from_value=int(parameter.low), to_value=int(parameter.high), step=1)
            ]
    return descriptor
