"""The viewer as somebody sees it: real nodes, a real browser."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from PIL import Image
from rclpy.node import Node
from std_msgs.msg import String

from adapter_tools import Process, running
from browser import CHROMIUM, Page, Pixels, chromium, viewer
from conftest import NodeProcess, node_processes, plain_clients, private_domain
from plain_client import LATCHED, PlainClient
from view_picture import picture

pytest.importorskip("viser", reason="viser is not installed; make test installs it")
pytest.importorskip("playwright", reason="playwright is not installed; make test installs it")
trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed; make test installs it")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt install chromium")

FLOOR = '{name: floor, file: "pybullet_data://plane.urdf", fixed: true}'
HOME = {"shoulder_lift_joint": -0.2, "elbow_joint": 1.6}
STEP_NS = 2_000_000  # one physics step of the arm
PERIOD_NS = 40_000_000
NOBODY = (
    "no robot_description within 5 s on /robot_description, in ROS domain {domain}; topics of that type that are "
    "published: /cell_1/robot_description. Start one: ros-gym-bridge sim; or say where it is: --namespace, "
    "--robot-description, ROS_DOMAIN_ID. It is shown as soon as it is there."
)


def orange(view: Pixels) -> Any:
    """Our arm's shoulder."""
    return (view[..., 0] > 150) & (view[..., 1] > 50) & (view[..., 2] < 80) & (view[..., 0] - view[..., 1] > 60)


def dark(view: Pixels) -> Any:
    """Our arm's tubes and motors."""
    return view.max(axis=-1) < 100


def magenta(view: Pixels) -> Any:
    """The stranger's body."""
    return (view[..., 0] > 90) & (view[..., 2] > 90) & (view[..., 1] < 60)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as made:
        yield made


class Shown:
    """A simulated arm, a viewer, its page, and a plain client of the simulation."""

    def __init__(self, page: Page, client: PlainClient, viewer: Process, empty: Pixels) -> None:
        self.page, self.client, self.viewer, self.empty = page, client, viewer, empty

    @property
    def stamp(self) -> int:
        """Of the newest state."""
        self.client.listen(0.05)
        return self.client.stamp

    def stopped(self) -> int:
        """The stamp at which time stands: while it does, the simulation tells the same state again and again."""

        def stands() -> bool:
            before, told = self.stamp, len(self.client.states)
            self.client.listen(0.5)
            return self.client.stamp == before and len(self.client.states) > told

        self.client.until(stands, "time to stand")
        return self.client.stamp

    def state(self, name: str) -> float:
        """Where a joint is."""
        newest = self.client.states[-1]
        return float(newest.position[list(newest.name).index(name)])

    def commanders(self) -> int:
        """How many nodes publish commands, but for the client."""
        node: Node = self.client.node
        return len([i for i in node.get_publishers_info_by_topic("/joint_command") if "viewer" in i.node_name])


