"""The commands of `ros-gym-bridge` that say whether a robot or simulator is as it should be."""

import enum
from typing import Annotated, Any, Optional

import typer

# as in cli.py: the typer of distributions understands no `X | None`
MaybeText = Optional[str]  # noqa: UP045
MaybeInt = Optional[int]  # noqa: UP045
MaybeFloat = Optional[float]  # noqa: UP045


class Stepping(str, enum.Enum):
    """What moves time."""

    lockstep = "lockstep"
    step_service = "step_service"
    realtime = "realtime"

    def __str__(self) -> str:
        return str(self.value)


ROBOT = typer.Argument(metavar="NAME|FILE", help="Name of a robot (see 'ros-gym-bridge robots'), or path of a file.")
NAMESPACE = typer.Option(metavar="NS", help="Of the robot's topics and services.")
SIMULATOR = typer.Option(metavar="NS", help="Namespace of the simulator's services, where it is another.")
DOMAIN = typer.Option(min=0, max=232, metavar="N", help="ROS domain; without: ROS_DOMAIN_ID.")
STEPPING = typer.Option(help="What moves time; realtime is for robots.")


def check_robot(
    robot: Annotated[str, ROBOT],
    namespace: Annotated[str, NAMESPACE] = "",
    simulator: Annotated[MaybeText, SIMULATOR] = None,
    domain: Annotated[MaybeInt, DOMAIN] = None,
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
    findings = list(
        run(lambda: make_robot(file, "topics", _attached(namespace, simulator, domain, stepping)), exact, reach)
    )
    _show(f"What '{file.spec.name}' does, with stepping='{stepping.value}'", findings)


def _attached(namespace: str, simulator: str | None, domain: int | None, stepping: Stepping) -> dict[str, Any]:
    """The keywords of a connection to what runs already."""
    where = {"namespace": namespace, "simulator": simulator, "domain_id": domain}
    return {"attach": True, "stepping": stepping.value, **where}


def _show(title: str, findings: list[Any]) -> None:
    """The table; then the program ends with its exit code."""
    from rich.console import Console

    from ros_gym_bridge.findings import exit_code, table

    Console().print(table(title, findings))
    raise typer.Exit(exit_code(findings))
