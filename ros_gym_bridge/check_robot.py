"""The robot contract, run on a live driver or simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ros_gym_bridge.contract import CHECKS, Check, ContractError, NotApplicable, Trial
from ros_gym_bridge.errors import BridgeError, RobotNotFoundError
from ros_gym_bridge.findings import Finding, Verdict
from ros_gym_bridge.robot import Robot

GENTLE_REACH = 0.02  # of the way from home to a bound: for robots that can break something


def check_robot(
    make: Callable[[], Robot], exact: bool, reach: float, stop: Callable[[], bool] = lambda: False
) -> Iterator[Finding]:
    """Run every check, one after the other; one robot serves for all of them, as far as it can.

    Args:
        make: makes the robot; it may connect at its first reset.
        exact, reach: see `Trial`.
        stop: asked after every check; true interrupts.

    Raises:
        RobotNotFoundError: nobody is there.
        OptionError: the robot cannot be used as it was asked for.
        KeyboardInterrupt: `stop` said so.
    """
    robot = make()
    try:
        for check in sorted(CHECKS, key=lambda check: (not check.fresh, check.closes)):
            yield _run(check, Trial(robot, exact, reach))
            if stop():
                raise KeyboardInterrupt
    finally:
        robot.close()


def _run(check: Check, trial: Trial) -> Finding:
    if check.exact and not trial.exact:
        return Finding(check.promise, Verdict.OPEN, "holds for simulators only")
    try:
        check.run(trial)
    except NotApplicable as reason:
        return Finding(check.promise, Verdict.OPEN, str(reason))
    except RobotNotFoundError:
        raise
    except ContractError as error:
        return Finding(check.promise, Verdict.BAD, str(error))
    except BridgeError as error:
        if error.exit_code == 2:
            raise
        return Finding(check.promise, Verdict.BAD, f"{type(error).__name__}: {error}")
    return Finding(check.promise, Verdict.GOOD, "")
