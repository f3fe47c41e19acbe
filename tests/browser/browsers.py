"""Browsers of the system, and what a person does in them.

Why `until` asks again and again from outside: the page's policy forbids the text of a function that Playwright would wait with.
"""

import base64
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from marionette_driver.marionette import Marionette
from playwright.sync_api import Browser, Locator, Page, Playwright, sync_playwright

PATIENCE_SECONDS = 30.0
_NO_GESTURE_NEEDED = "--autoplay-policy=no-user-gesture-required"


def find_browser(*names: str) -> str:
    """Returns the path of the first of these programs. Skips the test where none is there; in CI it fails."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is not None:
        return found
    message = f"needs {names[0]}: apt-get install {names[0]}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


class Visitor:
    """A person on the page. What the page complains of is in `complaints`, which must be empty at the end."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)

    def open(self, path: str = "/") -> None:
        """Opens the page and waits for the voices."""
        self.page.goto(self.url + path)
        self.page.locator(".voice").first.wait_for(state="attached")

    def find(self, name: str) -> Locator:
        """The element with this id."""
        return self.page.locator(f"#{name}")

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self.page.evaluate(expression)

    def until(self, expression: str, seconds: float = PATIENCE_SECONDS) -> Any:
        """Returns the first value of the expression that is true."""
        give_up = time.monotonic() + seconds
        while not (value := self.ask(expression)):
            assert time.monotonic() < give_up, f"{expression} did not become true; faults: {self.faults()}, {self.complaints}"
            self.page.wait_for_timeout(20)
        return value

    def faults(self) -> str:
        """What the page shows as faults."""
        return " ".join(self.page.locator(".fault").all_inner_texts()).strip()

    def speak(self, text: str) -> None:
        """Writes the text and presses Speak."""
        if self.find("edit").is_visible():
            self.find("edit").click()
        self.find("text").fill(text)
        self.find("speak-button").click()

    def no_complaints(self) -> None:
        """Nothing was written to the console, and nothing was refused by the policy."""
        assert self.complaints == []


class Chromium:
    """Headless Chromium."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=self._path, args=[_NO_GESTURE_NEEDED, "--no-sandbox"])
        return self

    def __exit__(self, *_: object) -> None:
        assert self._browser is not None
        assert self._playwright is not None
        self._browser.close()
        self._playwright.stop()

    @contextmanager
    def visit(self, url: str, **options: Any) -> Iterator[Visitor]:
        """A visitor with a fresh profile, who has opened the page. `options` are those of Playwright's contexts."""
        assert self._browser is not None
        context = self._browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "accept_downloads": True, **options})
        visitor = Visitor(context.new_page(), url)
        visitor.open()
        yield visitor
        context.close()


class Firefox:
    """Headless Firefox, which plays into `sound`."""

    def __init__(self, path: str, sound: "Sound", log: Path) -> None:
        self._path = path
        self._sound = sound
        self._log = log
        self._driver: Any = None

    def __enter__(self) -> Self:
        os.environ.update(self._sound.environ)
        preferences = {"media.autoplay.default": 0, "browser.startup.page": 0}
        self._driver = Marionette(
            bin=self._path, headless=True, app="fxdesktop", prefs=preferences, gecko_log=str(self._log), startup_timeout=120
        )
        self._driver.start_session()
        self._driver.set_window_rect(width=1280, height=900)
        return self

    def __exit__(self, *_: object) -> None:
        self._driver.quit()
        self._driver.cleanup()

    def open(self, url: str) -> None:
        """Opens the page and waits for the voices."""
        self._driver.navigate(url)
        self.until("document.querySelector('.voice')")

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self._driver.execute_script(f"return {expression}", sandbox=None)

    def until(self, expression: str, seconds: float = PATIENCE_SECONDS) -> Any:
        """Returns the first value of the expression that is true."""
        give_up = time.monotonic() + seconds
        while not (value := self.ask(expression)):
            assert time.monotonic() < give_up, f"{expression} did not become true"
            time.sleep(0.02)
        return value

    def press(self, name: str) -> None:
        """Presses the element with this id."""
        self._driver.find_element("id", name).click()

    def press_first(self, selector: str) -> None:
        """Presses the first element of a selector."""
        self._driver.find_element("css selector", selector).click()

    def write(self, name: str, text: str) -> None:
        """Replaces the text of the field with this id."""
        field = self._driver.find_element("id", name)
        field.clear()
        field.send_keys(text)

    def picture(self) -> bytes:
        """A PNG of the window."""
        return base64.b64decode(self._driver.screenshot(full=False))


class Sound:
    """PulseAudio with a sink that nobody hears."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "native"
        self._environ = {**os.environ, "XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which a program finds it."""
        return {"PULSE_SERVER": f"unix:{self._socket}"}

    def __enter__(self) -> Self:
        command = [find_browser("pulseaudio"), "-n", "--exit-idle-time=-1", "--disable-shm", "--load=module-null-sink"]
        command.append(f"--load=module-native-protocol-unix socket={self._socket} auth-anonymous=1")
        self._process = subprocess.Popen(command, env=self._environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not self._socket.exists():
            assert time.monotonic() < give_up, "PulseAudio did not start"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()
