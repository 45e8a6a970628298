"""Make the picture of the page that the documents show.

python test/view_picture.py [FILE]          default: docs/images/view.png
"""

from __future__ import annotations

import io
import sys
import tempfile
from functools import partial
from pathlib import Path

from PIL import Image

from adapter_tools import Process, running
from browser import COMMAND, Page, chromium, viewer
from conftest import private_domain
from plain_client import PlainClient

FILE = Path(__file__).resolve().parent.parent / "docs" / "images" / "view.png"
POSE = {"panda_joint1": 0.6, "panda_joint2": -0.1, "panda_joint7": 1.2}


def picture(file: Path, folder: Path) -> None:
    """A Panda that was moved by its sliders, in a page of 1040 by 760.

    Args:
        file: where it goes.
        folder: for the browser's profile.
    """
    with private_domain() as domain, running(Process([COMMAND, "sim"], ROS_DOMAIN_ID=domain)) as simulator:
        simulator.says("Simulating 'panda'")
        with viewer(domain) as (_, url), chromium(folder) as browser, PlainClient(domain, commands=()) as client:
            page = Page(browser, url)
            page.page.set_viewport_size({"width": 1040, "height": 760})
            page.until(page.button("Pause").is_enabled, "the services")
            page.until(lambda: page.fact("robot") == "panda", "the robot")
            page.says("OK /sim_node: simulation: playing")
            page.box("Command joints").check()
            page.until(lambda: not page.page.locator("[role=slider][aria-disabled=true]").count(), "sliders")
            for joint, position in POSE.items():  # one by one: viser sends what is set within 50 ms as one
                page.set(joint, position)
                page.until(partial(_there, client, joint), joint)
            for _ in range(3):  # lets the browser finish what it draws
                page.page.wait_for_timeout(500)
                page.page.screenshot()
            taken = Image.open(io.BytesIO(page.page.screenshot())).convert("RGB")
            taken.quantize(64, dither=Image.Dither.NONE).save(file, optimize=True)


def _there(client: PlainClient, joint: str) -> bool:
    client.listen(0.1)
    newest = client.states[-1]
    return abs(float(newest.position[list(newest.name).index(joint)]) - POSE[joint]) < 0.05


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        picture(Path(sys.argv[1]) if sys.argv[1:] else FILE, Path(made))
