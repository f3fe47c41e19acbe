"""What the page says when something fails, and how it helps. Each test has a server of its own."""

import tempfile
from pathlib import Path

from tests.browser.browsers import Chromium
from tests.harness import open_harness

KEY = "sk-koe-browser"


def test_a_server_with_keys_asks_for_the_key_and_then_speaks(chromium: Chromium, short_folder: Path) -> None:
    with (
        open_harness(Path(tempfile.mkdtemp(dir=short_folder)), KOE_API_KEYS=KEY) as harness,
        chromium.visit(harness.url) as visitor,
    ):
        visitor.speak("Glue the sheet.")
        visitor.until("document.querySelector('#speak-fault:not([hidden])')")
        assert "This server wants a key." in visitor.faults()
        visitor.page.get_by_role("button", name="Enter the key").click()
        assert visitor.ask("document.activeElement.id") == "key"
        visitor.page.keyboard.type(KEY)
        visitor.page.keyboard.press("Enter")
        visitor.until("document.querySelectorAll('.word').length === 3")

        assert KEY not in visitor.ask("localStorage.koe")
        visitor.find("tab-apps").click()
        assert KEY not in visitor.page.content()


def test_a_busy_server_is_tried_again_after_the_time_that_it_says(chromium: Chromium, short_folder: Path) -> None:
    settings = {"KOE_API_KEYS": KEY, "KOE_RATE_LIMIT": "1/second"}
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), **settings) as harness, chromium.visit(harness.url) as visitor:
        visitor.page.evaluate(f"sessionStorage.setItem('koe-key', '{KEY}')")
        visitor.open()
        visitor.page.route(
            "**/v1/audio/speech",
            lambda route: route.fulfill(
                status=429,
                headers={"retry-after": "2"},
                json={"error": {"message": "Too many.", "code": "rate_limit_exceeded"}},
            ),
            times=1,
        )
        visitor.speak("Glue the sheet.")
        visitor.until("document.querySelector('#speak-fault:not([hidden])')")
        assert "by itself" in visitor.faults()
        visitor.until("document.querySelectorAll('.word').length === 3")

        assert visitor.faults() == ""


def test_a_server_that_is_gone_is_tried_again_and_found(chromium: Chromium, short_folder: Path) -> None:
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder))) as harness, chromium.visit(harness.url) as visitor:
        visitor.page.context.set_offline(True)
        visitor.speak("Glue the sheet.")
        visitor.until("document.querySelector('#speak-fault:not([hidden])')")
        assert "The server does not answer." in visitor.faults()
        visitor.until("document.getElementById('state').textContent.includes('cannot be reached')")
        visitor.page.context.set_offline(False)
        visitor.until("document.querySelectorAll('.word').length === 3")

        assert visitor.find("state").inner_text()


def test_it_says_what_is_missing(chromium: Chromium, short_folder: Path) -> None:
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {}) as harness, chromium.visit(harness.url) as visitor:
        assert visitor.find("state").inner_text() == "Nobody is there to speak"
        visitor.speak("Hello.")
        visitor.until("document.querySelector('#speak-fault:not([hidden])')")

        assert "worker" in visitor.faults()
        assert "Try again" in visitor.faults()


def test_a_sample_without_a_key_asks_for_the_key(chromium: Chromium, short_folder: Path) -> None:
    with (
        open_harness(Path(tempfile.mkdtemp(dir=short_folder)), KOE_API_KEYS=KEY) as harness,
        chromium.visit(harness.url) as visitor,
    ):
        visitor.page.locator(".hear").first.click()
        visitor.until("document.querySelector('#speak-fault:not([hidden])')")

        assert "Enter the key" in visitor.faults()


def test_a_voice_that_is_not_there_is_replaced(chromium: Chromium, short_folder: Path) -> None:
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder))) as harness, chromium.visit(harness.url) as visitor:
        visitor.page.goto(f"{harness.url}/#text=Hello.&voice=nobody")
        visitor.open("/?again")
        visitor.find("speak-button").click()
        visitor.until("document.querySelector('#speak-fault:not([hidden])')")
        visitor.page.get_by_role("button", name="Choose another voice").click()

        assert visitor.ask("document.activeElement.id") == "voice-search"
