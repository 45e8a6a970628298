"""What a viewer makes of a robot's description, joint states and transforms; no ROS, no browser."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ros_gym_bridge.config import load_robot, robot_names
from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.model import description
from ros_gym_bridge.sim.world import World
from ros_gym_bridge.world_file import world_of

pytest.importorskip("viser", reason="viser is not installed; make test installs it")

from ros_gym_bridge.view.description import Description, read_description
from ros_gym_bridge.view.frames import Frames, matrix, wxyz
from ros_gym_bridge.view.meshes import Mesh
from ros_gym_bridge.view.panel import can_be_commanded, fit, limits
from ros_gym_bridge.view.posture import Posture
from ros_gym_bridge.view.server import serve
from ros_gym_bridge.view.stage import Stage

LINKS = '<link name="base"/><link name="arm"/><link name="tip"/>'
JOINTS = """
<joint name="turn" type="continuous"><parent link="base"/><child link="arm"/><origin xyz="0 0 1"/><axis xyz="0 0 2"/>
</joint>
<joint name="slide" type="prismatic"><parent link="arm"/><child link="tip"/><limit lower="-1" upper="1"/></joint>
"""


def robot(inside: str = LINKS + JOINTS) -> Description:
    return read_description(f'<robot name="r">{inside}</robot>')


def at(pose: np.ndarray) -> list[float]:
    return [round(float(x), 9) for x in pose[:3, 3]]


# --- what is read


@pytest.mark.parametrize("name", robot_names())
def test_links_stand_where_the_simulator_has_them(name: str) -> None:
    """Forward kinematics of our own robots, joints turned out of home, against PyBullet."""
    file = load_robot(name)
    read = read_description(description(file.model))
    assert read.notes == ()
    world = World(world_of(file))
    (body,) = world.robots
    positions = file.spec.home + 0.1
    body.set_joints(positions.tolist(), [0.0] * len(positions))
    posture = Posture(read, Frames())
    posture.hear(body.movable_positions().keys(), body.movable_positions().values())
    base = matrix(*body.base_pose())
    for link, pose in posture.links(read.roots[0]).items():
        np.testing.assert_allclose(base @ pose, matrix(*body.link_pose(link)), atol=1e-6, err_msg=link)
    world.close()


def test_defaults_of_the_specification() -> None:
    """An axis of any length, no axis (x), no limit, no visuals."""
    read = robot()
    turn, slide = read.joints
    assert (turn.axis, slide.axis) == ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    assert (limits(turn), limits(slide)) == ((-math.pi, math.pi), (-1.0, 1.0))
    assert (read.links, read.roots, read.notes) == (("base", "arm", "tip"), ("base",), ())


def test_colours_of_materials_by_name_and_in_place() -> None:
    shape = '<geometry><box size="1 2 3"/></geometry>'
    read = robot(
        '<material name="red"><color rgba="1 0 0 0.5"/></material>'
        f'<link name="a"><visual>{shape}<material name="red"/></visual>'
        f'<visual>{shape}<material name=""><color rgba="0 1 0 1"/></material></visual><visual>{shape}</visual></link>'
    )
    colours = [visual.colour for visual in read.visuals["a"]]
    assert colours == [(1.0, 0.0, 0.0, 0.5), (0.0, 1.0, 0.0, 1.0), None]
    assert {visual.size for visual in read.visuals["a"]} == {(1.0, 2.0, 3.0)}


def test_collision_shapes_where_nothing_else_is_to_be_seen() -> None:
    read = robot('<link name="a"><collision><geometry><sphere radius="1"/></geometry></collision></link>')
    assert [visual.kind for visual in read.visuals["a"]] == ["sphere"]
    assert read.notes == ("no link has a <visual>: the collision shapes are shown",)


BROKEN = {
    "a shape nobody knows": (
        '<link name="a"><visual><geometry><cone/></geometry></visual></link>',
        "link 'a': a <visual> is left out: <cone> is no shape that is known here",
    ),
    "no shape": (
        '<link name="a"><visual/></link>',
        "link 'a': a <visual> is left out: no shape in it",
    ),
    "words for numbers": (
        '<link name="a"><visual><geometry><sphere radius="big"/></geometry></visual></link>',
        "link 'a': a <visual> is left out: <sphere radius> is 'big', not 1 finite number",
    ),
    "not finite": (
        '<link name="a"><visual><origin xyz="0 0 nan"/><geometry><box size="1 1 1"/></geometry></visual></link>',
        "link 'a': a <visual> is left out: <origin xyz> is '0 0 nan', not 3 finite numbers",
    ),
    "negative": (
        '<link name="a"><visual><geometry><box size="1 -1 1"/></geometry></visual></link>',
        "link 'a': a <visual> is left out: <box> of a negative size",
    ),
    "no such link": (
        '<link name="a"/><joint name="j" type="fixed"><parent link="a"/><child link="b"/></joint>',
        "joint 'j' is left out: there is no link 'b'",
    ),
    "no type": ('<link name="a"/><joint name="j"/>', "joint 'j' is left out: it lacks a name or a type"),
    "no direction": (
        LINKS + '<joint name="j" type="revolute"><parent link="base"/><child link="arm"/><axis xyz="0 0 0"/></joint>',
        "joint 'j' is left out: an axis of length 0",
    ),
    "two above": (
        LINKS + JOINTS + '<joint name="j" type="fixed"><parent link="base"/><child link="tip"/></joint>',
        "joint 'j' is left out: 'slide' holds its child",
    ),
    "a ring": (
        '<link name="a"/><link name="b"/><joint name="j" type="fixed"><parent link="b"/><child link="b"/></joint>',
        "link 'b' hangs in a ring of joints and is left out",
    ),
}


@pytest.mark.parametrize(("inside", "note"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_left_out_and_said(inside: str, note: str) -> None:
    read = robot(inside)
    assert read.notes == (note,)
    assert read.links, "the rest is there"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "<robot",
            "robot_description: not XML at line 1, column 1; got unclosed token; expected a model; Correct the file "
            "there.",
        ),
        ("<sdf/>", "robot_description: not a URDF; got <sdf>; expected <robot> outermost; Publish a URDF."),
        (
            '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><robot>&b;</robot>',
            "robot_description: a document type is declared; expected no <!DOCTYPE>, which can hide entities; Remove "
            "it, and write out what its entities say.",
        ),
    ],
    ids=["no XML", "SDF", "entities"],
)
def test_what_is_no_robot_is_refused(text: str, message: str) -> None:
    with pytest.raises(ModelError) as raised:
        read_description(text)
    assert str(raised.value) == message


# --- where the links are


def test_joints_by_name_in_any_order() -> None:
    """With joints that the robot lacks, numbers that are none, and arrays of different length."""
    posture = Posture(robot(), Frames())
    assert posture.hear(["other", "slide", "turn"], [9.0, 0.5, math.pi / 2])
    assert at(posture.links("base")["tip"]) == [0.0, 0.5, 1.0]
    assert not posture.hear(["slide", "turn", "other"], [math.nan, math.inf])
    assert not posture.hear(["turn"], [])
    assert at(posture.links("base")["tip"]) == [0.0, 0.5, 1.0]


def test_a_joint_that_mimics() -> None:
    follower = '<joint name="f" type="prismatic"><parent link="tip"/><child link="end"/><mimic joint="slide" '
    posture = Posture(
        robot(f'{LINKS}<link name="end"/>{JOINTS}{follower}multiplier="-2" offset="0.25"/></joint>'), Frames()
    )
    posture.hear(["slide"], [0.5])
    assert posture.position("f") == -0.75
    assert at(posture.links("base")["end"]) == [-0.25, 0.0, 1.0]
    posture.hear(["f"], [0.1])
    assert posture.position("f") == 0.1, "what it says itself counts more"


def test_joints_that_mimic_each_other_end() -> None:
    ring = "".join(
        f'<joint name="{a}" type="revolute"><parent link="base"/><child link="{link}"/><mimic joint="{b}"/></joint>'
        for a, b, link in (("p", "q", "arm"), ("q", "p", "tip"))
    )
    assert Posture(robot(LINKS + ring), Frames()).position("p") is None


def test_transforms_place_the_robot_and_the_joints_that_nobody_tells() -> None:
    frames = Frames()
    frames.set("/odom", "map", matrix((10, 0, 0)))
    frames.set("me/base", "odom", matrix((0, 1, 0), (0, 0, 1, 1)))  # a quarter turn, not normalized
    frames.set("me/arm", "me/base", matrix((0, 0, 3)))
    posture = Posture(robot(), frames, ["", "me/"])
    assert posture.fixed_frame() == "map"
    posture.hear(["slide"], [0.5])
    links = posture.links("map")
    assert at(links["base"]) == [10.0, 1.0, 0.0]
    assert at(links["arm"]) == [10.0, 1.0, 3.0]
    assert at(links["tip"]) == [10.0, 1.5, 3.0]
    posture.hear(["turn"], [0.0])
    assert at(posture.links("map")["arm"]) == [10.0, 1.0, 1.0], "joint states are preferred"


def test_frames_of_sensors() -> None:
    frames = Frames()
    posture = Posture(robot(), frames)
    frames.set("laser", "tip", matrix((0, 0, 0.1)))
    links = posture.links("base")
    assert at(posture.place("/tip", "base", links)) == [0.0, 0.0, 1.0]
    assert at(posture.place("laser", "base", links)) == [0.0, 0.0, 1.1], "though nobody publishes the links"
    assert posture.place("elsewhere", "base", links) is None
    frames.set("base", "world", matrix((1, 0, 0)))
    assert at(posture.place("laser", "world", posture.links("world"))) == [1.0, 0.0, 1.1]
    assert at(posture.place("world", "world", {})) == [0.0, 0.0, 0.0]
    assert posture.connected("world")
    assert not posture.connected("map")


def test_a_ring_of_transforms_ends() -> None:
    frames = Frames()
    frames.set("a", "b", matrix((1, 0, 0)))
    frames.set("b", "a", matrix((1, 0, 0)))
    frames.set("c", "c", matrix((1, 0, 0)))
    assert frames.pose("a", "world") is None
    assert frames.top("c") == "c"


def test_poses_that_are_none() -> None:
    with pytest.raises(ValueError, match=r"^not a pose: position \(0, 0, 0\), quaternion \(0, 0, 0, 0\)$"):
        matrix((0, 0, 0), (0, 0, 0, 0))
    with pytest.raises(ValueError, match=r"^not a pose"):
        matrix((0, math.inf, 0))


def test_quaternions_there_and_back() -> None:
    random = np.random.default_rng(1)
    halves = [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0.5, -0.5, 0.5, -0.5)]
    for x, y, z, w in [*halves, *random.normal(size=(50, 4)).tolist()]:
        pose = matrix((0, 0, 0), (x, y, z, w))
        back_w, *back = wxyz(pose)
        np.testing.assert_allclose(matrix((0, 0, 0), (*back, back_w)), pose, atol=1e-12)
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)


# --- sliders


def test_sliders_stay_within_their_ends() -> None:
    turn, slide = robot().joints
    assert fit(turn, 3 * math.pi / 2) == pytest.approx(-math.pi / 2)
    assert (fit(slide, 7.0), fit(slide, -7.0), fit(slide, 0.25)) == (1.0, -1.0, 0.25)


def test_only_joints_that_can_move_get_a_slider() -> None:
    kinds = ("fixed", "floating", "planar", "revolute", "prismatic", "continuous")
    links = "".join(f'<link name="{kind}"/>' for kind in kinds)
    joints = "".join(
        f'<joint name="j_{kind}" type="{kind}"><parent link="base"/><child link="{kind}"/>'
        f"{'<limit/>' if kind == 'revolute' else ''}</joint>"
        for kind in kinds
    )
    able = [joint.name for joint in robot(f'<link name="base"/>{links}{joints}').joints if can_be_commanded(joint)]
    assert able == ["j_prismatic", "j_continuous"], "limits that leave no room: no slider"


# --- the stage


def test_another_robot_takes_the_place_of_the_first() -> None:
    shape = "<visual><geometry><{}/></geometry></visual>"
    box, mesh = shape.format('box size="1 1 1"'), shape.format('mesh filename="file:///nowhere.stl"')
    server = serve("127.0.0.1", 0)
    stage = Stage(server)
    assert list(stage.robot(robot(f'<link name="a">{box}{box}</link><link name="b">{box}</link>'))) == ["", "", ""]
    stage.pose({"a": matrix((1, 0, 0)), "b": matrix((0, 0, 0))})
    stage.look()
    assert server.initial_camera.look_at.tolist() == [0.5, 0.0, 0.0]
    names = [f"/robot/{name}" for name in ("0", "0/0", "0/1", "1", "1/0")]
    assert all(server.scene.get_handle_by_name(name) for name in names)
    (lost,) = stage.robot(robot(f'<link name="c">{mesh}</link>'))
    assert lost.startswith("link 'c': 'file:///nowhere.stl' was not found; ")
    assert [name for name in names if server.scene.get_handle_by_name(name)] == ["/robot/0"]
    server.stop()


# --- meshes

OBJ = "{}v 0 0 0\nv 1 0 0\nv 0 2 0\n{}f 1 2 3\n"


def glb_colours(data: bytes) -> list[list[float]]:
    """The base colours of a binary glTF's materials."""
    import json

    size = int.from_bytes(data[12:16], "little")
    materials = json.loads(data[20 : 20 + size])["materials"]
    return [material["pbrMetallicRoughness"]["baseColorFactor"] for material in materials]


