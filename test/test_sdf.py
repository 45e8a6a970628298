"""SDF as URDF: poses and axes by the rules of the format's versions, and what cannot be said in URDF."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.pose import Pose, at, from_rpy
from ros_gym_bridge.formats.result import Converted, Source
from ros_gym_bridge.formats.sdf import convert
from ros_gym_bridge.model import RobotModel, model_from_text

LINK = (
    "<link name='{0}'><pose>{1}</pose><inertial><mass>2</mass><inertia><ixx>1</ixx><iyy>2</iyy><izz>3</izz></inertia>"
    "</inertial></link>"
)
JOINT = (
    "<joint name='j' type='{kind}'>{pose}<parent>{parent}</parent><child>b</child>"
    "<axis><xyz{expressed}>{xyz}</xyz><limit>{limit}</limit>{more}</axis></joint>"
)


def sdf(*parts: str, version: str = "1.9", model: str = "") -> str:
    return f"<sdf version='{version}'><model name='m'>{model}{''.join(parts)}</model></sdf>"


def joint(kind: str = "revolute", parent: str = "a", xyz: str = "0 0 1", **more: str) -> str:
    empty = dict.fromkeys(("pose", "expressed", "limit", "more"), "")
    return JOINT.format(**{**empty, "kind": kind, "parent": parent, "xyz": xyz, **more})


A, B = LINK.format("a", "0 0 0 0 0 0"), LINK.format("b", "1 2 3 0 0 1.5707963267948966")


def converted(text: str) -> Converted:
    return convert(Source(text, "m.sdf", None, "sdf"))


def model(text: str) -> RobotModel:
    return model_from_text(converted(text).urdf)


def refused(text: str) -> str:
    with pytest.raises(ModelError) as caught:
        converted(text)
    return str(caught.value)


def notes(text: str) -> list[str]:
    return [str(note) for note in converted(text).notes]


def test_a_link_stands_where_its_pose_says() -> None:
    robot = model(sdf(A, B, joint()))
    (only,) = robot.joints
    assert (only.name, only.type, only.parent, only.child) == ("j", "continuous", "a", "b")
    assert (only.xyz, only.rpy, only.axis) == ((1.0, 2.0, 3.0), pytest.approx((0, 0, math.pi / 2)), (0.0, 0.0, 1.0))


@pytest.mark.parametrize(
    ("pose", "expected"),
    [
        ("<pose relative_to='a'>0 0 1 0 0 0</pose>", (0.0, 0.0, 1.0)),
        ("<pose relative_to='f'>0 0 1 0 0 0</pose>", (1.0, 0.0, 5.0)),
        ("<pose relative_to='g'>0 0 0 0 0 0</pose>", (1.0, 1.0, 4.0)),
        ("<pose relative_to='__model__'>0 3 0 0 0 0</pose>", (0.0, 3.0, 0.0)),
        ("<pose degrees='true'>1 0 0 90 0 0</pose>", (1.0, 0.0, 0.0)),
        ("<pose rotation_format='quat_xyzw'>1 0 0 1 0 0 1</pose>", (1.0, 0.0, 0.0)),
        ("<pose/>", (0.0, 0.0, 0.0)),
    ],
)
def test_poses_may_be_relative_to_any_frame(pose: str, expected: tuple[float, ...]) -> None:
    frames = (
        "<frame name='f'><pose relative_to='a'>1 0 4 0 0 0</pose></frame>"
        "<frame name='g' attached_to='f'><pose>0 1 0 0 0 0</pose></frame>"
    )
    robot = model(sdf(A, f"<link name='b'>{pose}</link>", frames, joint("fixed")))
    assert robot.joint("j").xyz == pytest.approx(expected)
    if "90" in pose or "quat" in pose:
        assert robot.joint("j").rpy == pytest.approx((math.pi / 2, 0.0, 0.0))


def test_a_joint_may_lead_to_a_frame() -> None:
    text = sdf(A, B, "<frame name='f' attached_to='b'/>", joint("fixed").replace("<child>b", "<child>f"))
    assert model(text).joint("j").child == "b"


@pytest.mark.parametrize(
    ("more", "version", "axis"),
    [
        ({}, "1.9", (1.0, 0.0, 0.0)),  # in the joint's frame, which is the child's
        ({"expressed": " expressed_in='__model__'"}, "1.9", (0.0, -1.0, 0.0)),
        ({"expressed": " expressed_in='a'"}, "1.9", (0.0, -1.0, 0.0)),
        ({"more": "<use_parent_model_frame>1</use_parent_model_frame>"}, "1.6", (0.0, -1.0, 0.0)),
        ({}, "1.4", (0.0, -1.0, 0.0)),  # once it was the model's
    ],
)
def test_an_axis_is_read_in_its_frame(more: dict[str, str], version: str, axis: tuple[float, ...]) -> None:
    robot = model(sdf(A, B, joint(xyz="2 0 0", **more), version=version))
    assert robot.joint("j").axis == pytest.approx(axis, abs=1e-12)


def test_a_joint_off_the_axis_of_its_link_moves_the_links_frame() -> None:
    """The joint is 1 m from b's origin along b's x; b's centre of mass stays where it was, as seen from the joint."""
    text = sdf(A, B, joint(pose="<pose>1 0 5 0 0 0</pose>"))
    robot = model(text)
    assert robot.joint("j").xyz == pytest.approx((1.0, 3.0, 3.0))
    assert 'xyz="-1.0' in robot.text.partition('name="b"')[2].partition("<mass")[0]


