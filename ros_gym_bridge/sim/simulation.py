"""A simulation: a world, the robots in it, and the count of physics steps that is its time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ros_gym_bridge.errors import ResetNeededError
from ros_gym_bridge.robot import FloatArray, RobotState
from ros_gym_bridge.sim.renderer import choose_renderer
from ros_gym_bridge.sim.simulated import SimulatedRobot
from ros_gym_bridge.sim.world import World
from ros_gym_bridge.world_file import WorldFile


class Simulation:
    """Robots that move together. Time is a count of physics steps; only `rewind` turns it back.

    The first state stands at one control period and a reset advances time by one more, so no stamp names two states.
    Where channels are slower than the control rate, both go on to the next period in which all of them are due: the
    same seed gives the same episode whenever it begins.

    Attributes:
        world: the physics.
        robots: in the order of the world file.
        steps: physics steps since the simulation began.
        before_step: called before each physics step.

    Args:
        world: what stands in it.
        gui: show PyBullet's own window.

    Raises:
        ModelError: PyBullet refuses a model.
        MissingDependencyError, OptionError: see `choose_renderer`.
    """

    def __init__(self, world: WorldFile, gui: bool = False) -> None:
        self.world_file = world
        self.world = World(world, gui, choose_renderer(world, gui))
        self.robots = tuple(SimulatedRobot(self.world, body) for body in self.world.robots)
        self.steps_per_period = world.steps_per_period
        self._round = self.steps_per_period * math.lcm(*(robot.sensors.round for robot in self.robots))
        self._pushed = [robot.deliver for robot in self.robots if robot.late]
        self._pushed += [robot.push for robot in self.robots if robot.pushes]
        self._noted = [robot.note for robot in self.robots if robot.sensors.notes]
        self.before_step: list[Callable[[], None]] = []
        self._step = self.world.step
        self._rng = np.random.default_rng()
        self.steps = 0
        self._begin()

    @property
    def stamp_ns(self) -> int:
        """Stamp of the current states."""
        return self.robots[0].state.stamp_ns

    @property
    def states(self) -> tuple[RobotState, ...]:
        """The newest state of every robot."""
        return tuple(robot.state for robot in self.robots)

    @property
    def diverged(self) -> bool:
        """Whether the last step left a state that is no number; only a reset heals it."""
        return any(robot.diverged for robot in self.robots)

    def reset(self, seed: int | None, strict: bool) -> None:
        """Start an episode: home positions plus the robot files' noise, motors at home, time one period on.

        Args:
            seed: seeds the generator of this simulation; None goes on with it.
            strict: load everything anew instead of restoring the snapshot.
        """
        if seed is not None and any(robot.random for robot in self.robots):
            self._rng = np.random.default_rng(seed)
        if strict or self.diverged:
            self.world.load()
        else:
            self.world.restore()
        for robot in self.robots:
            robot.scatter(self._rng)
        self._begin()

    def rewind(self) -> None:
        """Turn time back: the present state stands where the first one stood."""
        self.steps = self._round
        for robot in self.robots:
            robot.restamp(self.steps)

    def renew(self) -> None:
        """The present state under a stamp of its own, as after a reset: somebody has changed it by hand, and no stamp
        names two states."""
        self._go_on()
        for robot in self.robots:
            robot.restamp(self.steps)

    def advance(self, targets: Sequence[FloatArray], physics_steps: int, observe: bool = True) -> None:
        """Move time on by whole physics steps under one command, limited once for each control period begun.

        Args:
            targets: `(n_command,)` for each robot, finite; what is asked, before limits.
            physics_steps: how many, at least 1.
            observe: renew the states; False leaves that to `observe`.

        Raises:
            ResetNeededError: the state is no number and physics cannot go on.
        """
        self._check_sane()
        remaining = physics_steps
        while remaining > 0:
            offset = self.steps % self.steps_per_period
            if offset == 0:
                for robot, target in zip(self.robots, targets, strict=True):
                    robot.command(target)
            count = min(remaining, self.steps_per_period - offset)
            self._run(count)
            remaining -= count
        if observe:
            self.observe()

    def observe(self) -> None:
        """Renew the states.

        Raises:
            ResetNeededError: they are no numbers.
        """
        for robot in self.robots:
            robot.observe(self.steps)
        self._check_sane()

    def close(self) -> None:
        """Disconnect from PyBullet. May be called again."""
        self.world.close()

    def _begin(self) -> None:
        """The first state of an episode."""
        self._go_on()
        for robot in self.robots:
            robot.begin(self.steps, self._rng)

    def _go_on(self) -> None:
        """To the next stamp at which every channel is due."""
        self.steps = (self.steps // self._round + 1) * self._round

    def _check_sane(self) -> None:
        if self.diverged:
            raise ResetNeededError(
                "the simulated state is not a number: the physics has diverged",
                got=f"at {self.stamp_ns} ns",
                remedy="Call reset(); smaller efforts or a higher physics_hz keep it from happening again",
            )

    def _run(self, count: int) -> None:
        """So many physics steps; before the last one, sensors that compare two states look at the first of them."""
        end = self.steps + count
        if self._noted:
            self._step_on(count - 1)
            for note in self._noted:
                note(end)
            count = 1
        self._step_on(count)
        self.steps = end

    def _step_on(self, count: int) -> None:
        step, pushed = self._step, [*self._pushed, *self.before_step]
        if pushed:
            for _ in range(count):
                for push in pushed:
                    push()
                step()
        else:
            for _ in range(count):
                step()
