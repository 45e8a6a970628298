"""What every `Robot` must pass (`ros_gym_bridge/contract.py`), for pytest. Run it on a driver of your own:

from robot_contract import RobotContract

class TestMyRobot(RobotContract):
    @pytest.fixture
    def robot(self):
        robot = MyRobot(load_robot("my_robot.yaml"))
        yield robot
        robot.close()
"""

from __future__ import annotations

from typing import ClassVar

import pytest

from ros_gym_bridge.contract import CHECKS, Check, NotApplicable, Trial
from ros_gym_bridge.robot import Robot


class RobotContract:
    """Inherit, and give a fixture `robot`. `exact`: its time moves with the steps (simulators)."""

    exact: ClassVar[bool] = True

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_contract(self, robot: Robot, check: Check) -> None:
        if check.exact and not self.exact:
            pytest.skip("holds for simulators only")
        try:
            check.run(Trial(robot, self.exact))
        except NotApplicable as reason:
            pytest.skip(str(reason))