def test_a_slide_needs_no_frame_of_its_own() -> None:
    limit = "<upper>2</upper><lower>-1</lower>"
    robot = model(sdf(A, B, joint("prismatic", pose="<pose>1 0 5 0 0 0</pose>", limit=limit)))
    assert robot.joint("j").xyz == (1.0, 2.0, 3.0)
    assert (robot.joint("j").lower, robot.joint("j").upper) == (-1.0, 2.0)


def test_limits_and_dynamics() -> None:
    limit = "<lower>-1</lower><upper>2</upper><effort>30</effort><velocity>4</velocity>"
    more = "<dynamics><damping>0.5</damping><friction>0.25</friction></dynamics>"
    robot = model(sdf(A, B, joint(limit=limit, more=more)))
    it = robot.joint("j")
    assert (it.type, it.lower, it.upper, it.effort, it.velocity) == ("revolute", -1.0, 2.0, 30.0, 4.0)
    assert '<dynamics damping="0.5" friction="0.25" />' in robot.text
    endless = model(sdf(A, B, joint(limit="<lower>-1e16</lower><upper>1e16</upper><effort>-1</effort>"))).joint("j")
    assert (endless.type, endless.effort, endless.velocity) == ("continuous", 0.0, 0.0)


def test_mimic() -> None:
    more = "<mimic joint='k'><multiplier>2</multiplier><offset>0.5</offset><reference>0.1</reference></mimic>"
    other = joint().replace("'j'", "'k'").replace(">b<", ">c<")
    robot = model(sdf(A, B, LINK.format("c", "0 0 0 0 0 0"), joint(more=more), other))
    mimic = robot.joint("j").mimic
    assert mimic is not None
    assert (mimic.joint, mimic.multiplier, mimic.offset) == ("k", 2.0, pytest.approx(0.3))


def test_inertia_in_a_frame_of_its_own_and_by_default() -> None:
    inertial = (
        "<inertial><pose>0 0 1 0 0 1.5707963267948966</pose><mass>2</mass><inertia><ixx>1</ixx><iyy>2</iyy><izz>3</izz>"
        "<ixy>0.5</ixy></inertia></inertial>"
    )
    text = model(sdf(f"<link name='a'>{inertial}</link>")).text
    assert 'origin xyz="0.0 0.0 1.0"' in text
    found = {name: float(text.partition(f'{name}="')[2].partition('"')[0]) for name in ("ixx", "ixy", "iyy", "izz")}
    assert found == pytest.approx({"ixx": 2.0, "ixy": -0.5, "iyy": 1.0, "izz": 3.0})
    bare = sdf("<link name='a'/>")
    assert notes(bare) == ["link 'a': it states no inertia; SDF's default is 1 kg and 1 kg m^2; Add it."]
    assert '<mass value="1.0" />' in model(bare).text


