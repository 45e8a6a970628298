"""Bodies that come and go while a simulation runs: what a reset makes of them, to the last bit. No ROS."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ros_gym_bridge import load_robot
from ros_gym_bridge.errors import EntityError, ModelError, NoEntityError
from ros_gym_bridge.model import RobotModel, read_model
from ros_gym_bridge.paths import share_directory
from ros_gym_bridge.sim import client as bullet
from ros_gym_bridge.sim.entities import Entities
from ros_gym_bridge.sim.loader import Loader
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.sim.world import World
from ros_gym_bridge.world_file import SpawnedBody, world_of
from ros_gym_bridge.worlds import load_world

CUBE = read_model(share_directory() / "urdf" / "cube.urdf")
DOOR = """<robot name="door"><link name="world"/>
<joint name="hinge" type="revolute"><parent link="world"/><child link="leaf"/><axis xyz="0 1 0"/>
<limit lower="-3" upper="3" velocity="100" effort="100"/></joint>
<link name="leaf"><inertial><origin xyz="0.5 0 0"/><mass value="1"/>
<inertia ixx="0.001" ixy="0" ixz="0" iyy="0.001" iyz="0" izz="0.001"/></inertial></link></robot>"""


class Bench:
    """The table world with the Panda in it, and everything that has a name."""

    def __init__(self, world: str = "table") -> None:
        self.simulation = Simulation(load_world(world, "panda"))
        self.entities = Entities(self.simulation)
        self.simulation.reset(1, strict=False)

    def spawn(self, name: str, at: Any = (0.5, 0.0, 0.3), model: RobotModel = CUBE, fixed: bool = False) -> None:
        self.entities.spawn(SpawnedBody(name, model, at, (0.0, 0.0, 0.0, 1.0), fixed))

    def run(self, periods: int = 10) -> list[Any]:
        """Everything that there is to see, after each control period."""
        seen = []
        for _ in range(periods):
            targets = [robot.spec.command_home for robot in self.simulation.robots]
            self.simulation.advance(targets, self.simulation.steps_per_period)
            seen.append(self.seen())
        return seen

    def seen(self) -> Any:
        joints = [robot.state.position.tobytes() for robot in self.simulation.robots]
        return joints, {name: self.entities.states.of(name)[:2] for name in self.entities.names()}

    def episode(self, strict: bool = False) -> list[Any]:
        self.simulation.reset(1, strict)
        return self.run()

    def close(self) -> None:
        self.entities.close()
        self.simulation.close()


@pytest.fixture
def make() -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def start(world: str = "table") -> Bench:
        benches.append(Bench(world))
        return benches[-1]

    yield start
    for bench in benches:
        bench.close()


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()


def test_what_was_spawned_is_there_and_falls_undamped(bench: Bench) -> None:
    bench.spawn("one", (3.0, 0.0, 5.0))
    assert bench.entities.names()[-1] == "one"
    assert bench.entities.states.of("one").pose == ((3.0, 0.0, 5.0), (0.0, 0.0, 0.0, 1.0))
    bench.run(20)
    steps, period_s = 400, 1 / 500
    assert bench.entities.states.of("one").twist.linear[2] == pytest.approx(-9.81 * steps * period_s, rel=1e-9)


def test_a_reset_puts_it_back_the_same_to_the_last_bit_strict_or_not(bench: Bench) -> None:
    bench.run(3)
    bench.spawn("one")
    bench.spawn("two", (0.5, 0.01, 0.4))
    bench.run(7)
    first = bench.episode()
    assert first == bench.episode() == bench.episode(strict=True) == bench.episode()
    assert first[-1][1]["two"] != first[0][1]["two"], "something has happened"
    assert list(first[0][1])[-2:] == ["one", "two"]


def test_it_does_not_matter_when_it_was_spawned(make: Callable[..., Bench]) -> None:
    early, late = make(), make()
    early.spawn("one")
    late.run(5)
    late.spawn("one")
    late.run(5)
    assert early.episode() == late.episode()


def test_once_it_is_deleted_everything_is_as_if_it_had_never_been(make: Callable[..., Bench]) -> None:
    clean, used = make(), make()
    expected = clean.episode()
    used.spawn("one")
    used.spawn("two", (0.5, 0.0, 0.4))
    used.run(5)
    used.entities.delete("one")
    assert "one" not in used.entities.names()
    used.run(2)
    used.entities.delete_spawned()
    assert used.entities.names() == clean.entities.names()
    assert used.episode() == expected == used.episode(strict=True)


def test_only_the_first_reset_after_a_change_loads_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    load = World.load
    monkeypatch.setattr(World, "load", lambda world: loads.append(world) or load(world))
    bench.spawn("one")
    for expected in (1, 1, 1):
        bench.simulation.reset(1, strict=False)
        assert len(loads) == expected
    bench.entities.delete("one")
    for expected in (2, 2):
        bench.simulation.reset(1, strict=False)
        assert len(loads) == expected


def test_a_model_that_pybullet_refuses_changes_nothing(make: Callable[..., Bench]) -> None:
    """`read_model` refuses whatever is known to be wrong, so the text is taken away behind its back."""
    model = dataclasses.replace(CUBE, text='<robot name="empty"/>')
    clean, used = make(), make()
    for each in (clean, used):
        each.simulation.reset(1, strict=False)
        each.run(3)
    before = used.seen()
    for _ in range(3):
        with pytest.raises(ModelError, match=r"cube.urdf: PyBullet cannot load it; got Cannot load URDF file"):
            used.spawn("one", model=model)
    assert used.seen() == before
    assert used.entities.names() == clean.entities.names()
    assert not used.simulation.world.client.changed
    assert used.run() == clean.run()
    assert used.episode() == clean.episode()


def test_a_body_of_the_world_file_comes_back_with_the_next_reset(bench: Bench) -> None:
    expected = bench.episode()
    bench.entities.delete("cube_on_top")
    assert "cube_on_top" not in bench.entities.names()
    bench.run(3)
    assert bench.episode() == expected
    assert bench.entities.infos.of("cube_on_top").tags == ("cube", "graspable")


def test_the_joints_of_what_was_spawned_swing_freely(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "door.urdf").write_text(DOOR)
    bench.spawn("door", (2.0, 0.0, 3.0), read_model(tmp_path / "door.urdf"), fixed=True)
    bench.run(5)
    body = bench.entities.body("door")
    fallen = bench.simulation.world.client.getJointState(body, 0)[0]
    assert fallen == pytest.approx(0.5 * (9.81 * 0.5 / 0.251) * 0.2**2, rel=0.05)
    assert bench.entities.is_fixed("door")
    assert bench.episode() == bench.episode(strict=True)


def test_robots_cannot_be_deleted(bench: Bench) -> None:
    with pytest.raises(EntityError) as caught:
        bench.entities.delete("panda")
    assert str(caught.value) == ("robot 'panda' cannot be deleted; got 'panda'; expected a body; Load another world.")
    with pytest.raises(NoEntityError):
        bench.entities.delete("nobody")


def test_there_is_an_end_to_spawning(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ros_gym_bridge.sim.entities.MAX_SPAWNED", 2)
    bench.spawn("one")
    bench.spawn("two", (0.0, 1.0, 1.0))
    with pytest.raises(EntityError) as caught:
        bench.spawn("three")
    assert str(caught.value) == "too many entities; expected at most 2 that were spawned."
    bench.entities.delete("one")
    bench.spawn("three")


def test_a_robot_without_bodies_around_it_is_as_quick_as_before() -> None:
    """Nothing that is spawned: a reset restores the snapshot."""
    simulation = Simulation(world_of(load_robot("arm")))
    assert not simulation.world.client.changed
    simulation.reset(None, strict=False)
    assert not simulation.world.client.changed
    simulation.close()


def test_a_world_that_cannot_be_loaded_leaves_no_client_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process can have one window: the next world needs it."""
    made: list[Any] = []
    connect = bullet.connect
    monkeypatch.setattr(bullet, "connect", lambda *arguments: made.append(connect(*arguments)) or made[-1])
    monkeypatch.setattr(Loader, "_file", lambda *_: "/nowhere.urdf")
    with pytest.raises(ModelError, match="PyBullet cannot load it"):
        World(load_world("table", "panda"))
    assert len(made) == 1
    assert not made[0].isConnected()
