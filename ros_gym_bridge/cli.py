"""The command `ros-gym-bridge`. Modules that take time to load are imported where they are needed."""

import contextlib
import enum
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ros_gym_bridge import cli_checks, cli_measure, cli_models
from ros_gym_bridge.errors import (
    BridgeError,
    MissingDependencyError,
    OptionError,
    RobotFileError,
)
from ros_gym_bridge.interrupt import until_ctrl_c

if TYPE_CHECKING:
    from ros_gym_bridge.config import RobotFile

_NAMESPACE = re.compile(r"/?([A-Za-z_][A-Za-z0-9_]*)(/[A-Za-z_][A-Za-z0-9_]*)*|/")
_WORLD = "Name of a world (see 'ros-gym-bridge worlds'), or path of a world file; without: the robot file's own scene."
_ROBOT = "Name of a robot (see 'ros-gym-bridge robots'), or path of a robot file."


class Mode(str, enum.Enum):
    """What moves time."""

    lockstep = "lockstep"
    realtime = "realtime"


# The typer of distributions (0.9) understands neither `X | None`, nor literals, nor annotations that are postponed.
MaybeText = Optional[str]  # noqa: UP045
MaybeFloat = Optional[float]  # noqa: UP045
MaybeInt = Optional[int]  # noqa: UP045
MaybeMode = Optional[Mode]  # noqa: UP045

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit code 0; 1 for a failure, 2 for a user's mistake, 130 after Ctrl-C.

    Args:
        arguments: without the program's name; None takes those of this process.
    """
    try:
        app(args=None if arguments is None else list(arguments), prog_name="ros-gym-bridge")
    except BridgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _print_version(wanted: bool) -> None:
    if wanted:
        from ros_gym_bridge import __version__

        typer.echo(f"ros-gym-bridge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Drive a simulated robot today and the real one tomorrow, through the same Gymnasium environment.

    Start with **ros-gym-bridge demo**. Exit codes: 0 done, 1 a failure, 2 a mistake in what was asked for.
    """


@app.command()
def demo(
    robot: Annotated[str, typer.Option(metavar="NAME|FILE", help=_ROBOT + " It needs an end effector.")] = "panda",
    episodes: Annotated[int, typer.Option(min=1, metavar="N", help="How many episodes over topics.")] = 20,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, metavar="N", help="Of the first episode; others count on.")
    ] = 0,
) -> None:
    """See a robot reach goals over ROS 2 topics, and the proof that the same happens in process.

    Starts a simulation node in a process of its own, runs episodes of Reach in lockstep with a scripted policy, and
    prints a table: goals reached, speed, latency, steps lost or doubled. Then the first episode is repeated in this
    process and compared bit for bit, and a picture of the robot at its goal is saved in the current directory.

    Example: **ros-gym-bridge demo --robot arm --episodes 5**
    """
    from rich.console import Console

    from ros_gym_bridge.demo import demo as run

    with until_ctrl_c() as asked:
        run(robot, episodes, seed, Console(), _here(), asked)


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise OptionError("the current directory is gone", remedy="Change to another one") from error


