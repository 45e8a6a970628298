"""MJCF as URDF, by MuJoCo's rules: defaults, frames, joints, masses, and what cannot be said in URDF."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ros_gym_bridge.errors import ModelError
from ros_gym_bridge.formats.mjcf import convert
from ros_gym_bridge.formats.pose import Array, from_rpy
from ros_gym_bridge.formats.result import Converted, Source
from ros_gym_bridge.model import RobotModel, model_from_text

GEOM = "<geom type='sphere' size='0.1'/>"


def mjcf(body: str, compiler: str = "", before: str = "", after: str = "") -> str:
    return f"<mujoco><compiler {compiler}/>{before}<worldbody>{body}</worldbody>{after}</mujoco>"


def converted(text: str, folder: Path | None = None) -> Converted:
    return convert(Source(text, "m.xml", None if folder is None else str(folder), "mjcf"))


def model(text: str) -> RobotModel:
    return model_from_text(converted(text).urdf)


def refused(text: str, folder: Path | None = None) -> str:
    with pytest.raises(ModelError) as caught:
        converted(text, folder)
    return str(caught.value)


def notes(text: str) -> list[str]:
    return [str(note) for note in converted(text).notes]


def inertia(text: str, link: str) -> tuple[float, list[float], list[float]]:
    """Mass, centre of mass, and ixx, iyy, izz, ixy, ixz, iyz."""
    robot = ElementTree.fromstring(converted(text).urdf)
    inertial = next(each for each in robot.findall("link") if each.get("name") == link).find("inertial")
    assert inertial is not None
    mass, origin, tensor = (inertial.find(tag) for tag in ("mass", "origin", "inertia"))
    assert mass is not None
    assert origin is not None
    assert tensor is not None
    names = ("ixx", "iyy", "izz", "ixy", "ixz", "iyz")
    return float(mass.attrib["value"]), list(map(float, origin.attrib["xyz"].split())), [
        float(tensor.attrib[name]) for name in names
    ]  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------- base


@pytest.mark.parametrize(
    ("joint", "floating", "root"),
    [("<freejoint/>", True, "b"), ("<joint type='free'/>", True, "b"), ("<joint/>", False, "world"), ("", None, "b")],
)
def test_whether_the_base_floats(joint: str, floating: bool | None, root: str) -> None:
    text = mjcf(f"<body name='b' pos='1 2 3'>{joint}{GEOM}</body>")
    assert converted(text).floating is floating
    assert model(text).root == root
    assert converted(text).position == ((0.0, 0.0, 0.0) if root == "world" else (1.0, 2.0, 3.0))
    if root == "world":
        assert model(text).joints[0].xyz == (1.0, 2.0, 3.0)


def test_names_that_are_missing_are_made() -> None:
    robot = model(mjcf(f"<body>{GEOM}<body><joint/><joint/>{GEOM}</body><body>{GEOM}</body></body>"))
    assert robot.links == ("body_1", "body_1_body_body_1_body_joint_link", "body_1_body", "body_1_body_2")
    assert [joint.name for joint in robot.joints] == ["body_1_body_joint", "body_1_body_joint_2", "body_1_body_2_joint"]


# -------------------------------------------------------------------------------------------------------------- frames


@pytest.mark.parametrize(
    ("turn", "compiler"),
    [
        ("quat='2 0 0 2'", ""),
        ("axisangle='0 0 3 90'", ""),
        ("axisangle='0 0 1 1.5707963267948966'", "angle='radian'"),
        ("euler='0 0 90'", ""),
        ("euler='90 0 0'", "eulerseq='zxy'"),
        ("xyaxes='0 2 0 -1 1 0'", ""),
    ],
)
def test_a_body_may_be_turned_in_many_ways(turn: str, compiler: str) -> None:
    robot = model(mjcf(f"<body name='a'>{GEOM}<body name='b' pos='1 2 3' {turn}>{GEOM}</body></body>", compiler))
    assert robot.joints[0].xyz == (1.0, 2.0, 3.0)
    assert robot.joints[0].rpy == pytest.approx((0.0, 0.0, math.pi / 2))


QUARTER = math.pi / 2


@pytest.mark.parametrize(
    ("turn", "compiler", "expected"),
    [
        ("euler='90 0 90'", "", from_rpy(QUARTER, 0, 0) @ from_rpy(0, 0, QUARTER)),  # about the z that is turned
        ("euler='90 0 90'", "eulerseq='XYZ'", from_rpy(QUARTER, 0, QUARTER)),  # about fixed axes
        ("zaxis='1 0 0'", "", from_rpy(0, QUARTER, 0)),
        ("zaxis='0 0 -1'", "", from_rpy(math.pi, 0, 0)),
    ],
)
def test_order_of_turns(turn: str, compiler: str, expected: Array) -> None:
    robot = model(mjcf(f"<body name='a'>{GEOM}<body name='b' {turn}>{GEOM}</body></body>", compiler))
    assert np.array(robot.joints[0].rotation) == pytest.approx(expected, abs=1e-12)


def test_frames_are_seen_through() -> None:
    inner = f"<frame pos='0 0 1'><body name='b' pos='1 0 0'>{GEOM}</body></frame>"
    robot = model(mjcf(f"<body name='a'>{GEOM}<frame pos='0 2 0' euler='0 0 90'>{inner}</frame></body>"))
    assert robot.joints[0].xyz == pytest.approx((0.0, 3.0, 1.0))


# -------------------------------------------------------------------------------------------------------------- joints


def test_a_body_with_several_joints_is_several_links() -> None:
    joints = "<joint name='x' type='slide' axis='1 0 0'/><joint name='y' type='hinge' axis='0 2 0' pos='0 0 1'/>"
    robot = model(mjcf(f"<body name='a'><freejoint/>{GEOM}<body name='b' pos='0 0 5'>{joints}{GEOM}</body></body>"))
    assert robot.links == ("a", "b_x_link", "b")
    found = [(each.type, each.parent, each.child, each.xyz, each.axis) for each in robot.joints]
    assert found == [
        ("prismatic", "a", "b_x_link", (0.0, 0.0, 5.0), (1.0, 0.0, 0.0)),
        ("continuous", "b_x_link", "b", (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
    ]
    assert inertia(mjcf(f"<body name='b'>{joints}{GEOM}</body>"), "b_x_link") == (0.0, [0.0] * 3, [0.0] * 6)
    assert inertia(mjcf(f"<body name='b'>{joints}{GEOM}</body>"), "b")[1] == [0.0, 0.0, -1.0]


@pytest.mark.parametrize(
    ("attributes", "compiler", "expected"),
    [
        ("range='-90 45'", "", (-math.pi / 2, math.pi / 4)),
        ("range='-1 2'", "angle='radian'", (-1.0, 2.0)),
        ("range='-90 45' limited='false'", "", (-math.inf, math.inf)),
        ("range='-90 45'", "autolimits='false'", (-math.inf, math.inf)),
        ("range='-90 45' limited='true'", "autolimits='false'", (-math.pi / 2, math.pi / 4)),
        ("type='slide' range='-1 2'", "", (-1.0, 2.0)),
        ("type='slide'", "", (-1e4, 1e4)),
        ("range='-90 45' ref='45'", "", (-0.75 * math.pi, 0.0)),
        ("type='slide' range='-1 2' ref='0.5'", "", (-1.5, 1.5)),
    ],
)
def test_limits(attributes: str, compiler: str, expected: tuple[float, float]) -> None:
    joint = model(mjcf(f"<body name='b'><joint name='j' {attributes}/>{GEOM}</body>", compiler)).joint("j")
    assert (joint.lower, joint.upper) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("actuator", "effort"),
    [
        ("<motor joint='j' gear='150' ctrlrange='-1 1'/>", 150.0),
        ("<motor joint='j' gear='-3' ctrlrange='-2 1'/>", 6.0),
        ("<motor joint='j' ctrlrange='-2 1' ctrllimited='false'/>", 0.0),
        ("<motor joint='j' ctrlrange='-2 1' forcerange='-7 7' gear='2'/>", 14.0),
        ("<position joint='j' ctrlrange='-2 1' forcerange='-7 5'/>", 7.0),
        ("<position joint='j' ctrlrange='-2 1'/>", 0.0),
        ("<motor joint='j' ctrlrange='-2 1'/><motor joint='j' ctrlrange='-3 1'/>", 3.0),
        ("<motor tendon='t' ctrlrange='-2 1'/>", 0.0),
    ],
)
def test_efforts_follow_from_actuators(actuator: str, effort: float) -> None:
    text = mjcf(f"<body name='b'><joint name='j'/>{GEOM}</body>", after=f"<actuator>{actuator}</actuator>")
    assert model(text).joint("j").effort == effort


def test_damping_and_friction() -> None:
    text = converted(mjcf(f"<body name='b'><joint damping='2' frictionloss='3'/>{GEOM}</body>")).urdf
    assert '<dynamics damping="2.0" friction="3.0" />' in text


# ------------------------------------------------------------------------------------------------------------ defaults

DEFAULTS = """<default>
  <joint axis='0 1 0' damping='1'/><geom size='0.2' density='500'/><motor ctrlrange='-1 1' gear='10'/>
  <default class='arm'><joint damping='2'/><default class='tip'><joint damping='3'/></default></default>
