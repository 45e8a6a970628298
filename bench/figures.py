"""What `bench.py` measures: names, meanings and budgets. Plain values; the documents are made from them too."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """One figure.

    Attributes:
        name: in the table and in `results.json`; its end is the unit, where it has one.
        meaning: what it is.
        sign, limit: its budget, such as `>=` and 0.9; no sign where there is none.
    """

    name: str
    meaning: str
    sign: str = ""
    limit: float = 0.0

    @property
    def budget(self) -> str:
        """The budget in words; empty where there is none."""
        return f"{self.sign} {self.limit:g}" if self.sign else ""

    def kept(self, value: float) -> bool:
        """Whether a value is within the budget."""
        return {">=": value >= self.limit, "<=": value <= self.limit, "<": value < self.limit, "": True}[self.sign]


FIGURES = (
    Figure(
        "direct_over_raw_4",
        "steps of the environment `Reach` with the Panda in process, over what bare `stepSimulation` would allow, at 4 "
        "physics steps for each",
        ">=",
        0.90,
    ),
    Figure("direct_over_raw_20", "the same at 20 physics steps", ">=", 0.95),
    Figure(
        "direct_over_panda_gym",
        "the same environment over panda-gym's PandaReach, both with 20 physics steps of 2 ms; bare physics "
        "bounds it at about 1.25",
        ">=",
        1.75,
    ),
    Figure(
        "lockstep_over_bound",
        "steps of the same environment over topics, over the bound 1 / (1/ping-pong + 1/in process)",
        ">=",
        0.90,
    ),
    Figure("lockstep_steps_per_s", "its steps over topics, in lockstep"),
    Figure("pingpong_per_s", "a JointState of seven joints, there and back between two processes that do nothing else"),
    Figure("reset_ms", "`env.reset()` of the Panda, by snapshot", "<", 0.2),
    Figure("strict_reset_ms", "the same with `strict`, which loads everything anew"),
    Figure("two_workers_over_one", "steps in process of two processes together over those of one", ">=", 1.9),
    Figure("lidar_360_us", "what a lidar of 360 rays adds to a step of the rover in process, in its scene"),
    Figure("camera_320x240_ms", "what a picture of 320 x 240 adds to such a step; the renderer is said"),
    Figure(
        "four_robots_over_one",
        "control periods of robots per second, with four arms in one world over one arm in one world; 1 where a robot "
        "costs the same among others as alone",
    ),
    Figure(
        "lockstep_rover_steps_per_s",
        "steps of the rover over topics in lockstep with all its channels: scan and picture of 320 x 240 at 10 Hz, "
        "IMU, true and wheel odometry at the 50 Hz of control",
    ),
    Figure("direct_rover_steps_per_s", "the same in process"),
    Figure(
        "lockstep_640x480_steps_per_s",
        "steps of the rover over topics in lockstep that each bring a picture of 640 x 480 in colour and depth, 2.1 MB",
    ),
    Figure("direct_640x480_steps_per_s", "the same in process"),
    Figure("realtime_1khz_mean_us", "error of the period of a Panda paced to 1 kHz, on the average", "<=", 50.0),
    Figure("realtime_1khz_p99_us", "the error that 1 % of its periods exceed", "<=", 250.0),
    Figure("realtime_1khz_drift_us", "how far its clock and the wall clock have come apart at the end"),
    Figure(
        "safety_node_added_us",
        "what `safety_node` adds to the way of a command from an agent to the Panda, with joint states before each",
    ),
    Figure("first_state_s", "from starting a node to the first state that it publishes"),
    Figure("idle_node_cpu", "share of a core that a node in lockstep takes that nobody commands", "<", 0.05),
    Figure("idle_adapter_cpu", "share of a core that an idle environment over topics takes", "<", 0.05),
)