SHAPES = {
    "<box><size>1 2 3</size></box>": '<box size="1.0 2.0 3.0" />',
    "<sphere><radius>2</radius></sphere>": '<sphere radius="2.0" />',
    "<cylinder><radius>2</radius><length>3</length></cylinder>": '<cylinder radius="2.0" length="3.0" />',
    "<capsule><radius>2</radius><length>3</length></capsule>": '<capsule radius="2.0" length="3.0" />',
    "<plane><normal>0 1 0</normal></plane>": '<plane normal="0.0 1.0 0.0" />',
    "<mesh><uri>package://x/a.obj</uri><scale>2 2 2</scale></mesh>": '<mesh filename="package://x/a.obj" '
    'scale="2.0 2.0 2.0" />',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(shape: str) -> None:
    collision = f"<collision name='c'><pose>1 0 0 0 0 0</pose><geometry>{shape}</geometry></collision>"
    text = converted(sdf(f"<link name='a'>{collision}</link>")).urdf
    assert SHAPES[shape] in text
    assert '<origin xyz="1.0 0.0 0.0" rpy="0.0 0.0 0.0" />' in text


def test_colour_friction_and_bounce() -> None:
    box = "<geometry><box><size>1 1 1</size></box></geometry>"
    visual = f"<visual name='v'>{box}<material><diffuse>1 0 0 1</diffuse></material></visual>"
    surface = (
        "<surface><friction><ode><mu>0.7</mu></ode></friction>"
        "<bounce><restitution_coefficient>0.2</restitution_coefficient></bounce></surface>"
    )
    text = model(sdf(f"<link name='a'>{visual}<collision name='c'>{box}{surface}</collision></link>")).text
    assert '<color rgba="1.0 0.0 0.0 1.0" />' in text
    assert '<lateral_friction value="0.7" />' in text
    assert '<restitution value="0.2" />' in text
    own = "<contact><lateral_friction>0.9</lateral_friction></contact>"
    assert '<lateral_friction value="0.9" />' in model(sdf(f"<link name='a'>{own}</link>")).text


@pytest.mark.parametrize(
    ("text", "floating"),
    [
        (sdf(A), True),
        (sdf(A, model="<static>true</static>"), False),
        (sdf(LINK.format("a", "0 0 0 0 0 0").replace("<mass>2", "<mass>0")), False),
        (sdf(A, B, joint("fixed"), joint("fixed", "world").replace("'j'", "'k'").replace(">b<", ">a<")), False),
    ],
)
def test_whether_the_base_floats(text: str, floating: bool) -> None:
    assert converted(text).floating is floating


def test_where_the_file_places_the_robot() -> None:
    text = sdf(LINK.format("a", "0 0 1 0 0 0"), model="<pose>1 2 3 0 0 1.5707963267948966</pose>")
    assert converted(text).position == pytest.approx((1.0, 2.0, 4.0))
    assert converted(text).rpy == pytest.approx((0.0, 0.0, math.pi / 2))


def test_a_joint_to_the_world_is_where_the_file_places_it() -> None:
    fixed = joint("fixed", "world").replace(">b<", ">a<")
    robot = model(sdf(A, fixed, model="<pose>1 2 3 0 0 0</pose>"))
    assert (robot.root, robot.joint("j").xyz) == ("world", (1.0, 2.0, 3.0))
    assert converted(sdf(A, fixed)).position == (0.0, 0.0, 0.0)


# fmt: off
REFUSED = [
    (sdf(A, B, joint("ball")),
     "joint 'j': unsupported type; got 'ball'; expected one of revolute, continuous, prismatic, fixed; "
     "Build it from joints of these types."),
    (sdf(A, B, joint(xyz="0 0 0")),
     "joint 'j': it has no axis; got 0 0 0; expected a direction; Correct <axis><xyz>."),
    (sdf(A, B, joint(xyz="0 0 z")),
     "joint 'j': <axis><xyz> is not right; got '0 0 z'; expected 3 finite numbers; Correct the value."),
    (sdf(A, B, joint(limit="<lower>low</lower>")),
     "joint 'j': <lower> is not right; got 'low'; expected a finite number; Correct the value."),
    (sdf(A, B, joint(parent="c")),
     "no such link; got 'c'; expected a link, or a frame attached to one; Correct the names."),
    (sdf(A, "<link name='b'><pose relative_to='c'/></link>", joint()),
     "a pose relative to an unknown frame; got 'c'; expected one of __model__, a, b, j; Correct the names."),
    (sdf("<link name='a'><pose relative_to='b'/></link>", "<link name='b'><pose relative_to='a'/></link>", joint()),
     "poses relative to each other in a circle; got 'a' in 'b' in 'a'; expected none; Correct the names."),
    (sdf("<link name='a'><pose>1 2 3</pose></link>"),
     "link 'a': <pose> is not right; got '1 2 3'; expected 6 finite numbers; Correct the value."),
    (sdf("<link name='a'><inertial auto='true'/></link>"),
     "link 'a': inertia is to be computed; expected numbers; Write <mass> and <inertia>."),
    (sdf("<link name='a'><collision name='c'><geometry><heightmap/></geometry></collision></link>"),
     "link 'a': a collision shape that URDF does not have; got <heightmap>; "
     "expected one of box, sphere, cylinder, capsule, plane, mesh; Use one of these, or a mesh."),
    (sdf(A, "<model name='n'/>"),
     "model 'm': a model within the model; expected links and joints directly below <model>; "
     "Write its links and joints out."),
]
# fmt: on


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_refusals(text: str, message: str) -> None:
    assert refused(text) == f"m.sdf: {message}"


def test_notes_on_what_is_left_out() -> None:
    spring = "<dynamics><spring_stiffness>3</spring_stiffness></dynamics>"
    assert notes(sdf(A, B, joint(more=spring))) == [
        "joint 'j': its spring is left out: URDF has none; Apply it as an effort."
    ]
    assert notes(sdf(A, B, joint("prismatic"))) == ["joint 'j': it has no end; 10000 m are written; Write its limits."]
    seen = "<visual name='v'><geometry><plane/></geometry></visual>"
    link = A.replace("</link>", f"{seen}</link>")
    assert notes(sdf(link)) == ["link 'a': its <plane> is not shown: URDF has none; Use another shape."]
    world = f"<sdf version='1.9'><world name='w'><include/><model name='m'>{A}</model></world></sdf>"
    assert notes(world) == ["<include> is not followed; Name the included file itself."]


def test_meshes_lie_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 0 0 0\n")
    visual = "<visual name='v'><geometry><mesh><uri>model://m/a.obj</uri></mesh></geometry></visual>"
    text = sdf(A.replace("</link>", f"{visual}</link>"))
    with pytest.raises(ModelError, match=r"the file of its <mesh>, 'model://m/a\.obj', was not found"):
        model_from_text(text, folder=tmp_path)
    assert model_from_text(text.replace("model://m/", "model://"), folder=tmp_path).links == ("a",)


def test_random_trees_stand_as_their_poses_say() -> None:
    """Every link's frame, composed of URDF's joints, is the pose that the SDF gives it in the model's frame."""
    rng = np.random.default_rng(0)
    poses = rng.uniform(-1, 1, (6, 6))
    links = [LINK.format(f"l{i}", " ".join(map(repr, map(float, pose)))) for i, pose in enumerate(poses)]
    joints = [
        f"<joint name='j{i}' type='fixed'><parent>l{rng.integers(i)}</parent><child>l{i}</child></joint>"
        for i in range(1, 6)
    ]
    robot = model(sdf(*links, *joints))

    def matrix(xyz: Any, rpy: Any) -> Pose:
        return at(xyz, from_rpy(*rpy))

    for i in range(6):
        pose = matrix(poses[0][:3], poses[0][3:])
        for each in robot.chain(f"l{i}"):
            pose = pose @ matrix(each.xyz, each.rpy)
        expected = matrix(poses[i][:3], poses[i][3:])
        assert pose.xyz == pytest.approx(expected.xyz, abs=1e-12)
        assert pose.turn == pytest.approx(expected.turn, abs=1e-12)
