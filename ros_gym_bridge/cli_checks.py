"""The commands of `ros-gym-bridge` that say whether a robot or simulator is as it should be."""

import enum
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.interrupt import until_ctrl_c
from ros_gym_bridge.shared_memory import FOLDER

# as in cli.py: the typer of distributions understands no `X | None`
MaybeText = Optional[str]  # noqa: UP045
MaybeInt = Optional[int]  # noqa: UP045
MaybePath = Optional[Path]  # noqa: UP045
MaybeFloat = Optional[float]  # noqa: UP045


class Stepping(str, enum.Enum):
    """What moves time."""

    lockstep = "lockstep"
    step_service = "step_service"
    realtime = "realtime"

    def __str__(self) -> str:
        return str(self.value)


_SIDE = "the simulation in this process, a robot over topics, or a recording."
MaybeStepping = Optional[Stepping]  # noqa: UP045
ROBOT = typer.Argument(metavar="NAME|FILE", help="Name of a robot (see 'ros-gym-bridge robots'), or path of a file.")
NAMESPACE = typer.Option(metavar="NS", help="Of the robot's topics and services.")
SIMULATOR = typer.Option(metavar="NS", help="Namespace of the simulator's services, where it is another.")
DOMAIN = typer.Option(min=0, max=232, metavar="N", help="ROS domain; without: ROS_DOMAIN_ID.")
PREFIX = typer.Option(metavar="NAME", help="Before the command topics: agent, where a safety_node is before the robot.")
STEPPING = typer.Option(help="What moves time; realtime is for robots.")


def check_robot(
    robot: Annotated[str, ROBOT],
    namespace: Annotated[str, NAMESPACE] = "",
    simulator: Annotated[MaybeText, SIMULATOR] = None,
    domain: Annotated[MaybeInt, DOMAIN] = None,
    command_prefix: Annotated[str, PREFIX] = "",
    stepping: Annotated[Stepping, STEPPING] = Stepping.realtime,
    reach: Annotated[
        MaybeFloat,
        typer.Option(
            min=0.0,
            max=1.0,
            metavar="X",
            help="How far it is moved from home towards its bounds; realtime: 0.02, else 1.",
        ),
    ] = None,
) -> None:
    """Check that a driver or simulator does what every robot must, by moving it.

    It must run already. In realtime, which is for real robots, it is moved by 2 percent of the way from home to its
    upper bounds, and what holds for simulators only is left out. It also goes home, once for each check: see that the
    way is free. Exit code 1 when a check fails.

    Example: **ros-gym-bridge check-robot arm --stepping lockstep --namespace /cell_1**
    """
    from ros_gym_bridge.backends import make_robot
    from ros_gym_bridge.check_robot import GENTLE_REACH
    from ros_gym_bridge.check_robot import check_robot as run
    from ros_gym_bridge.config import load_robot

    file = load_robot(robot)
    exact = stepping is not Stepping.realtime
    reach = (1.0 if exact else GENTLE_REACH) if reach is None else reach
    typer.echo(f"The robot '{file.spec.name}' is moved by {reach:.0%} of the way from home to its upper bounds.")
    connection = _attached(namespace, simulator, domain, command_prefix, stepping)
    with until_ctrl_c() as asked:
        findings = list(run(lambda: make_robot(file, "topics", {**connection, "stop": asked}), exact, reach, asked))
    _show(f"What '{file.spec.name}' does, with stepping='{stepping.value}'", findings)


def doctor(
    robot: Annotated[str, ROBOT],
    namespace: Annotated[str, NAMESPACE] = "",
    simulator: Annotated[MaybeText, SIMULATOR] = None,
    domain: Annotated[MaybeInt, DOMAIN] = None,
    command_prefix: Annotated[str, PREFIX] = "",
    stepping: Annotated[MaybeStepping, typer.Option(help="How it is to be stepped; checks what that needs.")] = None,
    seconds: Annotated[float, typer.Option(min=0.5, max=600.0, metavar="S", help="How long to listen.")] = 3.0,
    shared_memory: Annotated[Path, typer.Option(metavar="FOLDER", help="Where Fast DDS keeps its files.")] = FOLDER,
) -> None:
    """Compare a robot file with what is really there, and say what to do where they differ.

    It only listens. Topics, types, QoS and rates, joints and limits, stamps and clocks, transforms, who else publishes
    commands, nodes that are there twice, domain and discovery range, a simulator's services, and files that killed
    programs have left. Exit code 1 when something is bad.

    Example: **ros-gym-bridge doctor my_arm.yaml --stepping realtime**
    """
    from ros_gym_bridge.config import load_robot
    from ros_gym_bridge.ros.doctor.run import examine

    file, mode = load_robot(robot), None if stepping is None else stepping.value
    with until_ctrl_c() as asked:
        findings = examine(file, namespace, simulator, domain, command_prefix, mode, seconds, shared_memory, asked)
    _show(f"The robot file '{file.spec.name}' beside what is there", findings)


