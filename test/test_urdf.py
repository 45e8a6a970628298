"""Our own robots: true inertias, sensible limits, and physics that PyBullet agrees with."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import numpy.typing as npt
import pybullet
import pytest
import yaml
from pybullet_utils.bullet_client import BulletClient

from ros_gym_bridge.kinematics import tip_position
from ros_gym_bridge.model import RobotModel, read_model
from ros_gym_bridge.paths import share_directory

Matrix = npt.NDArray[np.float64]
URDFS = share_directory() / "urdf"
GRAVITY, PHYSICS_HZ = 9.81, 500
# A long time for an arm that is told to stand still.
SECONDS = 3


def model(name: str) -> RobotModel:
    return read_model(URDFS / f"{name}.urdf")


def home(name: str) -> dict[str, float]:
    """The home position of the robot file."""
    content = yaml.safe_load((share_directory() / "config" / "robots" / f"{name}.yaml").read_text(encoding="utf-8"))
    return {joint["name"]: joint["home"] for joint in content["joints"]}


class Body:
    """A robot in an empty world, without PyBullet's own damping."""

    def __init__(self, name: str, client: Any) -> None:
        self.client, self.model = client, model(name)
        client.setGravity(0, 0, -GRAVITY)
        client.setTimeStep(1 / PHYSICS_HZ)
        flags = pybullet.URDF_USE_INERTIA_FROM_FILE | pybullet.URDF_USE_SELF_COLLISION
        self.body = client.loadURDF(str(self.model.path), useFixedBase=True, flags=flags)
        info = [client.getJointInfo(self.body, index) for index in range(client.getNumJoints(self.body))]
        self.joints = {each[1].decode(): each[0] for each in info}
        self.links = {each[12].decode(): each[0] for each in info}
        for index in (-1, *self.joints.values()):
            client.changeDynamics(self.body, index, linearDamping=0, angularDamping=0)

    def place(self, positions: dict[str, float]) -> None:
        for name, position in positions.items():
            self.client.resetJointState(self.body, self.joints[name], position)

    def hold(self, positions: dict[str, float]) -> None:
        for joint in (self.model.joint(name) for name in positions):
            self.client.setJointMotorControl2(
                self.body,
                self.joints[joint.name],
                pybullet.POSITION_CONTROL,
                positions[joint.name],
                force=joint.effort,
                maxVelocity=joint.velocity,
            )

    def free(self, name: str) -> None:
        self.client.setJointMotorControl2(self.body, self.joints[name], pybullet.VELOCITY_CONTROL, force=0)

    def state(self) -> Matrix:
        """Position, velocity and motor torque of every movable joint: (n, 3)."""
        indices = [self.joints[joint.name] for joint in self.model.movable]
        return np.array([[each[0], each[1], each[3]] for each in self.client.getJointStates(self.body, indices)])

    def run(self, seconds: float) -> Matrix:
        """(steps, n, 3)."""
        states = []
        for _ in range(round(seconds * PHYSICS_HZ)):
            self.client.stepSimulation()
            states.append(self.state())
        return np.array(states)


@pytest.fixture
def client() -> Iterator[Any]:
    bullet = BulletClient(connection_mode=pybullet.DIRECT)
    yield bullet
    bullet.disconnect()


# ------------------------------------------------------------------------------------------------------------ inertias


def numbers(element: Element | None, name: str, default: str = "0 0 0") -> Matrix:
    return np.array((element.get(name, default) if element is not None else default).split(), dtype=np.float64)


def volume_and_inertia(shape: Element) -> tuple[float, Matrix]:
    """Of a solid shape: its volume, and the principal moments for a mass of 1."""
    if shape.tag == "sphere":
        radius = float(shape.attrib["radius"])
        return 4 / 3 * math.pi * radius**3, np.full(3, 2 / 5 * radius**2)
    if shape.tag == "box":
        a, b, c = numbers(shape, "size") ** 2
        return math.sqrt(a * b * c), np.array([b + c, a + c, a + b]) / 12
    assert shape.tag == "cylinder"
    radius, length = float(shape.attrib["radius"]), float(shape.attrib["length"])
    across = (3 * radius**2 + length**2) / 12
    return math.pi * radius**2 * length, np.array([across, across, radius**2 / 2])


def rotation(rpy: Matrix) -> Matrix:
    """The rotations of our files are quarter turns: exact to 1e-11."""
    return np.array(pybullet.getMatrixFromQuaternion(pybullet.getQuaternionFromEuler(rpy.tolist()))).reshape(3, 3)


