"""The agent node: a policy that drives a task over topics, on a simulator or a robot alike."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ros_gym_bridge.env import RobotEnv
from ros_gym_bridge.errors import OptionError
from ros_gym_bridge.policies import ReachPolicy
from ros_gym_bridge.robot import NANOSECONDS
from ros_gym_bridge.ros.parameters import Parameter, declare
from ros_gym_bridge.ros.program import run_program
from ros_gym_bridge.ros.session import Session
from ros_gym_bridge.ros.stop import Stop
from ros_gym_bridge.tasks import TASKS
from ros_gym_bridge.tasks.reach import Reach

NODE_NAME = "agent_node"

Policy = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

AGENT_PARAMETERS = (
    Parameter("task", "Reach", "What to do.", choices=tuple(TASKS)),
    Parameter("robot", "", "Robot file, the same as on the other side: a name or a path; empty: the task's own."),
    Parameter(
        "stepping",
        "lockstep",
        "What moves time: each command, a service call after each command, or the wall clock.",
        choices=("lockstep", "step_service", "realtime"),
    ),
    Parameter("command_prefix", "", "Put before the command topics: agent, where safety_node stands before the robot."),
    Parameter(
        "policy", "scripted", "Who acts: a controller that solves Reach, or chance.", choices=("scripted", "random")
    ),
    Parameter("episodes", 0, "How many; 0: until the node is ended.", low=0, high=2**31 - 1),
    Parameter("seed", -1, "Seed of the first episode, from which the others follow; -1: none.", low=-1, high=2**31 - 1),
    Parameter("connect_timeout_s", 10.0, "How long to look for the other side.", unit="s", low=0.1, high=3600.0),
)


class Agent:
    """Runs episodes and logs how each went.

    The environment has a node of its own, `gym_adapter_...`, with the same namespace and remapping.

    Args:
        session: an open session whose node gets the parameters and logs.
        arguments: the ROS arguments of that session.
        stop: says whether somebody asked to quit.

    Raises:
        BridgeError: a parameter or robot file that cannot be used.
    """

    def __init__(self, session: Session, arguments: Sequence[str], stop: Stop) -> None:
        values = declare(session.node, AGENT_PARAMETERS)
        self._session, self._stop = session, stop
        self._log = session.node.get_logger()
        self._wanted = int(values["episodes"])
        self._seed = int(values["seed"]) if int(values["seed"]) >= 0 else None
        self._env = RobotEnv(
            str(values["task"]),
            str(values["robot"]) or None,
            backend="topics",
            attach=True,
            stepping=values["stepping"],
            command_prefix=values["command_prefix"],
            connect_timeout_s=values["connect_timeout_s"],
            ros_arguments=[for_adapter(argument) for argument in arguments],
            stop=lambda: stop.asked,
        )
        self._policy = _policy(str(values["policy"]), self._env, self._seed)
        self._done = self._successes = 0
        what = ", ".join(f"{name} {values[name]}" for name in ("task", "policy", "stepping"))
        self._log.info(f"Driving '{self._env.robot_file.spec.name}': {what}; ROS domain {session.domain_id}.")

    def run(self) -> None:
        """Episode after episode, until somebody asks to quit.

        Raises:
            BridgeError: the robot is not there, is another one, is lost or refuses; or a wait was cut short.
        """
        while (self._done < self._wanted or not self._wanted) and not self._stop.asked:
            self._episode(self._seed if self._done == 0 else None)

    def close(self) -> None:
        """Say how it went and leave the graph."""
        self._env.close()
        if self._done:
            share = self._successes / self._done
            self._log.info(f"{self._done} episodes, {self._successes} of them a success ({share:.1%}).")

    def _episode(self, seed: int | None) -> None:
        observation, info = self._env.reset(seed=seed)
        begun_ns = info["timing"]["stamp_ns"]
        steps, total, over = 0, 0.0, False
        while not over:
            if self._stop.asked:
                return
            observation, reward, terminated, truncated, info = self._env.step(self._policy(observation))
            steps, total, over = steps + 1, total + reward, terminated or truncated
            self._session.executor.spin_once(timeout_sec=0.0)  # the parameter services
        self._done += 1
        self._successes += info["success"]
        self._log.info(
            f"Episode {self._done}: {'success' if info['success'] else 'failure'} after {steps} steps, "
            f"{(info['timing']['stamp_ns'] - begun_ns) / NANOSECONDS:.2f} s; return {total:.2f}."
        )


def _policy(name: str, env: RobotEnv, seed: int | None) -> Policy:
    if name == "scripted":
        if not isinstance(env.task, Reach):
            task = type(env.task).__name__
            raise OptionError("the scripted policy solves Reach", got=f"the task {task}", remedy="Set policy to random")
        return ReachPolicy(env.robot_file, env.task.fields)
    space = env.action_space
    space.seed(seed)
    return lambda observation: space.sample()


def for_adapter(argument: str) -> str:
    """A ROS argument of this node as its adapter gets it: rules for this node by its name hold there too, but the
    adapter keeps a name of its own."""
    rule = argument.removeprefix(f"{NODE_NAME}:")
    return f"{NODE_NAME}:{rule}" if rule.startswith(("__node:=", "__name:=")) else rule


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the episodes, or go on until SIGINT or SIGTERM. Exit code 0, 1 for a robot that is not there, is lost or
    refuses, 2 for a user's mistake."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    return run_program(NODE_NAME, given, lambda session, stop: Agent(session, given, stop))


if __name__ == "__main__":
    sys.exit(main())
