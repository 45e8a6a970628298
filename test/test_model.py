"""Reading URDFs: what is accepted, what is refused and in which words, and where files are found."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ros_gym_bridge.description import with_full_names
from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.model import Mimic, RobotModel, description, read_model, resolve_uri

SOUND = """<?xml version="1.0"?>
<robot name="sound">
  <material name="grey"><color rgba="0.5 0.5 0.5 1"/></material>
  <link name="base"/>
  <joint name="slide" type="prismatic">
    <origin xyz="1 2 3" rpy="0.1 0.2 0.3"/>
    <parent link="base"/>
    <child link="cart"/>
    <axis xyz="0 1 0"/>
    <limit lower="-1.5" upper="2.5" velocity="3" effort="40"/>
    <dynamics damping="0.1"/>
  </joint>
  <link name="cart">
    <inertial>
      <origin xyz="0 0 0.1"/>
      <mass value="2"/>
      <inertia ixx="0.1" ixy="0" ixz="0" iyy="0.2" iyz="0" izz="0.3"/>
    </inertial>
    <visual>
      <geometry><box size="1 2 3"/></geometry>
      <material name="grey"/>
    </visual>
    <collision><geometry><sphere radius="0.5"/></geometry></collision>
    <contact><lateral_friction value="0.8"/></contact>
  </link>
  <joint name="turn" type="continuous">
    <parent link="cart"/>
    <child link="tip"/>
    <axis xyz="0 0 -1"/>
    <mimic joint="slide" multiplier="-2" offset="0.5"/>
  </joint>
  <link name="tip"/>
  <joint name="bolt" type="fixed">
    <parent link="base"/>
    <child link="foot"/>
  </joint>
  <link name="foot"/>
