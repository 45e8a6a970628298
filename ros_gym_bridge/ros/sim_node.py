"""The simulation node: a PyBullet robot on ROS 2 topics and services."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence

from rcl_interfaces.msg import ParameterDescriptor

from ros_gym_bridge.config import load_robot
from ros_gym_bridge.errors import BridgeError, ResetNeededError
from ros_gym_bridge.robot import RobotState
from ros_gym_bridge.ros.commands import CommandPort, command_topics
from ros_gym_bridge.ros.counters import Counters
from ros_gym_bridge.ros.facts import facts
from ros_gym_bridge.ros.health import PERIOD_S, Health
from ros_gym_bridge.ros.names import NODE_NAME, UNTIL_STDIN_CLOSES
from ros_gym_bridge.ros.pacing import Pacer
from ros_gym_bridge.ros.parameters import SIM_PARAMETERS, declare, leave_simulated_time, without_effect
from ros_gym_bridge.ros.publishers import ClockPublisher
from ros_gym_bridge.ros.robot_ports import RobotPorts, Transforms
from ros_gym_bridge.ros.services import SimulationServices
from ros_gym_bridge.ros.session import Session, open_session
from ros_gym_bridge.ros.stop import Stop, end_with_stdin
from ros_gym_bridge.sim.engine import Engine
from ros_gym_bridge.sim.playback import Playback
from ros_gym_bridge.sim.simulation import Simulation
from ros_gym_bridge.world_file import WorldFile, world_of

_AGAIN_S = 0.1  # while nothing moves, the state is published again at 10 Hz: who comes late learns where time stands
_LEAD_NS = 1_000_000  # the executor's timeouts are coarse: the last millisecond before a deadline is slept
_SERVE_S = 0.005  # as fast as possible: how often callbacks are served


class SimNode:
    """Ties the robot, the engine and ROS together, and runs the loop that moves time.

    Args:
        session: an open session whose node gets the parameters, publishers, subscriptions and services.

    Raises:
        BridgeError: a parameter or robot file that cannot be used.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        node = self._node = session.node
        values = declare(node, SIM_PARAMETERS)
        world = world_of(load_robot(str(values["robot"])))
        self._declare_facts(world)
        simulation = self._simulation = Simulation(world, gui=bool(values["gui"]))
        seed = int(values["seed"])
        simulation.reset(seed if seed >= 0 else None, strict=False)
        simulation.rewind()
        self._counters = Counters(node.get_logger().warning)
        self._engine = Engine(simulation, command_topics(world), values["mode"] == "lockstep", self._publish)
        self._commands = CommandPort(node, world, self._engine, self._counters)
        transforms = Transforms(
            bool(values["publish_tf"]), bool(values["robot_state_publisher"]), str(values["frame_prefix"])
        )
        self._ports = [
            RobotPorts(node, placed, robot.body, transforms)
            for placed, robot in zip(world.robots, simulation.robots, strict=True)
        ]
        self._clock = ClockPublisher(node) if values["publish_clock"] else None
        self._services = SimulationServices(node, self._engine)
        self._health = Health(node, self._engine, self._counters, bool(values["publish_clock"]))
        self._pacer = Pacer(world.steps_per_period / world.physics_hz)
        self._published_at = self._reported_at = self._served_at = time.monotonic()
        if values["start_paused"]:
            self._engine.playback = Playback.PAUSED
        self._engine.publish()
        self._warn()
        node.get_logger().info(self._greeting(world, str(values["mode"])))

    def run(self) -> None:
        """Move time until somebody asks to quit."""
        engine = self._engine
        paced = False
        while engine.playback != Playback.QUITTING:
            moves = engine.playback == Playback.PLAYING and not engine.lockstep and not self._simulation.diverged
            if self._services.busy:
                self._services.work()
                self._serve(0.0)
            elif moves:
                if not paced:
                    self._pacer.restart(self._factor())
                self._move_in_real_time()
            else:
                self._serve(_AGAIN_S / 2)
            paced = moves
            self._housekeeping()
        self._services.abandon()

    def quit(self) -> None:
        """End the loop; may be called from a signal handler or another thread."""
        self._engine.playback = Playback.QUITTING

    def close(self) -> None:
        """Give the physics back. May be called again."""
        self._simulation.close()

    def _serve(self, timeout_s: float) -> None:
        self._session.executor.spin_once(timeout_sec=timeout_s)

    def _move_in_real_time(self) -> None:
        """Wait for the end of the period, then move through it under the newest command."""
        factor = self._factor()
        if factor != self._pacer.factor:
            self._pacer.restart(factor)
        if not self._wait_until(self._pacer.due_ns()):
            return
        try:
            self._engine.advance(self._simulation.steps_per_period)
        except ResetNeededError as error:
            self._counters.add("diverged", f"{error} Time stands still until reset_simulation.")
        stalled_ns = self._pacer.done()
        if stalled_ns:
            text = f"Simulated time fell {stalled_ns / 1e6:.0f} ms behind the wall clock and goes on from here at pace."
            self._counters.add("overruns", text)

    def _wait_until(self, due_ns: int) -> bool:
        """Serve callbacks, then sleep, until the deadline; False when time has been stopped in between, or when the
        deadline is so far away that other work comes first."""
        if self._pacer.factor == 0.0:
            if time.monotonic() - self._served_at > _SERVE_S:
                self._drain()
        else:
            while (rest_ns := due_ns - time.monotonic_ns()) > 2 * _LEAD_NS:
                self._serve(min((rest_ns - _LEAD_NS) / 1e9, _AGAIN_S / 2))
                if not self._moving() or rest_ns > _AGAIN_S * 1e9:
                    return False
            self._drain()
            rest_ns = due_ns - time.monotonic_ns()
            if rest_ns > 0:
                time.sleep(rest_ns / 1e9)
        return self._moving()

    def _drain(self) -> None:
        """Take every command that has arrived, so that the newest one counts."""
        heard = -1
        while heard != self._commands.heard:
            heard = self._commands.heard
            self._serve(0.0)
        self._served_at = time.monotonic()

    def _moving(self) -> bool:
        return self._engine.playback == Playback.PLAYING and not self._services.busy

    def _factor(self) -> float:
        return float(self._node.get_parameter("real_time_factor").value)

    def _publish(self, states: Sequence[RobotState]) -> None:
        for ports, state in zip(self._ports, states, strict=True):
            ports.publish(state)
        if self._clock is not None:
            self._clock.publish(states[0].stamp_ns)
        self._published_at = time.monotonic()

    def _housekeeping(self) -> None:
        now = time.monotonic()
        if now - self._published_at >= _AGAIN_S and not self._simulation.diverged:
            self._engine.publish()
        if now - self._reported_at >= PERIOD_S:
            self._reported_at = now
            self._health.report()

    def _declare_facts(self, world: WorldFile) -> None:
        """What a client compares with its own robot file."""
        for placed in world.robots:
            for fact in facts(placed.robot):
                name = f"{placed.namespace}.{fact.name}" if placed.namespace else fact.name
                descriptor = ParameterDescriptor(description=fact.description, read_only=True)
                self._node.declare_parameter(name, fact.value, descriptor, True)

    def _warn(self) -> None:
        """Say which of the given parameters are not obeyed."""
        log = self._node.get_logger()
        for sentence in without_effect(self._node):
            log.warning(sentence)
        if leave_simulated_time(self._node):
            log.warning("This node makes the simulated time and cannot live on it: use_sim_time is false here.")

    def _greeting(self, world: WorldFile, mode: str) -> str:
        joints = sum(len(placed.robot.spec.joints) for placed in world.robots)
        return (
            f"Simulating '{world.name}' in {mode} mode: {world.physics_hz} physics steps and "
            f"{world.physics_hz // world.steps_per_period} control periods per second, {joints} joints; "
            f"ROS domain {self._session.domain_id}."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the node until SIGINT, SIGTERM or the state QUITTING. Exit code 0, 1 for a failure, 2 for a
    user's mistake."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    tied = UNTIL_STDIN_CLOSES in given
    given = [argument for argument in given if argument != UNTIL_STDIN_CLOSES]
    stop = Stop()
    session: Session | None = None
    node: SimNode | None = None
    try:
        session = open_session(NODE_NAME, given)
        if stop.asked:
            return 0
        node = SimNode(session)
        stop.then(node.quit)
        if tied:
            threading.Thread(target=end_with_stdin, daemon=True).start()
        node.run()
    except BridgeError as error:
        print(f"sim_node: {error}", file=sys.stderr)
        return error.exit_code
    finally:
        if node is not None:
            node.close()
        if session is not None:
            session.close()
        stop.ignore()
    return 0


if __name__ == "__main__":
    sys.exit(main())