def test_a_mesh_without_colours_gets_the_description_s(tmp_path: Path) -> None:
    path = tmp_path / "a b.obj"
    path.write_text(OBJ.format("", ""))
    mesh = Mesh(path.as_uri())
    assert mesh.corners.tolist() == [[0, 0, 0], [1, 2, 0]]
    (colour,) = glb_colours(mesh.glb((1.0, 0.0, 0.0, 1.0)))
    assert colour == [1.0, 0.0, 0.0, 1.0]


def test_a_mesh_with_colours_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "a.mtl").write_text("newmtl blue\nKd 0 0 1\n")
    (tmp_path / "a.obj").write_text(OBJ.format("mtllib a.mtl\n", "usemtl blue\n"))
    ((red, _, blue, _),) = glb_colours(Mesh((tmp_path / "a.obj").as_uri()).glb((1.0, 0.0, 0.0, 1.0)))
    assert red < 0.1 < 0.9 < blue


def test_meshes_in_other_units(tmp_path: Path) -> None:
    """A COLLADA file says how long its unit is."""
    import trimesh

    exported = trimesh.exchange.dae.export_collada(trimesh.creation.box((100, 100, 100)))
    text = exported.decode() if isinstance(exported, bytes) else exported
    path = tmp_path / "box.dae"
    path.write_text(text.replace("<asset>", '<asset><unit name="cm" meter="0.01"/>', 1))
    assert Mesh(path.as_uri()).corners.tolist() == [[-0.5] * 3, [0.5] * 3]


