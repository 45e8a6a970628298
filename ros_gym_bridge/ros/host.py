"""The simulator as its services see it: a world or none, whether time moves, and what is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ros_gym_bridge.ros.stage import Stage
from ros_gym_bridge.sim.playback import Playback
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.world_file import WorldFile


class Job(Protocol):
    """Work that takes longer than a callback may. One at a time; the node serves everything else between slices.

    Attributes:
        name: of the service or action that is answered when it is done.
        state: what the simulator tells meanwhile; None for the state that it was in.
        still: whether time waits for it.
    """

    name: str
    state: Playback | None
    still: bool

    def work(self) -> bool:
        """One slice; True when nothing is left, and whoever waits has been answered."""

    def abandon(self) -> None:
        """The node ends: answer now."""


class Host:
    """What stands on stage, and who moves it.

    Attributes:
        stage: the world that is loaded; None for no world.
        job: what is under way.
        questions: what is being found out, one after the other, while everything goes on.
        loaded: called when another world stands.
        quitting: somebody asked the node to end.

    Args:
        build: makes a stage of a simulation.
        check: refuses a world that this node cannot run.
        gui: show PyBullet's own window, which a process can have one of.
    """

    def __init__(self, build: Callable[[Simulation], Stage], check: Callable[[WorldFile], None], gui: bool) -> None:
        self._build, self._check, self._gui = build, check, gui
        self.stage: Stage | None = None
        self.job: Job | None = None
        self.questions: list[Job] = []
        self.quitting = False
        self.loaded: Callable[[], None] = lambda: None

    @property
    def playback(self) -> Playback:
        """The state of the simulator."""
        if self.quitting:
            return Playback.QUITTING
        if self.job is not None and self.job.state is not None:
            return self.job.state
        return Playback.NO_WORLD if self.stage is None else self.stage.engine.playback

    @property
    def under_way(self) -> str:
        """What is, in words; empty when nothing is."""
        if self.job is None:
            return ""
        article = "an" if self.job.name[0] in "aeiou" else "a"
        return f"{article} {self.job.name} is under way; wait for its answer"

    @property
    def working(self) -> bool:
        """Whether `work` has something to do."""
        return self.job is not None or bool(self.questions)

    @property
    def still(self) -> bool:
        """Whether time waits for what is under way."""
        return self.job is not None and self.job.still

    def load(self, world: WorldFile, seed: int | None) -> Stage:
        """Put a world in the place of the one that is there, or leave that as it is. Not from within a callback.

        Raises:
            ModelError: PyBullet refuses a model; nothing has changed.
            OptionError: this node cannot run it; nothing has changed.
        """
        self._check(world)
        simulation = Simulation(world, gui=self._gui and self.stage is None)
        if self._gui and self.stage is not None:  # it was a trial: there can be one window only
            simulation.close()
            self.unload()
            simulation = Simulation(world, gui=True)
        self.unload()
        simulation.reset(seed, strict=False)
        simulation.rewind()
        self.stage = self._build(simulation)
        self.loaded()
        return self.stage

    def unload(self) -> None:
        """No world any more. Not from within a callback. May be called again."""
        if self.stage is not None:
            self.stage.close()
            self.stage = None

    def work(self) -> None:
        """A slice of what is under way."""
        if self.job is not None and self.job.work():
            self.job = None
        if self.questions and self.questions[0].work():
            self.questions.pop(0)

    def abandon(self) -> None:
        """The node ends: tell whoever waits. May be called again."""
        for each in (*self.questions, *([self.job] if self.job is not None else [])):
            each.abandon()
        self.job, self.questions = None, []
