"""World files: what is read, what follows from it, and every refusal by its message."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ros_gym_bridge import load_robot, robot_names
from ros_gym_bridge.errors import RobotFileError
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.world_file import WorldFile
from ros_gym_bridge.worlds import (
    STRICT,
    Tolerance,
    find_world_file,
    load_world,
    world_config,
    world_from_text,
    world_names,
)

BODY = '<robot name="ball"><link name="ball"><inertial><mass value="1"/><inertia ixx="1" ixy="0" ixz="0" iyy="1" \
iyz="0" izz="1"/></inertial><collision><geometry>{shape}</geometry></collision></link></robot>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ball.urdf").write_text(BODY.format(shape='<sphere radius="0.1"/>'))
    (tmp_path / "meshless.urdf").write_text(BODY.format(shape='<mesh filename="nowhere.obj"/>'))
    (tmp_path / "strange.urdf").write_text(BODY.format(shape='<mesh filename="strange.fbx"/>'))
    (tmp_path / "quick.yaml").write_text("extends: arm\nrates: {physics_hz: 1000, control_hz: 50}\n")
    return tmp_path.resolve()


def load(folder: Path, text: str, tolerance: Tolerance = STRICT, robot: str = "arm") -> WorldFile:
    path = folder / "world.yaml"
    path.write_text(text)
    return load_world(path, robot, tolerance)


def refusal(folder: Path, text: str) -> str:
    """The message, without the path with which it starts."""
    with pytest.raises(RobotFileError) as caught:
        load(folder, text)
    start = f"{folder / 'world.yaml'}: "
    assert str(caught.value).startswith(start)
    return str(caught.value).removeprefix(start)


# --- what is read


@pytest.mark.parametrize("name", world_names())
def test_the_packages_worlds_stand_still_for_a_second(name: str) -> None:
    world = load_world(name, "arm")
    assert world.name == name
    assert world.path == find_world_file(name)
    simulation = Simulation(world)
    before = {body: simulation.world.body_pose(number)[0] for body, number in simulation.world.scene.items()}
    homes = [robot.spec.command_home for robot in simulation.robots]
    for _ in range(25):
        simulation.advance(homes, simulation.steps_per_period)
    for body, number in simulation.world.scene.items():
        assert math.dist(before[body], simulation.world.body_pose(number)[0]) < 2e-3, body
    for robot, state in zip(simulation.robots, simulation.states, strict=True):
        assert abs(state.position - robot.spec.home).max() < 0.02
    simulation.close()


def test_the_packages_worlds_are_those_that_the_documents_name() -> None:
    assert world_names() == ["empty", "table", "two_arms"]


def test_everything_that_a_world_file_can_say(folder: Path) -> None:
    world = load(
        folder,
        """
name: hall
description: A hall
tags: [indoor, big]
gravity: [0, 0, -1.6]
bodies:
  - {name: ball, file: ball.urdf, position: [1, 2, 3], category: human, description: A ball, tags: [round]}
  - {name: post, file: ball.urdf, fixed: true}
poses:
  - {name: door, position: [1, 0, 0], rpy: [0, 0, 1], tags: [exit], bounds: {lower: [-1, -1, 0], upper: [1, 1, 2]}}
robots:
  - {robot: arm, namespace: left, base_position: [0, 1, 0]}
  - {robot: arm, namespace: hall/right, base_rpy: [0, 0, 1]}
