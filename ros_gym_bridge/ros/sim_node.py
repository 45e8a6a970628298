"""The simulation node: a PyBullet robot on ROS 2 topics and services."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence

from ros_gym_bridge.config import load_robot
from ros_gym_bridge.errors import ResetNeededError
from ros_gym_bridge.ros.costs import dearest, spent
from ros_gym_bridge.ros.counters import Counters
from ros_gym_bridge.ros.health import PERIOD_S, Health
from ros_gym_bridge.ros.host import Host
from ros_gym_bridge.ros.names import NODE_NAME, UNTIL_STDIN_CLOSES
from ros_gym_bridge.ros.pacing import sleep_until
from ros_gym_bridge.ros.parameters import (
    ON_THE_WALL_CLOCK,
    SIM_PARAMETERS,
    declare,
    leave_simulated_time,
    without_effect,
)
from ros_gym_bridge.ros.physics_parameters import PhysicsParameters
from ros_gym_bridge.ros.program import run_program
from ros_gym_bridge.ros.publishers import ClockPublisher
from ros_gym_bridge.ros.robot_ports import Transforms
from ros_gym_bridge.ros.services.offered import SimulationServices
from ros_gym_bridge.ros.session import Session, set_ros_environment
from ros_gym_bridge.ros.stage import Settings, Stage
from ros_gym_bridge.ros.stop import Stop, end_with_stdin
from ros_gym_bridge.sim.playback import Playback
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.world_file import WorldFile, world_of
from ros_gym_bridge.worlds import load_world

_AGAIN_S = 0.1  # while nothing moves, the state is published again at 10 Hz: who comes late learns where time stands
_LEAD_NS = 1_000_000  # the executor's timeouts are coarse: the last millisecond before a deadline is slept
_LAST_WORDS_S = 0.1  # the result of an action goes out in several steps of the executor
_SERVE_S = 0.005  # as fast as possible: how often callbacks are served


class SimNode:
    """Ties the world, its services and ROS together, and runs the loop that moves time.

    Args:
        session: an open session whose node gets the parameters, publishers, subscriptions and services.

    Raises:
        BridgeError: a parameter or robot file that cannot be used.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        node = self._node = session.node
        values = declare(node, SIM_PARAMETERS)
        robot = str(values["robot"])
        world = load_world(str(values["world"]), robot) if values["world"] else world_of(load_robot(robot))
        transforms = Transforms(
            bool(values["publish_tf"]), bool(values["robot_state_publisher"]), str(values["frame_prefix"])
        )
        self._settings = Settings(values["mode"] == "lockstep", transforms)
        self._counters = Counters(node.get_logger().warning)
        self._host = Host(self._build, self._settings.check, bool(values["gui"]))
        self._published_at = self._reported_at = self._served_at = time.monotonic()
        self._clock = ClockPublisher(node) if values["publish_clock"] else None
        seed = int(values["seed"])
        stage = self._host.load(world, seed if seed >= 0 else None)
        self._host.loaded = PhysicsParameters(node, self._host).take_world
        folders = [folder for folder in str(values["resource_path"]).split(os.pathsep) if folder]
        self._services = SimulationServices(session, self._host, robot, folders)
        self._health = Health(node, self._host, self._counters, bool(values["publish_clock"]))
        if values["start_paused"]:
            stage.engine.playback = Playback.PAUSED
        stage.engine.publish()
        self._warn()
        node.get_logger().info(self._greeting(world, str(values["mode"])))

    def run(self) -> None:
        """Move time until somebody asks to quit."""
        host = self._host
        paced = False
        while not host.quitting:
            host.work()
            stage = host.stage
            moves = stage is not None and self._moving(stage) and not stage.engine.lockstep
            if host.still:
                self._serve(0.0)
            elif stage is not None and moves:
                if not paced:
                    stage.pacer.restart(self._factor())
                self._move_in_real_time(stage)
            else:
                self._serve(_SERVE_S if host.working else _AGAIN_S / 2)
            paced = moves
            self._housekeeping()

    def quit(self) -> None:
        """End the loop; may be called from a signal handler or another thread."""
        self._host.quitting = True

    def close(self) -> None:
        """Answer whoever waits, and give the physics back. May be called again."""
        last_words = self._services.unanswered
        self._host.abandon()
        end = time.monotonic() + _LAST_WORDS_S
        while last_words and time.monotonic() < end:
            self._serve(_SERVE_S)
        self._host.unload()
        self._services.close()

    def _build(self, simulation: Simulation) -> Stage:
        return Stage(self._node, simulation, self._settings, self._counters, self._told, lambda: self._host.still)

    def _serve(self, timeout_s: float) -> None:
        self._session.executor.spin_once(timeout_sec=timeout_s)

    def _move_in_real_time(self, stage: Stage) -> None:
        """Wait for the end of the period, then move through it under the newest command."""
        factor = self._factor()
        if factor != stage.pacer.factor:
            stage.pacer.restart(factor)
        if not self._wait_until(stage):
            return
        try:
            stage.engine.advance(stage.simulation.steps_per_period)
        except ResetNeededError as error:
            self._counters.add("diverged", f"{error} Time stands still until reset_simulation.")
        taken = spent(stage.simulation)
        stalled_ns = stage.pacer.done(sum(taken.values()))
        if stalled_ns:
            text = f"Simulated time fell {stalled_ns / 1e6:.0f} ms behind the wall clock and goes on from here at pace."
            self._counters.add("overruns", text + dearest(stage.simulation, taken))

    def _wait_until(self, stage: Stage) -> bool:
        """Serve callbacks, then sleep, until the period ends; False when time has been stopped in between, or when the
        end is so far away that other work comes first."""
        due_ns = stage.pacer.due_ns()
        if stage.pacer.factor == 0.0:
            if time.monotonic() - self._served_at > _SERVE_S:
                self._drain(stage)
        else:
            while (rest_ns := due_ns - time.monotonic_ns()) > 2 * _LEAD_NS:
                self._serve(min((rest_ns - _LEAD_NS) / 1e9, _AGAIN_S / 2))
                if not self._moving(stage) or rest_ns > _AGAIN_S * 1e9:
                    return False
            self._drain(stage)
            sleep_until(due_ns)
        return self._moving(stage)

    def _drain(self, stage: Stage) -> None:
        """Take every command that has arrived, so that the newest one counts."""
        heard = -1
        while heard != stage.commands.heard:
            heard = stage.commands.heard
            self._serve(0.0)
        self._served_at = time.monotonic()

    def _moving(self, stage: Stage) -> bool:
        return self._host.playback == Playback.PLAYING and not self._host.still and not stage.simulation.diverged

    def _factor(self) -> float:
        return float(self._node.get_parameter("real_time_factor").value)

    def _told(self, stamp_ns: int) -> None:
        """The robots have published a state."""
        if self._clock is not None:
            self._clock.publish(stamp_ns)
        self._published_at = time.monotonic()

    def _housekeeping(self) -> None:
        now, stage = time.monotonic(), self._host.stage
        if stage is not None and now - self._published_at >= _AGAIN_S and not stage.simulation.diverged:
            stage.engine.publish()
        if now - self._reported_at >= PERIOD_S:
            self._reported_at = now
            self._health.report()

    def _warn(self) -> None:
        """Say which of the given parameters are not obeyed."""
        log = self._node.get_logger()
        for sentence in without_effect(self._node):
            log.warning(sentence)
        if leave_simulated_time(self._node):
            log.warning(ON_THE_WALL_CLOCK)

    def _greeting(self, world: WorldFile, mode: str) -> str:
        joints = sum(len(placed.robot.spec.joints) for placed in world.robots)
        configs = [placed.robot.config for placed in world.robots]
        observed = [each.name for config in configs for each in config.channels if each not in config.sensors]
        return (
            f"Simulating '{world.name}' in {mode} mode: {world.physics_hz} physics steps and "
            f"{world.physics_hz // world.steps_per_period} control periods per second, {joints} joints; "
            f"ROS domain {self._session.domain_id}." + (f" Not simulated: {', '.join(observed)}." if observed else "")
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until SIGINT, SIGTERM or the state QUITTING. Exit code 0, 1 for a failure, 2 for a
    user's mistake."""
    given = list(sys.argv[1:] if arguments is None else arguments)

    def make(session: Session, stop: Stop) -> SimNode:
        node = SimNode(session)
        stop.then(node.quit)
        if UNTIL_STDIN_CLOSES in given:
            threading.Thread(target=end_with_stdin, daemon=True).start()
        return node

    set_ros_environment(pictures=True)
    return run_program(NODE_NAME, [argument for argument in given if argument != UNTIL_STDIN_CLOSES], make)


if __name__ == "__main__":
    sys.exit(main())