def test_packages_are_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "share" / "some_robot").mkdir(parents=True)
    (tmp_path / "share" / "some_robot" / "a.obj").write_text(OBJ.format("", ""))
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert Mesh("package://some_robot/a.obj").corners.tolist() == [[0, 0, 0], [1, 2, 0]]


def test_meshes_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    (tmp_path / "bad.stl").write_bytes(b"solid nonsense")
    (tmp_path / "cut.glb").write_bytes(b"glTF")
    (tmp_path / "empty.obj").write_text("# nothing\n")
    (tmp_path / "notes.txt").write_text("words")
    refused = {
        "package://nowhere/a.stl": f"'package://nowhere/a.stl' was not found; expected a file 'a.stl' under "
        f"{tmp_path}/share/nowhere; Install 'nowhere', or source the workspace that holds it.",
        "package://p/../../a.stl": "'package://p/../../a.stl' leaves its package; got ../../a.stl; expected a path "
        "below it; Remove the '..'.",
        "http://x/a.stl": "unknown scheme in 'http://x/a.stl'; got http://; expected a path, package://PACKAGE/PATH, "
        "pybullet_data://PATH or file:///PATH; Correct the URI.",
        f"file://{tmp_path}/bad.stl": f"{tmp_path}/bad.stl holds no mesh; expected triangles; Open it in a mesh v",
        f"file://{tmp_path}/cut.glb": f"{tmp_path}/cut.glb cannot be read as a mesh; got ",
        f"file://{tmp_path}/empty.obj": f"{tmp_path}/empty.obj ",
        f"file://{tmp_path}/notes.txt": f"{tmp_path}/notes.txt cannot be read as a mesh; got ",
    }
    for name, message in refused.items():
        with pytest.raises(ModelError) as raised:
            Mesh(name)
        assert str(raised.value).startswith(message)
