"""The commands of `ros-gym-bridge` that are about models."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ros_gym_bridge.errors import OptionError

if TYPE_CHECKING:
    from ros_gym_bridge.new_robot import NewRobot

# as in cli.py: the typer of distributions understands no `X | None`
MaybeText = Optional[str]  # noqa: UP045
MaybeTexts = Optional[list[str]]  # noqa: UP045
MaybePath = Optional[Path]  # noqa: UP045
MaybeBool = Optional[bool]  # noqa: UP045

_MODEL = "URDF, xacro, SDF or MJCF: a path, package://PACKAGE/PATH or pybullet_data://PATH."
_ARGUMENTS = "Argument of a xacro; may be given several times."
_WHICH = "Which model, where an SDF or MJCF file holds several."


def describe(
    file: Annotated[str, typer.Argument(metavar="FILE|NAME", help=_MODEL + " Or the name of a robot.")],
    argument: Annotated[MaybeTexts, typer.Option(metavar="NAME:=VALUE", help=_ARGUMENTS)] = None,
    model_name: Annotated[MaybeText, typer.Option(metavar="NAME", help=_WHICH)] = None,
) -> None:
    """Say what a model is made of, and what is wrong or unusual in it.

    Prints its links with masses and moments of inertia, its joints with their limits, and every element that was
    corrected, or that you may want to correct. Exit code 2 when it cannot be used, with the reason.

    Example: **ros-gym-bridge describe pybullet_data://r2d2.urdf**
    """
    from rich.console import Console

    from ros_gym_bridge import describe as tables
    from ros_gym_bridge.new_robot import read, size

    new = _model(file, argument, model_name)
    model = read(new)
    tables.describe(model, size(new, model) if model.movable else None, Console())


def new_robot(
    file: Annotated[str, typer.Argument(metavar="FILE", help=_MODEL)],
    output: Annotated[MaybePath, typer.Option(metavar="X.yaml", help="The file to write.")] = None,
    name: Annotated[MaybeText, typer.Option(metavar="NAME", help="Of the robot; the model's unless given.")] = None,
    floating: Annotated[
        MaybeBool,
        typer.Option("--floating/--fixed-base", help="Whether its base moves freely; guessed unless given."),
    ] = None,
    argument: Annotated[MaybeTexts, typer.Option(metavar="NAME:=VALUE", help=_ARGUMENTS)] = None,
    model_name: Annotated[MaybeText, typer.Option(metavar="NAME", help=_WHICH)] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file when it is there.")] = False,
) -> None:
    """Write a first robot file for a model, one that runs.

    Joints start at 0 or in the middle of their range; those with known limits follow positions, wheels velocities, and
    the others efforts; a floating base stands on a floor. Equal wheels left and right of it, which nothing steers, are
    a differential drive. What is guessed is marked in the file.

    Example: **ros-gym-bridge new-robot pybullet_data://husky/husky.urdf --output husky.yaml**

    Then: **ros-gym-bridge sim --robot husky.yaml**
    """
    import dataclasses

    from ros_gym_bridge.new_robot import write

    new = dataclasses.replace(_model(file, argument, model_name), name=name, floating=floating)
    path = write(new, output, force)
    typer.echo(f"{path} is written; try it: ros-gym-bridge sim --robot {path}")


def _model(file: str, arguments: list[str] | None, model_name: str | None) -> "NewRobot":
    """What the user named: a model, or the model of a robot file."""
    from ros_gym_bridge.new_robot import NewRobot, of_robot

    pairs = [argument.partition(":=") for argument in arguments or []]
    wrong = next((name for name, sign, _ in pairs if not (name and sign)), None)
    if wrong is not None:
        raise OptionError("--argument", got=repr(wrong), expected="NAME:=VALUE")
    if file in _robot_names() or file.endswith((".yaml", ".yml")):
        return of_robot(file)
    return NewRobot(file, tuple((name, value) for name, _, value in pairs), model_name)


def _robot_names() -> list[str]:
    from ros_gym_bridge.config import robot_names

    return robot_names()