@app.command()
def sim(
    robot: Annotated[MaybeText, typer.Option(help=_ROBOT, metavar="NAME|FILE")] = None,
    world: Annotated[MaybeText, typer.Option(help=_WORLD, metavar="NAME|FILE")] = None,
    mode: Annotated[
        MaybeMode,
        typer.Option(help="What moves time: each command that answers the newest state, or the wall clock."),
    ] = None,
    real_time_factor: Annotated[
        MaybeFloat,
        typer.Option(
            min=0.0, max=1000.0, metavar="X", help="Simulated seconds for each second, in realtime; 0: all it can."
        ),
    ] = None,
    seed: Annotated[
        MaybeInt,
        typer.Option(min=-1, max=2**31 - 1, metavar="N", help="Of the episodes that a reset starts; -1: none."),
    ] = None,
    namespace: Annotated[str, typer.Option(metavar="NS", help="Of the node, its topics and its services.")] = "",
    gui: Annotated[bool, typer.Option("--gui", help="Show PyBullet's own window.")] = False,
) -> None:
    """Simulate a robot as a ROS 2 node, until Ctrl-C.

    The same node, with the same parameters, as 'ros2 launch ros_gym_bridge sim.launch.py'. What is not given here
    comes from config/sim.yaml. ROS_DOMAIN_ID is respected; unless ROS_AUTOMATIC_DISCOVERY_RANGE says otherwise, only
    this machine can see the node.

    Example: **ros-gym-bridge sim --robot arm --mode lockstep --namespace /cell_1**

    Then, elsewhere: **gym.make("ros_gym_bridge/Reach-v0", robot="arm", backend="topics", attach=True,
    namespace="/cell_1")**
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))  # until the node stands and does it
    given: dict[str, object] = {
        "robot": _absolute(robot),
        "world": _absolute_world(world, robot),
        "mode": mode and mode.value,
        "real_time_factor": real_time_factor,
        "seed": seed,
        "gui": gui or None,
    }
    arguments = ros_arguments(given, _namespace(namespace))
    _check_display(gui)
    from ros_gym_bridge.ros.sim_node import main as run

    raise typer.Exit(run(arguments))


@app.command()
def safety(
    robot: Annotated[str, typer.Argument(help=_ROBOT + " The one that the agent uses, too.", metavar="NAME|FILE")],
    namespace: Annotated[str, typer.Option(metavar="NS", help="Where the robot's topics are.")] = "",
    agent_prefix: Annotated[
        MaybeText, typer.Option(metavar="NAME", help="Before each command topic, where the agent publishes: agent.")
    ] = None,
) -> None:
    """Stand between an agent and a robot, until Ctrl-C.

    Passes commands from agent/TOPIC to TOPIC, within the limits of the robot file and its section 'safety'; stops the
    robot when the agent falls silent, when the joint states are old, and in an emergency. Runs beside the agent and
    outlives it. The same node as 'ros2 launch ros_gym_bridge safety.launch.py'.

    Example: **ros-gym-bridge safety arm**

    Then, elsewhere: **gym.make("ros_gym_bridge/Reach-v0", robot="arm", backend="topics", attach=True,
    stepping="realtime", command_prefix="agent")**
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))  # until the node stands and does it
    given: dict[str, object] = {"robot": _absolute(robot), "agent_prefix": agent_prefix}
    arguments = ros_arguments(given, _namespace(namespace), "safety")
    from ros_gym_bridge.ros.safety_node import main as run

    raise typer.Exit(run(arguments))