@pytest.fixture(scope="module")
def shown(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """The viewer first, and nobody there; then the simulation. Every test leaves it playing."""
    folder = tmp_path_factory.mktemp("nodes")
    with private_domain() as domain, plain_clients(domain) as make, viewer(domain) as (process, url):
        client = make(commands=())
        client.node.create_publisher(String, "/cell_1/robot_description", LATCHED)
        page = Page(browser, url)
        page.says(NOBODY.format(domain=domain))
        assert NOBODY.format(domain=domain) in process.text()
        empty = page.stage()
        with node_processes(domain, folder) as start:
            start(robot="arm")
            client.until(lambda: client.states, "a state")
            page.until(lambda: page.fact("robot") == "arm", "the arm")
            page.until(page.button("Pause").is_enabled, "the services")
            yield Shown(page, client, process, empty)
            assert page.errors == []
            page.page.close()


def test_the_robot_is_seen(shown: Shown) -> None:
    page = shown.page
    page.until(lambda: page.pixels(orange) > 500, "the arm's orange parts")
    assert np.count_nonzero(orange(shown.empty)) == 0
    assert np.count_nonzero(dark(shown.empty)) == 0, "the grid is light"
    page.until(lambda: page.pixels(dark) > 3000, "the arm's dark parts")
    robot = dark(page.stage())
    for sides in (robot.any(axis=0), robot.any(axis=1)):
        assert not sides[[0, -1]].any(), "all of it is within the view"
    assert "within 5 s" not in page.text()


def test_what_is_known_of_it_is_said(shown: Shown) -> None:
    page = shown.page
    assert page.fact("namespace") == "/"
    assert page.fact("fixed frame") == "world"
    page.until(lambda: 0.5 < float(page.fact("real-time factor")) < 1.5, "the factor")
    page.until(lambda: page.fact("state") == "playing", "the state")
    page.says("OK /sim_node: simulation: playing")
    page.until(lambda: page.fact("mode") == "realtime", "the diagnostics")
    before = float(page.fact("simulated time").removesuffix(" s"))
    page.until(lambda: float(page.fact("simulated time").removesuffix(" s")) > before, "time to move")
    for name, position in HOME.items():
        page.until(lambda name=name, at=position: abs(page.joint(name) - at) < 0.02, f"{name} at home")  # type: ignore[misc]


def test_pause_stops_the_clock_and_play_lets_it_go_on(shown: Shown) -> None:
    page = shown.page
    page.button("Pause").click()
    page.until(lambda: page.fact("state") == "paused", "the pause")
    stopped = shown.stopped()
    page.button("Play").click()
    page.until(lambda: shown.stamp > stopped + 5 * PERIOD_NS, "time to go on")
    page.until(lambda: page.fact("state") == "playing", "the state")


def test_step_moves_by_physics_steps(shown: Shown) -> None:
    page = shown.page
    page.button("Pause").click()
    page.until(lambda: page.fact("state") == "paused", "the pause")
    stopped = shown.stopped()
    page.button("Step").click()
    page.until(lambda: shown.stamp == stopped + STEP_NS, "one step")
    page.says("stepped 1")
    page.page.get_by_label("Physics steps").fill("25")
    page.button("Step").click()
    page.says("stepped 25")
    page.until(lambda: shown.stamp == stopped + 26 * STEP_NS, "25 steps")
    page.button("Play").click()
    page.until(lambda: page.fact("state") == "playing", "the state")


def test_a_refusal_is_shown_in_words(shown: Shown) -> None:
    shown.page.button("Step").click()
    text = "step_simulation refused: the simulation is PLAYING; set_simulation_state to PAUSED (2) first (result 4)"
    shown.page.says(text)


def test_without_a_tick_nothing_is_commanded(shown: Shown) -> None:
    """The sliders only follow, and nobody publishes commands: in lockstep a second publisher is refused."""
    assert shown.commanders() == 0
    assert shown.page.page.locator("[role=slider][aria-disabled=true]").count() == 6


def test_a_slider_moves_its_joint_and_no_other(shown: Shown) -> None:
    page, name = shown.page, "wrist_1_joint"
    box = page.box("Command joints")
    box.check()
    page.until(lambda: shown.commanders() == 1, "the publisher")
    page.until(lambda: page.page.locator("[role=slider][aria-disabled=true]").count() == 0, "sliders that move")
    page.slide(name, "Home")
    low = page.joint(name)
    assert low < 0.0
    page.until(lambda: shown.stamp and abs(shown.state(name) - low) < 0.05, "the joint to follow")
    for other, position in HOME.items():
        assert abs(shown.state(other) - position) < 0.05
    page.slide(name, "ArrowRight")
    page.until(lambda: shown.stamp and abs(shown.state(name) - page.joint(name)) < 0.05, "the joint to follow on")
    box.uncheck()
    page.until(lambda: shown.commanders() == 0, "the publisher to be gone")


def test_reset_brings_the_robot_home_and_time_goes_on(shown: Shown) -> None:
    page, before = shown.page, shown.stamp
    page.button("Reset").click()
    page.says("reset: state and spawned things; time goes on")
    page.until(lambda: shown.stamp and abs(shown.state("wrist_1_joint") - 1.2) < 0.05, "home")
    assert shown.stamp > before


def test_frames_of_the_links(shown: Shown) -> None:
    """Blue upward, where the arm has nothing blue."""

    def blue(view: Pixels) -> Any:
        return (view[..., 2] > 120) & (view[..., 0] < 60) & (view[..., 1] < 60)

    page = shown.page
    assert page.pixels(blue) == 0
    page.box("Frames of the links").check()
    page.until(lambda: page.pixels(blue) > 20, "axes")
    page.box("Frames of the links").uncheck()
    page.until(lambda: page.pixels(blue) == 0, "no axes")


@pytest.mark.slow
def test_picture_for_the_documents(tmp_path: Path) -> None:
    """`python test/view_picture.py` makes it: the robot, moved, and the panel."""
    file = tmp_path / "view.png"
    picture(file, tmp_path / "profile")
    pixels = np.asarray(Image.open(file).convert("RGB"), dtype=np.int16)
    assert pixels.shape == (760, 1040, 3)
    assert np.count_nonzero(dark(pixels[:, :700])) > 1000
    assert file.stat().st_size < 100_000


@pytest.fixture
def stranger(domain_id: int, tmp_path: Path) -> Iterator[None]:
    """A robot that is not ours, in the namespace /else."""
    path = tmp_path / "boom.stl"
    trimesh.creation.box((8, 1, 1)).export(path)
    script = str(Path(__file__).with_name("stranger_robot.py"))
    with running(Process([sys.executable, script, "/else", path.as_uri()], ROS_DOMAIN_ID=domain_id)) as process:
        yield
        assert "Traceback" not in process.text(), process.text()


def test_a_robot_that_is_not_ours(stranger: None, browser: Any, domain_id: int) -> None:
    with viewer(domain_id, "--namespace", "/else", "--joint-command", "/drive/cmd") as (process, url):
        page = Page(browser, url)
        page.until(lambda: page.fact("robot") == "stranger", "the robot")
        page.until(lambda: page.pixels(magenta) > 500, "its body")
        assert page.fact("fixed frame") == "map"
        assert page.fact("simulated time") == "no /clock"
        page.until(lambda: page.joint("boom_joint") == 0.3, "a joint by its name")
        assert page.joint("mast_joint") == pytest.approx(0.7)
        page.says("link 'boom': 'package://nobody_has_this/hook.stl' was not found; expected a file 'hook.stl' under")
        lacking = "set_simulation_state, step_simulation, reset_simulation"
        page.until(lambda: page.fact("no service") == lacking, "what is missing")
        assert all(page.button(name).is_disabled() for name in ("Play", "Pause", "Step", "Reset"))
        for topic in ("/else/scan (LaserScan)", "/else/points (PointCloud2)", "/else/depth (Image)"):
            page.says(topic)
        page.says("not shown: no transform from 'somewhere' to 'map'")
        page.until(lambda: page.page.locator('img[src^="blob:"]').count() == 1, "the camera's picture")
        assert page.errors == []
        _points_are_seen(page)
        _ends_well(process)
        page.page.close()


def _points_are_seen(page: Page) -> None:
    """They go when the scan is not wanted, and come again."""

    def around(view: Pixels) -> Any:
        red = (view[..., 0] > 180) & (view[..., 1] < 110) & (view[..., 2] < 110)
        blue = (view[..., 2] > 150) & (view[..., 0] < 90) & (view[..., 1] < 160)
        return red | blue

    box = page.box("/else/scan (LaserScan)")
    other = page.box("/else/points (PointCloud2)")
    page.until(lambda: page.pixels(around) > 50, "points")
    box.uncheck()
    other.uncheck()
    page.until(lambda: page.pixels(around) == 0, "no points")
    box.check()
    page.until(lambda: page.pixels(around) > 50, "points again")


def _ends_well(process: Process) -> None:
    """Ctrl-C, with a page open: it ends well and at once."""
    begun = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(20.0) == 0
    assert time.monotonic() - begun < 10.0
    assert "Traceback" not in process.text()


def test_one_of_two_robots(browser: Any, domain_id: int, sim_process: Callable[..., NodeProcess]) -> None:
    """The simulator stands above the namespaces of its robots, and their frames have these before their names."""
    sim_process(world="two_arms")
    with viewer(domain_id, "--namespace", "/right") as (_, url):
        page = Page(browser, url)
        page.until(lambda: page.fact("robot") == "arm", "the robot")
        page.until(lambda: page.fact("fixed frame") == "world", "the transforms of the right one")
        page.until(lambda: page.fact("real-time factor") != "not published", "the simulator")
        page.button("Pause").click()
        page.until(lambda: page.fact("state") == "paused", "the pause")
        assert "no transform" not in page.text()
        assert page.errors == []
        page.page.close()


def test_a_robot_that_drives_away_is_found_again(
    browser: Any,
    domain_id: int,
    sim_process: Callable[..., NodeProcess],
    client: Callable[..., PlainClient],
    tmp_path: Path,
) -> None:
    """By odometry: the frames are world -> odom -> the robot, and all that it sees is placed in them."""
    path = tmp_path / "alone.yaml"
    channels = "channels: [{name: scan, kind: lidar, link: laser_link, rays: 90, rate_hz: 10}]\n"
    path.write_text(f"extends: rover\nname: alone\nscene: [{FLOOR}]\n{channels}")
    sim_process(robot=path)
    driver = client(commands=())
    publisher = driver.node.create_publisher(TwistStamped, "diff_drive_controller/cmd_vel", 10)
    told = driver.hear(Odometry, "diff_drive_controller/odom")
    ahead = TwistStamped()
    ahead.twist.linear.x = 1.0

    def gone() -> bool:
        publisher.publish(ahead)
        driver.listen(0.05)
        return bool(told) and told[-1].pose.pose.position.x > 3.0

    with viewer(domain_id) as (_, url):
        page = Page(browser, url)
        page.until(lambda: page.fact("robot") == "rover", "the robot")
        page.until(lambda: page.pixels(orange) > 500, "its body")
        assert page.fact("fixed frame") == "world"
        page.until(gone, "three metres", 60.0)
        page.until(lambda: page.pixels(orange) < 100, "it to be out of sight")
        page.button("Look at the robot").click()
        page.until(lambda: page.pixels(orange) > 500, "its body again")
        for topic in ("/diff_drive_controller/odom (Odometry)", "/scan (LaserScan)"):
            page.says(topic)
        assert "no transform" not in page.text()
        assert page.errors == []
        page.page.close()