""",
    )
    assert (world.name, world.description, world.tags) == ("hall", "A hall", ("indoor", "big"))
    assert world.gravity == (0, 0, -1.6)
    ball, post = (placed.body for placed in world.bodies)
    assert (ball.category, ball.description, ball.tags) == ("human", "A ball", ("round",))
    assert (post.category, post.description, post.tags) == (None, "", ())
    (door,) = world.poses
    assert door.bounds is not None
    assert (door.name, door.position, door.bounds.upper) == ("door", (1, 0, 0), (1, 1, 2))
    left, right = world.robots
    assert [placed.name for placed in world.robots] == ["left", "hall/right"]
    assert left.robot.config.model.base_position == (0, 1, 0)
    assert left.robot.config.model.base_rpy == right.robot.config.model.base_position == (0, 0, 0)
    assert right.robot.config.model.base_rpy == (0, 0, 1)
    assert left.source.config == right.source.config == load_robot("arm").config
    assert (world.physics_hz, world.steps_per_period) == (500, 20)


def test_a_world_without_robots_takes_the_one_that_is_given_and_leaves_its_scene(folder: Path) -> None:
    (placed,) = load(folder, "name: bare", robot="rover").robots
    assert (placed.name, placed.namespace) == ("rover", "")
    assert placed.robot.scene == placed.robot.config.scene == ()
    assert placed.source.config.scene


def test_a_robot_file_is_a_world_too() -> None:
    panda = load_robot("panda_clutter")
    world = load_world(panda.path, "arm")
    assert (world.name, world.path, len(world.bodies)) == ("panda_clutter", panda.path, len(panda.scene))


def test_a_robot_by_the_path_of_its_file_relative_to_the_world(folder: Path) -> None:
    world = load(folder, "name: w\nrobots: [{robot: quick.yaml, namespace: one}]")
    assert world.physics_hz == 1000


def test_a_world_as_text_reads_relative_paths_as_one_of_the_package() -> None:
    text = find_world_file("table").read_text()
    world = world_from_text(text, "arm")
    assert (world.path, world.text) == (None, text)
    assert [placed.body for placed in world.bodies] == [placed.body for placed in load_world("table", "arm").bodies]


@pytest.mark.parametrize("content", ["name: a\nmodel: {file: x.urdf}", "name: a\ndescription: b", "a: 1"])
def test_files_that_are_no_worlds(folder: Path, content: str) -> None:
    (folder / "other.yaml").write_text(content)
    assert world_config(folder / "other.yaml") is None


# --- what is refused

REFUSALS = {
    "unknown key": (
        "name: w\ngravty: [0, 0, 1]",
        "gravty: unknown key; got [0, 0, 1]; expected one of name, description, tags, gravity, bodies, poses, robots; "
        "Did you mean 'gravity'?",
    ),
    "unknown key of a body": (
        "name: w\nbodies: [{name: b, file: ball.urdf, colour: red}]",
        "bodies[0].colour: unknown key; got 'red'; expected one of file, arguments, model_name, "
        "name, position, rpy, fixed, scale, category, "
        "description, tags; Remove it.",
    ),
    "category": (
        "name: w\nbodies: [{name: b, file: ball.urdf, category: tree}]",
        "bodies[0].category; got 'tree'; expected 'object', 'robot', 'human', 'dynamic_object' or 'static_object'; "
        "Change the value of 'bodies[0].category'.",
    ),
    "bounds": (
        "name: w\nposes: [{name: p, bounds: {lower: [0, 0, 1], upper: [1, 1, 0]}}]",
        "poses[0].bounds; got {'lower': (0, 0, 1), 'upper': (1, 1, 0)}; expected a lower corner that is nowhere above "
        "the upper one; Change the value of 'poses[0].bounds'.",
    ),
    "missing body": (
        "name: w\nbodies: [{name: b, file: lost.urdf}]",
        "bodies[0].file: 'lost.urdf' was not found; got 'lost.urdf'; expected a file 'lost.urdf' under {folder}; "
        "Correct the path, or put the file there.",
    ),
    "unknown robot": (
        "name: w\nrobots: [{robot: pando, namespace: a}]",
        "robots[0].robot: no robot file 'pando'; expected one of {robots}, or the path of a .yaml file; Did you mean "
        "'panda'? Check the spelling, or write such a file (see CONTRIBUTING.md).",
    ),
    "no namespace": (
        "name: w\nrobots: [{robot: arm, namespace: a}, {robot: arm}]",
        "robots[1].namespace; got ''; expected a namespace of its own for each robot of several; Name each one "
        "differently.",
    ),
    "namespace twice": (
        "name: w\nrobots: [{robot: arm, namespace: a}, {robot: arm, namespace: a}]",
        "robots[1].namespace; got 'a'; expected a namespace of its own for each robot of several; Name each one "
        "differently.",
    ),
    "bad namespace": (
        "name: w\nrobots: [{robot: arm, namespace: /a}]",
        "robots[0].namespace; got '/a'; expected a relative namespace such as left; Change the value of "
        "'robots[0].namespace'.",
    ),
    "rates": (
        "name: w\nrobots: [{robot: arm, namespace: a}, {robot: quick.yaml, namespace: b}]",
        "robots[1]: robots of different rates in one world; got 'arm' at 1000 and 50 Hz; expected physics_hz: 500, "
        "control_hz: 25 as 'arm'; Write robot files that extend these, with the same rates.",
    ),
    "a body named like a robot": (
        "name: w\nbodies: [{name: left, file: ball.urdf}]\nrobots: [{robot: arm, namespace: left}]",
        "bodies; got 'left'; expected every name once; Rename one 'left'.",
    ),
    "a body named world": (
        "name: w\nbodies: [{name: world, file: ball.urdf}]",
        "bodies; got 'world'; expected every name once; Rename one 'world'.",
    ),
    "a pose twice": (
        "name: w\nposes: [{name: p}, {name: p}]",
        "poses; got 'p'; expected every name once; Rename one 'p'.",
    ),
    "no mapping": ("[1, 2]", "not a world file; got list; expected a mapping with the keys name, robots, bodies, ..."),
    "aliases of aliases": (
        "a: &a ["
        + ", ".join("x" * 10)
        + "]\n"
        + "".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdef", "bcdefg", strict=True)
        ),
        "too large; got more; expected at most 100000 values, with aliases written out; Remove aliases.",
    ),
    "a list that holds itself": (
        "name: &a [*a]",
        "not readable; got found unconstructable recursive node in line 1, column 7; expected YAML; Correct the file "
        "at that place.",
    ),
    "a key that is a list": (
        "? [a]\n: b",
        "not readable; got found unhashable key in line 1, column 3; expected YAML; Correct the file at that place.",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusals(folder: Path, text: str, message: str) -> None:
    robots = ", ".join(robot_names())
    assert refusal(folder, text) == message.replace("{folder}", str(folder)).replace("{robots}", robots)


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(RobotFileError) as caught:
        load_world("tabel", "arm")
    assert str(caught.value) == (
        "no world file 'tabel'; expected one of empty, table, two_arms, or the path of a .yaml file; Did you mean "
        "'table'? Check the spelling, or write such a file (see CONTRIBUTING.md)."
    )


def test_a_scene_body_cannot_have_the_robots_name(folder: Path) -> None:
    path = folder / "robot.yaml"
    path.write_text("extends: arm\nscene: [{name: arm, file: ball.urdf}]\n")
    with pytest.raises(RobotFileError) as caught:
        load_robot(path)
    assert str(caught.value) == (
        f"{path}: name and scene; got 'arm'; expected every name once; Remove or rename the second 'arm'."
    )


# --- what is ignored when asked


def test_unknown_keys_are_left_out_when_asked(folder: Path) -> None:
    text = "name: w\nsky: blue\nbodies: [{name: b, file: ball.urdf, colour: red}]"
    world = load(folder, text, Tolerance(unknown_keys=True))
    assert [placed.body.name for placed in world.bodies] == ["b"]
    assert [note.split(";")[0] for note in world.left_out] == [
        f"{folder / 'world.yaml'}: bodies[0].colour: unknown key",
        f"{folder / 'world.yaml'}: sky: unknown key",
    ]


def test_missing_and_unsupported_files_are_left_out_when_asked(folder: Path) -> None:
    names = ["lost", "meshless", "strange", "ball"]
    text = "name: w\nbodies: [" + ", ".join(f"{{name: {name}, file: {name}.urdf}}" for name in names) + "]"
    world = load(folder, text, Tolerance(assets=True))
    assert [placed.body.name for placed in world.bodies] == ["ball"]
    assert [note.split(":")[1].strip() for note in world.left_out] == [f"bodies[{i}].file" for i in range(3)]