</robot>
"""


def model(text: str, folder: Path) -> RobotModel:
    path = folder / "robot.urdf"
    path.write_text(text, encoding="utf-8")
    return read_model(path)


def refusal(text: str, folder: Path) -> str:
    """The message, without the path with which it starts."""
    with pytest.raises(ModelError) as caught:
        model(text, folder)
    start = f"{folder / 'robot.urdf'}: "
    assert str(caught.value).startswith(start)
    return str(caught.value).removeprefix(start)


def test_reads_links_joints_and_root(tmp_path: Path) -> None:
    robot = model(SOUND, tmp_path)
    assert (robot.path, robot.text, robot.name, robot.root) == (tmp_path / "robot.urdf", SOUND, "sound", "base")
    assert robot.links == ("base", "cart", "tip", "foot")
    assert [joint.name for joint in robot.joints] == ["slide", "turn", "bolt"]
    assert [joint.name for joint in robot.movable] == ["slide", "turn"]


def test_reads_every_value_of_a_joint(tmp_path: Path) -> None:
    slide = model(SOUND, tmp_path).joint("slide")
    assert (slide.type, slide.parent, slide.child) == ("prismatic", "base", "cart")
    assert (slide.xyz, slide.rpy, slide.axis) == ((1.0, 2.0, 3.0), (0.1, 0.2, 0.3), (0.0, 1.0, 0.0))
    assert (slide.lower, slide.upper, slide.velocity, slide.effort) == (-1.5, 2.5, 3.0, 40.0)
    assert slide.mimic is None


def test_a_continuous_joint_has_no_end_and_what_is_not_stated_has_no_limit(tmp_path: Path) -> None:
    turn = model(SOUND, tmp_path).joint("turn")
    assert (turn.lower, turn.upper, turn.velocity, turn.effort) == (-math.inf, math.inf, math.inf, math.inf)
    assert turn.mimic == Mimic("slide", -2.0, 0.5)


def test_a_continuous_joint_keeps_its_velocity_and_effort_but_no_range(tmp_path: Path) -> None:
    text = SOUND.replace(
        '<mimic joint="slide"', '<limit lower="1" upper="2" velocity="3" effort="4"/><mimic joint="slide"'
    )
    turn = model(text, tmp_path).joint("turn")
    assert (turn.lower, turn.upper, turn.velocity, turn.effort) == (-math.inf, math.inf, 3.0, 4.0)


def test_a_fixed_joint_does_not_move(tmp_path: Path) -> None:
    bolt = model(SOUND, tmp_path).joint("bolt")
    assert (bolt.xyz, bolt.rpy) == ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    assert (bolt.lower, bolt.upper, bolt.velocity, bolt.effort) == (0.0, 0.0, 0.0, 0.0)


def test_an_axis_written_with_few_digits_becomes_a_unit_vector(tmp_path: Path) -> None:
    axis = model(SOUND.replace("0 1 0", "0.7071 0 -0.7071"), tmp_path).joint("slide").axis
    assert axis == pytest.approx((math.sqrt(0.5), 0, -math.sqrt(0.5)), abs=1e-15)


def test_chain_runs_from_the_root_to_the_tip(tmp_path: Path) -> None:
    robot = model(SOUND, tmp_path)
    assert [joint.name for joint in robot.chain("tip")] == ["slide", "turn"]
    assert [joint.name for joint in robot.chain("foot")] == ["bolt"]
    assert robot.chain("base") == ()


def test_order_in_the_file_does_not_matter_for_the_chain(tmp_path: Path) -> None:
    element = ElementTree.fromstring(SOUND)
    element[:] = reversed(element)
    robot = model(ElementTree.tostring(element, encoding="unicode"), tmp_path)
    assert robot.links == ("foot", "tip", "cart", "base")
    assert robot.root == "base"
    assert [joint.name for joint in robot.chain("tip")] == ["slide", "turn"]


def test_unknown_link_and_joint(tmp_path: Path) -> None:
    robot = model(SOUND, tmp_path)
    with pytest.raises(ModelError) as link:
        robot.chain("tipp")
    with pytest.raises(ModelError) as joint:
        robot.joint("wrist")
    path = tmp_path / "robot.urdf"
    assert str(link.value) == (
        f"{path}: no such link; got 'tipp'; expected one of base, cart, tip, foot; Perhaps 'tip' is meant."
    )
    assert str(joint.value) == (
        f"{path}: no such joint; got 'wrist'; expected one of slide, turn, bolt; "
        "Correct the name, or add it to the URDF."
    )


LINKS = "one of base, cart, tip, foot"
TYPES = "one of revolute, continuous, prismatic, fixed"
SHAPES = "<geometry> with one of box, sphere, cylinder, capsule, mesh, plane"
THREE = "3 finite numbers separated by spaces"
LIMIT = '<limit lower="..." upper="..." velocity="..." effort="..."/>'


# what is replaced in SOUND, by what; then the message: what and with which value, expected, remedy
# fmt: off
CASES = [
    # the file
    ("</robot>", "", "not XML at line 39, column 1; got no element found", "a model", "Correct the file there"),
    ('name="tip"/>', 'name="tip" name="x"/>',
     "not XML at line 32, column 20; got duplicate attribute", "a model", "Correct the file there"),
    ("<robot", "<!DOCTYPE robot [<!ENTITY a 'b'>]>\n<robot",
     "a document type is declared", "no <!DOCTYPE>, which can hide entities",
     "Remove it, and write out what its entities say"),
    ('<link name="foot"/>', f'<link name="{"f" * 900}"/><x y="{"y" * 8000}"/>',
     "line 47 is too long for PyBullet, which would cut it in two; got 8012 bytes", "at most 8000",
     "Shorten the text of its element"),
    ('<link name="foot"/>', '<link name="foot"/>' + "<x>" * 100 + "</x>" * 100,
     "too many levels of elements", "at most 90", "Simplify the model"),
    # names
    ('<link name="tip"/>', "<link/>",
     "a link without a usable name; got none", "1 to 1000 bytes", 'Write <link name="...">'),
    ('<joint name="turn"', f'<joint name="{"ö" * 501}"',
     "a joint without a usable name; got 1002 bytes", "1 to 1000 bytes", 'Write <joint name="...">'),
    ('<material name="grey"><', "<material><",
     "a material without a usable name; got none", "1 to 1000 bytes", 'Write <material name="...">'),
    ('<link name="foot"/>', '<link name="foot"/><link name="cart"/>',
     "two links are named 'cart'", "every name once", "Rename or remove one of them"),
    ('<joint name="turn"', '<joint name="slide"',
     "two joints are named 'slide'", "every name once", "Rename or remove one of them"),
    # the tree
    ('<link name="foot"/>', '<link name="foot"/><link name="loose"/>',
     "several root links; got base, loose", "one link that is no joint's child",
     "Join the others to 'base' by fixed joints"),
    ('<parent link="base"/>\n    <child link="cart"/>', '<parent link="tip"/>\n    <child link="cart"/>',
     "links form a cycle; got 'cart' below 'tip' below 'cart'", "a tree", "Remove one of their joints"),
    ('<parent link="base"/>\n    <child link="foot"/>', '<parent link="tip"/>\n    <child link="base"/>',
     "links form a cycle; got 'base' below 'tip' below 'cart' below 'base'", "a tree", "Remove one of their joints"),
    ('<child link="foot"/>', '<child link="cart"/>',
     "link 'cart' is the child of two joints; got 'slide' and 'bolt'", "a tree",
     "Let one of the joints lead to another link"),
    ('<parent link="cart"/>', '<parent link="card"/>',
     "joint 'turn': unknown parent link; got 'card'", LINKS, "Correct the name, or add the link"),
    ('<child link="tip"/>', '<child link="tap"/>',
     "joint 'turn': unknown child link; got 'tap'", LINKS, "Correct the name, or add the link"),
    ('<parent link="cart"/>', "", "joint 'turn' has no parent", '<parent link="..."/>', "Add it"),
    ('<child link="tip"/>', "<child/>", "joint 'turn' has no child", '<child link="..."/>', "Add it"),
    # joints
    ('"continuous"', '"floating"',
     "joint 'turn' is of an unsupported type; got 'floating'", TYPES,
     "Remove it, let its child be the root, and write fixed_base: false in the robot file"),
    ('"continuous"', '"planar"',
     "joint 'turn' is of an unsupported type; got 'planar'", TYPES,
     "Use two prismatic joints and a continuous one, with links between them"),
    ('"continuous"', '"spherical"',
     "joint 'turn' is of an unsupported type; got 'spherical'", TYPES,
     "Use three revolute joints with axes across each other, with links between them"),
    (' type="continuous"', "",
     "joint 'turn' is of an unsupported type; got ''", TYPES, "Use one of these types"),
    ('<axis xyz="0 1 0"/>', "<axis/>", "joint 'slide': <axis xyz> is missing", THREE, "Add the attribute"),
    ("0 1 0", "0 0 0",
     "joint 'slide' has no axis; got 0 0 0", "a direction", "Write a unit vector, such as 0 0 1"),
    ('<limit lower="-1.5" upper="2.5" velocity="3" effort="40"/>', "",
     "joint 'slide' is prismatic and has no limit", LIMIT, "Add it"),
    ('"continuous"', '"revolute"',
     "joint 'turn' is revolute and has no limit", LIMIT, "Add it, or make the joint continuous"),
    ('lower="-1.5"', 'lower="2.6"',
     "joint 'slide': empty range; got lower 2.6, upper 2.5", "lower <= upper",
     "Swap them, or write wide ones if it has no end"),
    ('velocity="3"', 'velocity="-3"',
     "joint 'slide': <limit velocity> is not right; got '-3'", "a finite number, 0 or more", "Correct the value"),
    ('<mimic joint="slide"', '<mimic joint="slid"',
     "joint 'turn' mimics no other joint; got 'slid'", "the name of another joint",
     "Correct the name, or remove <mimic>"),
    ('<mimic joint="slide"', '<mimic joint="turn"',
     "joint 'turn' mimics no other joint; got 'turn'", "the name of another joint",
     "Correct the name, or remove <mimic>"),
    # numbers
    ("1 2 3", "1 2", "joint 'slide': <origin xyz> is not right; got '1 2'", THREE, "Correct the value"),
    ("0.1 0.2 0.3", "0.1 nan 0.3",
     "joint 'slide': <origin rpy> is not right; got '0.1 nan 0.3'", THREE, "Correct the value"),
    ("0.1 0.2 0.3", "0.1 1e999 0.3",
     "joint 'slide': <origin rpy> is not right; got '0.1 1e999 0.3'", THREE, "Correct the value"),
    ('upper="2.5"', 'upper="inf"',
     "joint 'slide': <limit upper> is not right; got 'inf'", "a finite number", "Correct the value"),
    ('upper="2.5"', 'upper="1_0"',
     "joint 'slide': <limit upper> is not right; got '1_0'", "a finite number", "Correct the value"),
    ('upper="2.5"', 'upper="٢"',
     "joint 'slide': <limit upper> is not right; got '٢'", "a finite number", "Correct the value"),
    ('damping="0.1"', 'damping="x"',
     "joint 'slide': <dynamics damping> is not right; got 'x'", "a finite number, 0 or more", "Correct the value"),
    ('multiplier="-2"', 'multiplier=""',
     "joint 'turn': <mimic multiplier> is not right; got ''", "a finite number", "Correct the value"),
    # links
    ('<mass value="2"/>', '<mass value="-2"/>',
     "link 'cart': <mass value> is not right; got '-2'", "a finite number, 0 or more", "Correct the value"),
    ('<mass value="2"/>', "<mass>2</mass>",
     "link 'cart': <mass value> is missing", "a finite number, 0 or more", "Add the attribute"),
    ('<mass value="2"/>', "",
     "link 'cart': <inertial> without <mass>", "<mass> and <inertia>", "Add it, or leave <inertial> out"),
    ('<inertia ixx="0.1" ixy="0" ixz="0" iyy="0.2" iyz="0" izz="0.3"/>', "",
     "link 'cart': <inertial> without <inertia>", "<mass> and <inertia>", "Add it, or leave <inertial> out"),
    ('ixy="0"', 'ixy="1"',
     "link 'cart': impossible <inertia>; got principal moments -0.851249, 0.3, 1.15125",
     "principal moments of 0 or more", "Correct the signs or the products of inertia"),
    ('<geometry><box size="1 2 3"/></geometry>', "",
     "link 'cart': <visual> without a shape; got nothing", SHAPES, "Add one"),
    ('<sphere radius="0.5"/>', "", "link 'cart': <collision> without a shape; got nothing", SHAPES, "Add one"),
    ('<sphere radius="0.5"/>', "<torus/>", "link 'cart': <collision> without a shape; got <torus>", SHAPES, "Add one"),
    ('<sphere radius="0.5"/>', "<sphere/>",
     "link 'cart': <sphere radius> is missing", "a finite number, 0 or more", "Add the attribute"),
    ('<sphere radius="0.5"/>', '<cylinder radius="1" length="-1"/>',
     "link 'cart': <cylinder length> is not right; got '-1'", "a finite number, 0 or more", "Correct the value"),
    ('size="1 2 3"', 'size="1 2"',
     "link 'cart': <box size> is not right; got '1 2'", f"{THREE}, 0 or more", "Correct the value"),
    ("0.5 0.5 0.5 1", "0.5 0.5 0.5",
     "material 'grey': <color rgba> is not right; got '0.5 0.5 0.5'",
     "4 finite numbers separated by spaces, 0 or more", "Correct the value"),
    ('value="0.8"', "",
     "link 'cart': <lateral_friction value> is missing", "a finite number, 0 or more", "Add the attribute"),
    ('<sphere radius="0.5"/>', "<mesh/>",
     "link 'cart': <mesh> names no file of a known kind; got ''", "a name ending in .dae, .obj, .stl",
     "Convert it, or correct the name"),
    ('<sphere radius="0.5"/>', '<mesh filename="a.glb"/>',
     "link 'cart': <mesh> names no file of a known kind; got 'a.glb'", "a name ending in .dae, .obj, .stl",
     "Convert it, or correct the name"),
    ('<material name="grey"/>', '<material name="m"><texture/></material>',
     "link 'cart': <texture> names no file of a known kind; got ''", "a name", "Convert it, or correct the name"),
]
# fmt: on


@pytest.mark.parametrize(("old", "new", "what", "expected", "remedy"), CASES)
def test_refusals(old: str, new: str, what: str, expected: str, remedy: str, tmp_path: Path) -> None:
    assert old in SOUND
    assert refusal(SOUND.replace(old, new, 1), tmp_path) == f"{what}; expected {expected}; {remedy}."


def test_refuses_what_is_not_a_robot(tmp_path: Path) -> None:
    assert refusal("hello", tmp_path) == (
        "not XML at line 1, column 1; got syntax error; expected a model; Correct the file there."
    )
    assert refusal("", tmp_path) == (
        "not XML at line 1, column 1; got no element found; expected a model; Correct the file there."
    )
    assert refusal("<html/>", tmp_path) == (
        "no model in a known format; got <html>; expected <robot>, <sdf> or <mujoco> outermost; "
        "Name a URDF, a xacro, an SDF or an MJCF file."
    )
    assert refusal('<robot name="r"/>', tmp_path) == (
        "no links; expected <link> elements directly below <robot>; Add at least one link."
    )


def test_refuses_more_joints_than_pybullet_can_tell(tmp_path: Path) -> None:
    def chain(count: int) -> str:
        joint = (
            '<joint name="j{1}" type="fixed"><parent link="l{0}"/><child link="l{1}"/></joint>\n<link name="l{1}"/>\n'
        )
        parts = "".join(joint.format(i, i + 1) for i in range(count))
        return f'<robot name="long"><link name="l0"/>\n{parts}</robot>'

    assert len(model(chain(127), tmp_path).chain("l127")) == 127
    assert refusal(chain(128), tmp_path) == (
        "too many joints for PyBullet; got 128; expected at most 127; Simplify the model."
    )


def test_refuses_a_missing_file_and_one_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "none.urdf"
    with pytest.raises(ModelError) as missing:
        read_model(path)
    assert str(missing.value) == (
        f"{path}: cannot be read; got [Errno 2] No such file or directory: '{path}'; expected a model in UTF-8; "
        "Correct the path, or save the file as UTF-8."
    )
    path.write_bytes('<robot name="ö"/>'.encode("latin-1"))
    with pytest.raises(ModelError) as latin:
        read_model(path)
    assert str(latin.value) == (
        f"{path}: cannot be read; got 'utf-8' codec can't decode byte 0xf6 in position 13: invalid start byte; "
        "expected a model in UTF-8; Correct the path, or save the file as UTF-8."
    )


def test_comments_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    text = "\ufeff" + SOUND.replace("<link", '<!-- xyz="1\n2 3" <mesh filename="none.obj"/> -->\n<link', 1)
    assert model(text, tmp_path).links == ("base", "cart", "tip", "foot")


def searched(path: Path, folder: Path) -> str:
    """Every folder from the URDF's up."""
    return f"a file '{path}' under " + ", ".join(map(str, [folder, *folder.parents]))


