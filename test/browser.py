"""Headless Chromium, and a page of the viewer in it."""

from __future__ import annotations

import io
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from adapter_tools import Process, running

COMMAND = str(Path(sys.executable).with_name("ros-gym-bridge"))
CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
Pixels = npt.NDArray[np.int16]


@contextmanager
def viewer(domain_id: int, *arguments: str) -> Iterator[tuple[Process, str]]:
    """`ros-gym-bridge view` in a process of its own, and the address of its page."""
    with running(Process([COMMAND, "view", "--port", "0", *arguments], ROS_DOMAIN_ID=domain_id)) as process:
        yield process, process.says("The page: ").split()[0]
        assert "Traceback" not in process.text(), process.text()


@contextmanager
def chromium(profile: Path) -> Iterator[Any]:
    """The browser that is installed; a context of Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=FLAGS, viewport={"width": 840, "height": 560}
        )
        yield browser
        browser.close()


class Page:
    """One page that is looked at and clicked.

    Attributes:
        errors: what the browser's console calls an error.
    """

    def __init__(self, browser: Any, url: str) -> None:
        self.page = browser.new_page()
        self.errors: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(url)
        self.page.locator(".mantine-Notification-closeButton").click()  # "Software WebGL rendering detected"

    def _hear(self, said: Any) -> None:
        """viser gives a picture up when the next one comes, which the browser calls an error while it opens it."""
        if said.type == "error" and not said.location["url"].startswith("blob:"):
            self.errors.append(said.text)

    def until(self, done: Callable[[], Any], what: str, timeout_s: float = 30.0) -> Any:
        """The first true value of `done()`; the browser goes on in between."""
        deadline = time.monotonic() + timeout_s
        while not (value := done()):
            assert time.monotonic() < deadline, f"waited {timeout_s} s for {what} in:\n{self.text()}"
            self.page.wait_for_timeout(20)
        return value

    def text(self) -> str:
        """Every word on the page."""
        return str(self.page.inner_text("body"))

    def says(self, words: str, timeout_s: float = 30.0) -> None:
        """Wait for words."""
        self.until(lambda: words in self.text(), repr(words), timeout_s)

    def fact(self, name: str) -> str:
        """What stands beside a name in a table."""
        rows = (line.split("\t") for line in self.text().splitlines() if "\t" in line)
        return next((row[1].strip() for row in rows if row[0].strip() == name), "")

    def button(self, name: str) -> Any:
        """A button by its words."""
        return self.page.get_by_role("button", name=name, exact=True)

    def box(self, name: str) -> Any:
        """A tick box by its words."""
        return self.page.get_by_label(name)

    def joint(self, name: str) -> float:
        """Where a joint's slider stands."""
        return float(self._thumb(name).get_attribute("aria-valuenow"))

    def slide(self, name: str, key: str) -> None:
        """Press a key on a joint's slider: End, Home, ArrowRight..."""
        self._thumb(name).press(key)

    def set(self, name: str, position: float) -> None:
        """Write a number beside a joint's slider."""
        field = self._thumb(name).locator("xpath=ancestor::div[@id]/following-sibling::div//input")
        field.fill(str(position))
        field.press("Enter")

    def _thumb(self, name: str) -> Any:
        field = self.page.get_by_text(name, exact=True).first.get_attribute("for")
        return self.page.locator(f'[id="{field}"] [role=slider]')

    def stage(self) -> Pixels:
        """The three-dimensional view, red, green and blue: `(h, w, 3)`."""
        data = self.page.screenshot(clip={"x": 0, "y": 0, "width": 500, "height": 560})
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=np.int16)

    def pixels(self, of: Callable[[Pixels], Any]) -> int:
        """How many pixels of the view are of a kind."""
        return int(np.count_nonzero(of(self.stage())))
