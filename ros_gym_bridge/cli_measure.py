"""The command `ros-gym-bridge measure`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ros_gym_bridge.cli_checks import DOMAIN, NAMESPACE, ROBOT, MaybeInt, MaybePath
from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.interrupt import until_ctrl_c

if TYPE_CHECKING:
    from rich.table import Table

    from ros_gym_bridge.measurement import Measurement, Statistics


def measure(
    robot: Annotated[str, ROBOT],
    output: Annotated[
        MaybePath, typer.Option(metavar="FILE", help="Where the result goes; default: measured_NAME.yaml, here.")
    ] = None,
    namespace: Annotated[str, NAMESPACE] = "",
    domain: Annotated[MaybeInt, DOMAIN] = None,
    moves: Annotated[int, typer.Option(min=2, max=10_000, metavar="N", help="Of each group of actuators.")] = 40,
    size: Annotated[
        float, typer.Option(min=1e-4, max=1.0, metavar="X", help="Of a move: rad or m, of a drive m on the ground.")
    ] = 0.02,
    rest: Annotated[float, typer.Option(min=0.5, max=600.0, metavar="S", help="How long it is watched at rest.")] = 2.0,
) -> None:
    """Measure a live robot's latency and noise by small moves, for the simulator to have the same.

    In each group of actuators one joint moves there and back, as in real time: how long it takes from a command to the
    arrival of the first joint states that show it. Before that the robot is watched at rest: rate and noise of its
    joint states. The result is a YAML file; a robot file with the key `measured` takes it, and the simulator then is as
    late and as noisy. See that the way is free.

    Example: **ros-gym-bridge measure my_arm.yaml --output my_arm_measured.yaml**
    """
    from rich.console import Console

    from ros_gym_bridge.config import load_robot
    from ros_gym_bridge.connection import Connection
    from ros_gym_bridge.measurement import write_measurement
    from ros_gym_bridge.ros.measure import Moves
    from ros_gym_bridge.ros.measure import measure as run

    file = load_robot(robot)
    path = output or Path(f"measured_{file.spec.name}.yaml")
    if not path.parent.is_dir():
        expected, remedy = "a file in a folder that exists", "Make the folder"
        raise OptionError("--output", got=str(path), expected=expected, remedy=remedy)
    where: dict[str, Any] = {"namespace": namespace or None, "domain_id": domain}
    with until_ctrl_c() as asked:
        connection = Connection(attach=True, stepping="realtime", reset_by="motion", stop=asked, **where)
        found = run(file, connection, Moves(moves, size, rest), typer.echo)
    write_measurement(path, found)
    console = Console()
    console.print(_table(found))
    console.print(f"Written to {path}; a robot file takes it with the line: measured: {path.name}", soft_wrap=True)


def _table(found: "Measurement") -> "Table":
    from rich import box
    from rich.table import Table

    made = Table(title=f"'{found.robot}', milliseconds", title_justify="left", box=box.ROUNDED)
    for name in ("What", "mean", "std", "p50", "p95", "p99", "of"):
        made.add_column(name, justify="left" if name == "What" else "right")
    for name, group in found.groups.items():
        made.add_row(f"{name}: command to first state ({group.joint})", *_row(group.round_trip_s))
    states = found.joint_states
    made.add_row(f"joint states, {states.rate_hz:.1f} Hz: from one to the next", *_row(states.period_s))
    noise = states.noise
    made.caption = f"noise at rest: position {noise.position:.2g}, velocity {noise.velocity:.2g} (rad or m, per s)"
    return made


def _row(of: "Statistics") -> list[str]:
    return [*(f"{1e3 * value:.2f}" for value in (of.mean, of.std, of.p50, of.p95, of.p99)), str(of.count)]