@app.command()
def view(
    namespace: Annotated[str, typer.Option(metavar="NS", help="Where the robot's topics and services are.")] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Of the page; 0: any that is free.")] = 8080,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Who can open the page: 127.0.0.1 is this machine only.")
    ] = "127.0.0.1",
    robot_description: Annotated[
        str, typer.Option(metavar="TOPIC", help="The URDF, std_msgs/String.")
    ] = "robot_description",
    joint_states: Annotated[str, typer.Option(metavar="TOPIC", help="Where the joints are.")] = "joint_states",
    joint_command: Annotated[
        str, typer.Option(metavar="TOPIC", help="Where the sliders publish, sensor_msgs/JointState.")
    ] = "joint_command",
    fixed_frame: Annotated[
        str, typer.Option(metavar="FRAME", help="What stands still on the page; default: the top of the transforms.")
    ] = "",
    frame_prefix: Annotated[
        str, typer.Option(metavar="TEXT", help="What stands before link names in transforms; default: nothing, or NS/.")
    ] = "",
) -> None:
    """Show any ROS 2 robot live, on a page in the browser.

    The robot comes from robot_description and joint_states or /tf; scans, point clouds, images, poses and odometry are
    found by their types. Buttons play, pause, step and reset a simulator that offers simulation_interfaces; sliders
    command the joints once you allow it on the page. Runs until Ctrl-C.

    Example: **ros-gym-bridge view --namespace /cell_1**
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))  # until the viewer stands and does it
    from ros_gym_bridge.view.options import ViewOptions

    topics = (robot_description, joint_states, joint_command)
    options = ViewOptions(_namespace(namespace), host, port, *topics, fixed_frame, frame_prefix)
    from ros_gym_bridge.ros.viewer import view as run

    raise typer.Exit(run(options, typer.echo))


@app.command()
def worlds() -> None:
    """List the worlds that come with the package.

    Example: **ros-gym-bridge worlds**
    """
    from rich.console import Console
    from rich.table import Table

    from ros_gym_bridge.worlds import world_config, world_names, worlds_directory

    table = Table("Name", "Robots", "Bodies", "Tags", "Description")
    for name in world_names():
        config = world_config(worlds_directory() / f"{name}.yaml")
        if config is not None:
            robots = ", ".join(f"{place.robot} as '{place.namespace}'" for place in config.robots) or "as started with"
            table.add_row(name, robots, str(len(config.bodies)), ", ".join(config.tags), config.description)
    console = Console()
    console.print(table)
    console.print(f"Their files: {worlds_directory()}", highlight=False, soft_wrap=True)


@app.command()
def robots() -> None:
    """List the robots that come with the package, and what can be done with them.

    Example: **ros-gym-bridge robots**
    """
    from rich.console import Console
    from rich.table import Table

    from ros_gym_bridge.config import load_robot, robot_names

    table = Table("Name", "Joints", "Commands", "Control", "Physics", "Tasks")
    for robot in map(load_robot, robot_names()):
        spec = robot.spec
        kinds = " and ".join(sorted({entry.interface for entry in spec.commands}))
        commands, tasks = f"{len(spec.commands)} x {kinds}", ", ".join(_tasks(robot)) or "none"
        rates = (f"{spec.control_hz} Hz", f"{spec.physics_hz} Hz")
        table.add_row(spec.name, str(len(spec.joints)), commands, *rates, tasks)
    console = Console()
    console.print(table)
    console.print(f"Their files: {robot.path.parent}", highlight=False, soft_wrap=True)


app.command()(cli_models.describe)
app.command()(cli_models.new_robot)
app.command()(cli_checks.doctor)
app.command()(cli_checks.check_robot)
app.command()(cli_checks.parity)
app.command()(cli_measure.measure)


def _tasks(robot: "RobotFile") -> list[str]:
    """The tasks that a robot can do."""
    from ros_gym_bridge.tasks import TASKS

    able = []
    for name, make in TASKS.items():
        with contextlib.suppress(RobotFileError):
            make(robot)
            able.append(name)
    return able


def ros_arguments(parameters: dict[str, object], namespace: str, config: str = "sim") -> list[str]:
    """What a node is started with: its file of parameters where it is there, and on top of it what was asked for.

    Args:
        parameters: values by name; None is left out.
        namespace: absolute, or empty.
        config: the file's name in config/, without ending.
    """
    from ros_gym_bridge.paths import share_directory

    arguments = ["--ros-args"]
    file = share_directory() / "config" / f"{config}.yaml"
    if file.is_file():
        arguments += ["--params-file", str(file)]
    if namespace:
        arguments += ["-r", f"__ns:={namespace}"]
    for name, value in parameters.items():
        if value is not None:
            arguments += ["-p", f"{name}:={json.dumps(value, ensure_ascii=False)}"]
    return arguments


def _absolute(robot: str | None) -> str | None:
    """The robot as the node is told; refused here, in this terminal, when it cannot be used."""
    if robot is None:
        return None
    from ros_gym_bridge.config import load_robot

    return str(load_robot(robot).path)


def _absolute_world(world: str | None, robot: str | None) -> str | None:
    """The same for the world."""
    if world is None:
        return None
    from ros_gym_bridge.worlds import load_world

    path = load_world(world, robot or "panda").path
    return None if path is None else str(path)


def _namespace(text: str) -> str:
    if text and not _NAMESPACE.fullmatch(text):
        raise OptionError(
            "--namespace",
            got=repr(text),
            expected="names of letters, digits and underscores, none starting with a digit, with '/' between them",
            remedy="For example: --namespace /cell_1",
        )
    return text if not text or text.startswith("/") else f"/{text}"


def _check_display(gui: bool) -> None:
    if gui and not os.environ.get("DISPLAY"):
        raise MissingDependencyError(
            "the window needs an X display",
            got="DISPLAY is not set",
            remedy="Run on a desktop or under Xvfb, or leave out --gui",
        )
