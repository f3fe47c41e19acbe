"""What the page remembers and shares, and the programs that it helps to set up."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.browser.browsers import Visitor
from tests.harness import Harness


def test_text_and_choices_survive_a_reload(visitor: Visitor) -> None:
    visitor.find("text").fill("Something of my own.")
    visitor.page.get_by_role("radio", name="Emma").check()
    visitor.find("language").select_option("text")
    visitor.find("open-options").click()
    visitor.find("speed").evaluate("(one) => { one.value = 1.5; one.dispatchEvent(new Event('input')); }")
    visitor.page.keyboard.press("Escape")
    visitor.open()

    assert visitor.find("text").input_value() == "Something of my own."
    assert visitor.page.locator("input[name=voice]:checked").input_value() == "bf_emma"
    assert visitor.find("language").input_value() == "text"
    assert visitor.find("speed").input_value() == "1.5"


def test_the_last_texts_are_in_the_history(visitor: Visitor) -> None:
    for number in range(22):
        visitor.speak(f"Number {chr(ord('a') + number)}.")
        visitor.until("document.querySelectorAll('.word').length === 2")
        visitor.until("JSON.parse(localStorage.koe).history[0]?.text === " + json.dumps(f"Number {chr(ord('a') + number)}."))
    visitor.find("open-history").click()
    entries = visitor.page.locator("#history-list li")

    assert entries.count() == 20
    entries.nth(3).locator("button").click()
    visitor.until("document.getElementById('reading').textContent === 'Number s.'")
    visitor.find("open-history").click()
    visitor.find("history-clear").click()
    assert entries.count() == 0


def test_a_link_fills_the_form(visitor: Visitor) -> None:
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.find("text").fill("Shared & <b>safe</b> 声.")
    visitor.page.get_by_role("radio", name="Emma").check()
    visitor.find("copy-link").click()
    link = visitor.ask("navigator.clipboard.readText()")
    visitor.page.evaluate("localStorage.clear()")
    visitor.page.goto("about:blank")
    visitor.page.goto(link)
    visitor.page.locator(".voice").first.wait_for()

    assert visitor.find("text").input_value() == "Shared & <b>safe</b> 声."
    assert visitor.page.locator("input[name=voice]:checked").input_value() == "bf_emma"
    assert "#" not in visitor.page.url


@pytest.mark.parametrize("program", ["curl", "python", "javascript", "open-webui", "sillytavern", "home-assistant", "livekit"])
def test_settings_for_a_program_have_this_address(visitor: Visitor, program: str) -> None:
    visitor.find("text").fill("It's here.")
    visitor.find("tab-apps").click()
    visitor.find("program").select_option(program)
    shown = visitor.find("snippet").inner_text()

    assert visitor.find("base").inner_text() == f"{visitor.url}/v1"
    assert f"{visitor.url}/v1" in shown
    if program == "python":
        compile(shown, "snippet", "exec")


def test_the_words_of_curl_are_the_words_of_the_page(visitor: Visitor, tmp_path: Path) -> None:
    visitor.find("text").fill('It\'s "here" $HOME.')
    visitor.find("tab-apps").click()
    visitor.find("program").select_option("curl")
    result = subprocess.run(["bash", "-c", visitor.find("snippet").inner_text() + " -sf"], cwd=tmp_path, check=False)

    assert result.returncode == 0
    assert (tmp_path / "speech.mp3").stat().st_size > 1000


def test_a_text_that_is_too_long_becomes_a_job(visitor: Visitor) -> None:
    visitor.find("text").fill("The birch canoe slid on the smooth planks. " * 2500)
    visitor.find("speak-button").click()
    visitor.until("document.querySelector('#speak-fault:not([hidden])')")
    assert "too long" in visitor.faults()
    visitor.page.get_by_role("button", name="Make it a job").click()
    visitor.find("document").wait_for()

    assert "of speech" in visitor.find("document").inner_text()


def test_a_stranger_text_never_becomes_markup(visitor: Visitor) -> None:
    text = "Begin <img src=x onerror=alert(1)> & <b>bold</b> <script>alert(2)</script> end."
    visitor.speak(text)
    visitor.until("document.querySelector('.word')")

    assert visitor.find("reading").inner_text() == text
    assert visitor.page.locator("#reading img, #reading script").count() == 0
    visitor.no_complaints()


def test_its_addresses_are_relative_so_a_proxy_may_serve_it_at_any_path(site: Harness) -> None:
    with site.http() as client:
        assert not re.findall(r'(?:href|src)="/', client.get("/").text)


def test_two_tabs_share_favourites_and_not_their_texts(visitor: Visitor) -> None:
    second = Visitor(visitor.page.context.new_page(), visitor.url)
    second.open()
    visitor.find("text").fill("The text of the first.")
    visitor.page.get_by_role("button", name="Favourite: Emma").click()
    second.until("document.querySelector('[aria-label=\"Favourite: Emma\"]').getAttribute('aria-pressed') === 'true'")
    second.find("text").fill("The text of the second.")
    second.find("speak-button").click()

    second.until("document.getElementById('reading').textContent === 'The text of the second.'")