</default>"""


def test_defaults_are_inherited_and_chosen_by_class() -> None:
    body = (
        "<body name='a'><joint name='a'/><geom/>"
        "<body name='b' childclass='arm'><joint name='b'/><geom/>"
        "<body name='c'><joint name='c' class='tip'/><geom/><body name='d'><joint name='d' axis='1 0 0'/><geom/>"
        "</body></body></body></body>"
    )
    text = converted(mjcf(body, before=DEFAULTS, after="<actuator><motor joint='a'/></actuator>")).urdf
    dampings = [part.partition('"')[0] for part in text.split('damping="')[1:]]
    assert dampings == ["1.0", "2.0", "3.0", "2.0"]
    robot = model_from_text(text)
    assert [joint.axis for joint in robot.joints] == [(0.0, 1.0, 0.0)] * 3 + [(1.0, 0.0, 0.0)]
    assert robot.joint("a").effort == 10.0
    assert inertia(mjcf(body, before=DEFAULTS), "a")[0] == pytest.approx(500 * 4 / 3 * math.pi * 0.2**3)


# -------------------------------------------------------------------------------------------------------------- masses


def test_mass_and_inertia_of_solid_shapes() -> None:
    shapes = {
        "type='box' size='0.1 0.2 0.3' mass='2'": (2.0, [2 / 3 * 0.13, 2 / 3 * 0.1, 2 / 3 * 0.05]),
        "type='sphere' size='0.1' mass='2'": (2.0, [0.4 * 2 * 0.01] * 3),
        "type='cylinder' size='0.1 0.3' density='100'": (
            0.6 * math.pi,
            [0.6 * math.pi * (0.03 + 0.36) / 12] * 2 + [0.6 * math.pi * 0.005],
        ),
    }
    for geom, (mass, moments) in shapes.items():
        found = inertia(mjcf(f"<body name='b'><geom {geom}/></body>"), "b")
        assert found[0] == pytest.approx(mass)
        assert found[2][:3] == pytest.approx(moments)


def test_inertia_of_a_capsule_by_integration() -> None:
    radius, half = 0.1, 0.3
    z = np.linspace(-half - radius, half + radius, 200_001)
    r2 = radius**2 - np.maximum(np.abs(z) - half, 0.0) ** 2  # of the disc at z
    discs = math.pi * 1000 * r2 * (z[1] - z[0])
    found = inertia(mjcf(f"<body name='b'><geom type='capsule' size='{radius} {half}'/></body>"), "b")
    assert found[0] == pytest.approx(discs.sum(), rel=1e-4)
    assert found[2][2] == pytest.approx((discs * r2 / 2).sum(), rel=1e-4)
    assert found[2][0] == pytest.approx((discs * (r2 / 4 + z**2)).sum(), rel=1e-4)


def test_a_capsule_between_two_points_lies_along_them() -> None:
    text = mjcf("<body name='b'><geom type='capsule' size='0.1' fromto='0 0 0 0.6 0 0' mass='1'/></body>")
    mass, centre, moments = inertia(text, "b")
    assert (mass, centre) == (1.0, [0.3, 0.0, 0.0])
    assert moments[0] < moments[1] == pytest.approx(moments[2])
    assert '<capsule radius="0.1" length="0.6" />' in converted(text).urdf


def test_several_geoms_are_one_body() -> None:
    both = "<geom size='0.1' pos='1 0 0' mass='1'/><geom size='0.1' pos='-1 0 0' mass='3'/>"
    mass, centre, moments = inertia(mjcf(f"<body name='b'>{both}</body>"), "b")
    assert (mass, centre) == (4.0, [-0.5, 0.0, 0.0])
    assert moments[1] == pytest.approx(4 * 0.004 + 1 * 1.5**2 + 3 * 0.5**2)


STATED = "<inertial pos='1 0 0' quat='1 0 0 1' mass='2' diaginertia='1 2 3'/>"


@pytest.mark.parametrize(("mode", "mass"), [("auto", 2.0), ("false", 2.0), ("true", 1000 * 4 / 3 * math.pi * 1e-3)])
def test_stated_inertia_counts_unless_the_compiler_says_otherwise(mode: str, mass: float) -> None:
    found = inertia(mjcf(f"<body name='b'>{STATED}{GEOM}</body>", f"inertiafromgeom='{mode}'"), "b")
    assert found[0] == pytest.approx(mass)
    if mode != "true":
        assert found[1:] == ([1.0, 0.0, 0.0], pytest.approx([2.0, 1.0, 3.0, 0.0, 0.0, 0.0]))


def test_full_inertia() -> None:
    text = mjcf("<body name='b'><inertial mass='1' fullinertia='1 2 3 0.1 0.2 0.3'/></body>")
    assert inertia(text, "b")[2] == [1.0, 2.0, 3.0, 0.1, 0.2, 0.3]


def test_the_whole_may_be_made_to_weigh_something() -> None:
    body = f"<body name='a'>{GEOM}<body name='b'>{GEOM}</body></body>"
    assert inertia(mjcf(body, "settotalmass='6'"), "b")[0] == pytest.approx(3.0)


def test_what_is_seen_and_what_collides() -> None:
    geoms = (
        "<geom name='both' size='0.1'/><geom name='seen' size='0.2' contype='0' conaffinity='0'/>"
        "<geom name='solid' size='0.3' group='3'/><geom name='glass' size='0.4' rgba='1 1 1 0'/>"
    )
    link = ElementTree.fromstring(converted(mjcf(f"<body name='b'>{geoms}</body>")).urdf)[0]
    found = {
        tag: [sphere.attrib["radius"] for sphere in link.iterfind(f"{tag}/geometry/sphere")]
        for tag in ("visual", "collision")
    }
    assert found == {"visual": ["0.1", "0.2"], "collision": ["0.1", "0.3", "0.4"]}


@pytest.mark.parametrize(("geom", "friction"), [("", "1.0"), ("friction='0.3 0.1 0.1'", "0.3"), ("condim='1'", "0.0")])
def test_friction(geom: str, friction: str) -> None:
    text = converted(mjcf(f"<body name='b'><geom size='0.1' {geom}/></body>")).urdf
    assert f'<lateral_friction value="{friction}" />' in text


def test_meshes_and_includes(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.obj").write_text("v 0 0 0\n")
    assets = "<mujoco><asset><mesh name='a' file='a.obj' scale='2 2 2'/></asset></mujoco>"
    (tmp_path / "assets.xml").write_text(assets)
    geom = "<geom type='mesh' mesh='a'/>"
    text = mjcf(f"<body name='b'>{STATED}{geom}</body>", "meshdir='parts'", "<include file='assets.xml'/>")
    made = converted(text, tmp_path)
    assert made.files == (str(tmp_path / "assets.xml"),)
    assert '<mesh filename="parts/a.obj" scale="2.0 2.0 2.0" />' in made.urdf
    assert model_from_text(made.urdf, folder=tmp_path).links == ("b",)
    assert refused(text) == (
        "m.xml: 'assets.xml' cannot be included; expected an absolute path: a model that is given as text lies in no "
        "folder."
    )
    (tmp_path / "assets.xml").write_text("<mujoco><include file='assets.xml'/></mujoco>")
    assert refused(text, tmp_path) == (
        "m.xml: 'assets.xml' is included twice; expected once; Remove one of the two."
    )


# ------------------------------------------------------------------------------------------------- refusals and notes

# fmt: off
REFUSED = [
    (mjcf(f"<body name='b'><joint name='j' type='ball'/>{GEOM}</body>"),
     "joint 'j': unsupported type; got 'ball'; expected hinge, slide or free; "
     "Use three hinges with axes across each other."),
    (mjcf(f"<body name='b'><joint name='j' axis='0 0 0'/>{GEOM}</body>"),
     "joint 'j' has no axis; got 0 0 0; expected a direction; Correct the axis."),
    (mjcf(f"<body name='b'><joint name='j' axis='0 0'/>{GEOM}</body>"),
     "joint 'j': axis is not right; got '0 0'; expected 3 finite numbers; Correct the value."),
    (mjcf("<body name='b'><geom name='g' type='ellipsoid' size='1 2 3'/></body>"),
     "body 'b': geom 'g': a shape that URDF does not have; got ellipsoid; "
     "expected one of sphere, capsule, cylinder, box, plane, mesh; Use one of these."),
    (mjcf("<body name='b'><geom name='g' type='box' size='1 2'/></body>"),
     "body 'b': geom 'g': size is not right; got '1 2'; expected 3 numbers above 0."),
    (mjcf("<body name='b'><geom name='g' type='mesh' mesh='m'/></body>"),
     "body 'b': geom 'g': unknown mesh; got 'm'; expected a mesh of <asset>: none."),
    (mjcf("<body name='b'><geom type='mesh' mesh='m'/></body>", before="<asset><mesh file='m.stl'/></asset>"),
     "body 'b' takes its mass from meshes; expected <inertial>; Write <inertial>, or mass=\"0\" on geoms that are only "
     "seen."),
    (mjcf("<body name='b'><geom class='c'/></body>"),
     "unknown default class of a geom; got 'c'; expected one of main; Correct the name."),
    (mjcf(f"<body name='b' pos='1 0 0'>{GEOM}</body>", "coordinate='global'"),
     "global coordinates; expected local coordinates; "
     "Save it anew with a MuJoCo that still knows global ones (2.3.3)."),
    (mjcf("<body name='b'><composite/></body>"),
     "<composite> in a body; expected bodies, joints and geoms; Write it out."),
]
# fmt: on


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_refusals(text: str, message: str) -> None:
    assert refused(text) == f"m.xml: {message}"


def test_notes_on_what_is_left_out() -> None:
    joints = "<joint name='j' armature='1' stiffness='2'/><joint name='k' armature='1' ref='1'/>"
    after = "<equality><weld/></equality><tendon><spatial/></tendon><contact><pair/></contact>"
    assert notes(mjcf(f"<geom type='plane'/><body name='b'>{joints}{GEOM}</body>", after=after)) == [
        "joints j, k: rotor inertia (armature) is left out; Add it to the inertia of a link, if it matters.",
        "joints j: the spring (stiffness) is left out; Apply it as an effort, if it matters.",
        "joints k: ref, so that 0 is where the file draws them, is left out; "
        "Take it off positions that you have from MuJoCo.",
        "constraints between bodies (<equality>) are left out: URDF has none; See whether they matter.",
        "tendons (<tendon>) are left out: URDF has none; See whether they matter.",
        "pairs and exclusions of contact (<contact>) are left out: URDF has none; See whether they matter.",
        "what stands in the world (its floor, for one) is left out; Put it into the robot file, under scene.",
    ]