def parity(
    robot: Annotated[str, ROBOT],
    first: Annotated[str, typer.Option(metavar="sim|topics|FILE", help="What is compared with: " + _SIDE)] = "sim",
    second: Annotated[str, typer.Option(metavar="sim|topics|FILE", help="What is compared: " + _SIDE)] = "topics",
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, metavar="N", help="Of the reset and the actions.")] = 0,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="How many.")] = 100,
    reach: Annotated[
        float, typer.Option(min=0.0, max=1.0, metavar="X", help="How far actions swing, from home to the nearer bound.")
    ] = 0.2,
    attach: Annotated[
        bool, typer.Option("--attach", help="Topics of what runs already; without: of a node that is started.")
    ] = False,
    namespace: Annotated[str, NAMESPACE] = "",
    simulator: Annotated[MaybeText, SIMULATOR] = None,
    domain: Annotated[MaybeInt, DOMAIN] = None,
    command_prefix: Annotated[str, PREFIX] = "",
    stepping: Annotated[Stepping, STEPPING] = Stepping.lockstep,
    position_tolerance: Annotated[float, typer.Option(min=0.0, metavar="X", help="How far apart, rad or m.")] = 0.0,
    velocity_tolerance: Annotated[float, typer.Option(min=0.0, metavar="X", help="The same, rad/s or m/s.")] = 0.0,
    save: Annotated[MaybePath, typer.Option(metavar="FILE", help="Record the second, .npz or .jsonl.")] = None,
    plot: Annotated[MaybePath, typer.Option(metavar="FILE", help="Draw both, .png or .svg; needs matplotlib.")] = None,
) -> None:
    """See where two backends part under the same seed and actions, in position, velocity and time.

    Actions are smooth waves about home, or those of a recording where one of the two is one. The table says for each
    joint how far the two are apart and since when, and by how much one is late. Exit code 1 when a joint is further
    apart than its tolerance; that is 0, not a bit, unless given.

    Example: **ros-gym-bridge parity arm --plot arm.png**

    On a robot: **ros-gym-bridge parity my_arm.yaml --attach --stepping realtime --reach 0.05 --position-tolerance 0.01
    --velocity-tolerance 0.1 --save my_arm.npz**; later: **ros-gym-bridge parity my_arm.yaml --second my_arm.npz**
    """
    from ros_gym_bridge.parity_run import Plan, run

    if not attach and (namespace or simulator is not None or command_prefix):
        what = "--namespace, --simulator and --command-prefix"
        raise OptionError(what, expected="--attach too", remedy="A node of its own is alone")
    connection: dict[str, Any] = {"stepping": stepping.value, "domain_id": domain}
    if attach:
        connection = _attached(namespace, simulator, domain, command_prefix, stepping)
    tolerances = (position_tolerance, velocity_tolerance)
    plan = Plan(robot, first, second, seed, steps, reach, connection, *tolerances, save, plot)
    with until_ctrl_c() as asked:
        findings = run(plan, asked)
    _show(f"'{second}' beside '{first}': {robot}", findings)


def _attached(
    namespace: str, simulator: str | None, domain: int | None, command_prefix: str, stepping: Stepping
) -> dict[str, Any]:
    """The keywords of a connection to what runs already."""
    where = {"namespace": namespace, "simulator": simulator, "domain_id": domain, "command_prefix": command_prefix}
    return {"attach": True, "stepping": stepping.value, **where}


def _show(title: str, findings: list[Any]) -> None:
    """The table; then the program ends with its exit code."""
    from rich.console import Console

    from ros_gym_bridge.findings import exit_code, table

    Console().print(table(title, findings))
    raise typer.Exit(exit_code(findings))
