#!/usr/bin/env python3
"""Make or update the virtual environment for one ROS 2 distribution, and print its path.

Without a sourced ROS 2 installation, `.venv-<distro>` gets everything from pinned wheels; with one,
`.venv-<distro>-sourced` gets the Python packages only. Exit code 2: the machine lacks something; 1: a step failed.
"""

import sys

from preflight import Refusal, check_python


def run() -> int:
    """The exit code of the set-up; a refusal is one line."""
    try:
        if sys.version_info < (3, 10):  # older ones cannot read the modules below
            check_python(False)
        from environment import main

        return main()
    except Refusal as refusal:
        print("error: {}".format(refusal), file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(run())