REMEDY = "Put the file there, correct its name, or source the ROS 2 workspace of its package."


@pytest.mark.parametrize("element", ["mesh", "texture"])
def test_refuses_a_missing_and_an_empty_file(element: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    mesh = SOUND.replace('<sphere radius="0.5"/>', '<mesh filename="parts/a.stl"/>')
    texture = SOUND.replace(
        '<material name="grey"/>', '<material name="m"><texture filename="parts/a.stl"/></material>'
    )
    text = {"mesh": mesh, "texture": texture}[element]
    expected = searched(Path("parts/a.stl"), tmp_path)
    assert refusal(text, tmp_path) == (
        f"link 'cart': the file of its <{element}>, 'parts/a.stl', was not found; expected {expected}; {REMEDY}"
    )
    (tmp_path / "parts").mkdir()
    file = tmp_path / "parts" / "a.stl"
    file.touch()
    assert refusal(text, tmp_path) == f"link 'cart': {file} is empty; expected a {element}; Get the file again."
    file.write_text("solid")
    assert model(text, tmp_path).links == ("base", "cart", "tip", "foot")


def test_description_names_files_in_full_and_keeps_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    (folder / "meshes").mkdir(parents=True)
    mesh, picture = folder / "meshes" / "x&y.obj", folder / "t.png"
    mesh.write_text("v 0 0 0\n")
    picture.write_text("x")
    comment, plugin = "<!-- <mesh filename='t.png'/> -->", '<gazebo><mesh filename="other.obj"/></gazebo>'
    text = (
        SOUND.replace('<sphere radius="0.5"/>', "<mesh scale='1 1 1'\n filename='package://meshes/x&amp;y.obj' />")
        .replace('<material name="grey"/>', '<material name="m"><texture filename="t.png"/></material>')
        .replace("</robot>", f"  {comment}\n  {plugin}\n</robot>")
    )
    robot = model(text, folder)
    told = description(robot)
    expected = text.replace("'package://meshes/x&amp;y.obj'", f'"{mesh.as_uri()}"').replace(
        '"t.png"', f'"{picture.as_uri()}"'
    )
    assert told == expected
    assert "%20" in told
    found = {element.get("filename") for element in ElementTree.fromstring(told).iter("mesh")}
    assert found == {mesh.as_uri(), "other.obj"}
    plain = ElementTree.fromstring(with_full_names(robot, str))
    assert {element.get("filename") for element in plain.iter("mesh")} == {str(mesh), "other.obj"}


def test_description_of_the_panda_names_existing_files() -> None:
    robot = read_model(resolve_uri("pybullet_data://franka_panda/panda.urdf", Path("/")))
    files = [element.attrib["filename"] for element in ElementTree.fromstring(description(robot)).iter("mesh")]
    assert len(files) == robot.text.count("<mesh ") > 10
    for uri in files:
        assert resolve_uri(uri, Path("/")).is_file()


def test_description_of_a_robot_without_files_is_its_text(tmp_path: Path) -> None:
    robot = model(SOUND, tmp_path)
    assert description(robot) == SOUND


def test_description_of_a_capsule_is_in_words_that_ros_knows(tmp_path: Path) -> None:
    text = SOUND.replace(
        '<collision><geometry><sphere radius="0.5"/>',
        '<collision><origin xyz="1 0 0" rpy="0 1.5707963267948966 0"/><geometry><capsule radius="0.5" length="2"/>',
    )
    robot = model(text, tmp_path)
    link = next(each for each in ElementTree.fromstring(description(robot)) if each.get("name") == "cart")
    shapes = [(part.find("origin"), part.find("geometry/*")) for part in link.findall("collision")]
    told = [(shape.tag, shape.attrib) for _, shape in shapes if shape is not None]
    ball = ("sphere", {"radius": "0.5"})
    assert told == [("cylinder", {"radius": "0.5", "length": "2"}), ball, ball]
    places = [[float(x) for x in origin.attrib["xyz"].split()] for origin, _ in shapes if origin is not None]
    assert places == [pytest.approx(place) for place in ([1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0])]
    assert "capsule" in with_full_names(robot, str), "PyBullet knows it"
    assert "capsule" not in description(robot)