def expected_inertia(mass: float, shapes: list[Element]) -> tuple[Matrix, Matrix]:
    """Centre of mass and inertia about it, for a mass that is spread evenly over solid shapes."""
    parts = []
    for shape in shapes:
        geometry, origin = shape.find("geometry"), shape.find("origin")
        assert geometry is not None
        volume, moments = volume_and_inertia(geometry[0])
        turn = rotation(numbers(origin, "rpy"))
        parts.append((volume, numbers(origin, "xyz"), turn @ np.diag(moments) @ turn.T))
    total = sum(volume for volume, _, _ in parts)
    centre = np.sum([volume / total * at for volume, at, _ in parts], axis=0)
    inertia = np.zeros((3, 3))
    for volume, at, own in parts:
        arm = at - centre
        inertia += mass * volume / total * (own + arm @ arm * np.eye(3) - np.outer(arm, arm))
    return centre, inertia


def links_with_mass(name: str) -> list[Element]:
    links = ElementTree.fromstring(model(name).text).findall("link")
    return [link for link in links if link.find("collision") is not None or link.find("visual") is not None]


@pytest.mark.parametrize(
    ("name", "link"),
    [
        (name, link.attrib["name"])
        for name in ("arm", "cartpole", "cube", "block", "rover")
        for link in links_with_mass(name)
    ],
)
def test_inertia_follows_from_shapes_and_mass(name: str, link: str) -> None:
    element = next(each for each in links_with_mass(name) if each.get("name") == link)
    inertial = element.find("inertial")
    assert inertial is not None
    mass, stated = inertial.find("mass"), inertial.find("inertia")
    assert mass is not None
    assert stated is not None
    shapes = element.findall("collision") or element.findall("visual")  # the rail is only seen
    if name == "rover":  # its wheels are seen as what they are, and touch as spheres
        shapes = element.findall("visual")[:1]
    centre, inertia = expected_inertia(float(mass.attrib["value"]), shapes)
    xx, xy, xz, yy, yz, zz = (float(stated.attrib[key]) for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz"))
    turn = rotation(numbers(inertial.find("origin"), "rpy"))
    assert numbers(inertial.find("origin"), "xyz") == pytest.approx(centre, abs=1e-6)
    found = turn @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ turn.T
    assert found == pytest.approx(inertia, rel=1e-5, abs=1e-9)


def test_arm_collides_where_it_is_seen() -> None:
    for link in links_with_mass("arm"):
        seen, solid = ([tuple(map(shape_text, link.findall(kind)))] for kind in ("visual", "collision"))
        assert seen == solid


def shape_text(element: Element) -> str:
    return "".join(ElementTree.tostring(part, "unicode").strip() for part in element if part.tag != "material")


@pytest.mark.parametrize("name", ["arm", "cartpole", "cube", "block"])
def test_loads_without_a_word(name: str) -> None:
    code = f"import pybullet as p; p.connect(p.DIRECT); p.loadURDF({str(URDFS / name) + '.urdf'!r})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("pybullet build time")]
    assert said == []


# ----------------------------------------------------------------------------------------------------------------- arm


def test_arm_has_the_usual_names() -> None:
    arm = model("arm")
    assert arm.root == "base_link"
    assert [joint.name for joint in arm.chain("tool0")] == [
        "shoulder_pan_joint",
        "shoulder_lift_joint",
        "elbow_joint",
        "wrist_1_joint",
        "wrist_2_joint",
        "wrist_3_joint",
        "tool0_joint",
    ]
    assert {joint.type for joint in arm.movable} == {"revolute"}


def test_arm_reaches_three_quarters_of_a_metre() -> None:
    arm = model("arm")
    names = [joint.name for joint in arm.movable]
    tip, shoulder = (tip_position(arm, link, names) for link in ("tool0", "upper_arm_link"))
    for pan in (-1.0, 0.0, 2.0):
        at = [pan, math.pi / 2, 0.0, 0.0, 0.0, 0.0]
        assert math.dist(tip(at), shoulder(at)) == pytest.approx(0.75, abs=1e-12)
        assert math.atan2(tip(at)[1], tip(at)[0]) == pytest.approx(pan, abs=1e-12)


def test_arm_weighs_six_kilograms() -> None:
    masses = [float(mass.attrib["value"]) for mass in ElementTree.fromstring(model("arm").text).iter("mass")]
    assert sum(masses) == pytest.approx(6.0, abs=1e-9)


def test_arm_holds_its_home_position_still(client: Any) -> None:
    arm, target = Body("arm", client), home("arm")
    arm.place(target)
    arm.hold(target)
    states = arm.run(SECONDS)
    assert np.abs(states[:, :, 0] - list(target.values())).max() < 1e-4
    assert np.abs(states[PHYSICS_HZ:, :, 1]).max() < 1e-6
    assert client.getContactPoints(arm.body, arm.body) == ()


def test_arm_comes_to_rest_where_it_is_sent(client: Any) -> None:
    arm, start = Body("arm", client), home("arm")
    target = {name: position + 0.3 for name, position in start.items()}
    arm.place(start)
    arm.hold(target)
    error = arm.run(1.0)[:, :, 0] - list(target.values())
    assert error.max() < 1e-3, "overshoot"
    assert np.abs(error[-1]).max() < 1e-3


def test_arm_is_strong_enough_for_a_kilogram_at_full_reach(client: Any) -> None:
    arm = Body("arm", client)
    client.changeDynamics(arm.body, arm.links["tool0"], mass=1.0)
    outstretched = {**dict.fromkeys(home("arm"), 0.0), "shoulder_lift_joint": math.pi / 2}
    arm.place(outstretched)
    arm.hold(outstretched)
    state = arm.run(1.0)[-1]
    effort = np.array([joint.effort for joint in arm.model.movable])
    assert np.abs(state[:, 2]).max() > GRAVITY * 0.75, "the payload is felt"
    assert (np.abs(state[:, 2]) < 0.75 * effort).all()
    assert np.abs(state[:, 0] - list(outstretched.values())).max() < 1e-3


# ----------------------------------------------------------------------------------------------------------- cart-pole


def test_cartpole_is_the_classic_one() -> None:
    cartpole = model("cartpole")
    slider, pivot = cartpole.chain("pole")
    assert (slider.name, slider.type, slider.axis) == ("slider_to_cart", "prismatic", (1.0, 0.0, 0.0))
    assert (slider.lower, slider.upper, slider.velocity, slider.effort) == (-2.5, 2.5, 10.0, 50.0)
    assert (pivot.name, pivot.type, pivot.axis, pivot.effort) == ("cart_to_pole", "continuous", (0.0, 1.0, 0.0), 0.0)


@pytest.mark.parametrize("cart", ["held", "free"])
def test_pole_swings_with_the_period_of_theory(cart: str, client: Any) -> None:
    """Small swings about hanging: I a'' = -m g l a, less (m l)^2 / (M + m) of inertia when the cart gives way."""
    body = Body("cartpole", client)
    body.place({"slider_to_cart": 0.0, "cart_to_pole": math.pi + 0.05})
    body.free("cart_to_pole")
    body.free("slider_to_cart")
    if cart == "held":
        body.hold({"slider_to_cart": 0.0})
    mass, half, moving = 0.1, 0.5, 1.0 + 0.1
    inertia = mass * (0.03**2 + 1.0**2) / 12 + mass * half**2
    give = (mass * half) ** 2 / moving if cart == "free" else 0.0
    # a finite swing takes longer, by a^2 / 16 (less so on a cart that gives way)
    expected = 2 * math.pi * math.sqrt((inertia - give) / (mass * GRAVITY * half)) * (1 + 0.05**2 / 16)
    angle = body.run(12)[:, 1, 0] - math.pi
    assert period(angle) == pytest.approx(expected, rel=2e-4)
    assert np.abs(angle[-2 * PHYSICS_HZ :]).max() == pytest.approx(0.05, rel=1e-3), "no damping"


def period(angle: Matrix) -> float:
    """From the times at which it rises through zero."""
    (rising,) = np.nonzero((angle[:-1] < 0) & (angle[1:] >= 0))
    times = (rising - angle[rising] / (angle[rising + 1] - angle[rising])) / PHYSICS_HZ
    return float(np.diff(times).mean())


def test_a_push_moves_cart_and_pole_as_theory_says(client: Any) -> None:
    """From rest, upright: x'' = F / (M + m - (m l)^2 / I) and the pole falls back, a'' = -m l x'' / I."""
    body = Body("cartpole", client)
    body.place({"slider_to_cart": 0.0, "cart_to_pole": 0.0})
    body.free("slider_to_cart")
    body.free("cart_to_pole")
    client.setJointMotorControl2(body.body, body.joints["slider_to_cart"], pybullet.TORQUE_CONTROL, force=10.0)
    speed, spin = body.run(1 / PHYSICS_HZ)[0, :, 1] * PHYSICS_HZ
    inertia = 0.1 * (0.03**2 + 1.0**2) / 12 + 0.1 * 0.5**2
    expected = 10 / (1.1 - (0.1 * 0.5) ** 2 / inertia)
    assert speed == pytest.approx(expected, rel=1e-3)
    assert spin == pytest.approx(-0.1 * 0.5 * expected / inertia, rel=1e-3)


def test_pole_turns_all_the_way_round_without_touching(client: Any) -> None:
    body = Body("cartpole", client)
    for angle in np.linspace(0, 2 * math.pi, 25):
        body.place({"cart_to_pole": float(angle)})
        client.performCollisionDetection()
        assert client.getContactPoints(body.body, body.body) == ()
        assert client.getClosestPoints(body.body, body.body, 0.005, body.links["cart"], body.links["pole"]) == ()
