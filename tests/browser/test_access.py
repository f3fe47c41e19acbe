"""Everybody can use the page: axe finds nothing, keys reach all of it, targets are large, colours and motion are as wished."""

import base64
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.browsers import Chromium, Visitor
from tests.harness import Harness

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
TABS = ["speak", "books", "words", "apps"]
SMALL = """() => [...document.querySelectorAll('button, select, textarea, input, summary, [role=tab], [role=slider], a.brand')]
  .filter((one) => one.checkVisibility() && !one.classList.contains('unseen'))
  .map((one) => [one, (one.matches('[type=checkbox], [type=radio]') && one.closest('label')) || one])
  .map(([one, target]) => [one, target.getBoundingClientRect()])
  .filter(([, box]) => box.width < 43.5 || box.height < 43.5)
  .map(([one, box]) => `${one.tagName} ${one.id} ${one.className} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
SMALL_TEXT = """() => [...document.querySelectorAll('input, select, textarea')]
  .filter((one) => one.checkVisibility() && parseFloat(getComputedStyle(one).fontSize) < 16).map((one) => one.id || one.name)"""
FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one), label = one.closest('label');
  const ringed = style.outlineStyle !== 'none' || (label && getComputedStyle(label).outlineStyle !== 'none')
    || (one.nextElementSibling && getComputedStyle(one.nextElementSibling).outlineStyle !== 'none');
  return {name: one.id || one.getAttribute('aria-label') || one.textContent.trim() || one.value, ringed, tag: one.tagName};
}"""


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """A colour scheme of the system."""
    return str(request.param)


def open_tab(visitor: Visitor, tab: str) -> None:
    visitor.find(f"tab-{tab}").click()
    visitor.find(tab).wait_for()
    for summary in visitor.page.locator(f"#{tab} summary").all():
        summary.click()


def open_book(visitor: Visitor) -> None:
    """Shows a file with long lines, and a finished job."""
    visitor.find("tab-books").click()
    line = "The birch canoe slid on the smooth planks. " * 6
    book = f"# One with a title that is rather long, as titles often are in old books\n\n{line}\n\n# Two\n\n{line}"
    for _ in range(2):
        visitor.find("file").set_input_files([{"name": "a.md", "mimeType": "text/markdown", "buffer": book.encode()}])
        visitor.find("document").wait_for()
        if not visitor.page.locator(".job").count():
            visitor.page.get_by_role("button", name="Make the audio").click()
            visitor.page.locator(".job .completed").first.wait_for()


def violations(visitor: Visitor) -> list[str]:
    """What axe finds, each with its rule and element."""
    result = Axe().run(visitor.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    return [f"{one['id']}: {node['html'][:120]}" for one in result.response["violations"] for node in one["nodes"]]


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_axe_finds_nothing(chromium: Chromium, site: Harness, scheme: str, tab: str, size: str) -> None:
    options: dict[str, Any] = PHONE if size == "phone" else {}
    with chromium.visit(site.url, color_scheme=scheme, reduced_motion="reduce", **options) as visitor:
        visitor.speak("The birch canoe slid on the smooth planks.")
        visitor.until("document.querySelector('.word[aria-current]')")
        open_tab(visitor, tab)

        assert violations(visitor) == []


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_axe_finds_nothing_beside_a_file_and_a_job(chromium: Chromium, site: Harness, scheme: str, size: str) -> None:
    options: dict[str, Any] = PHONE if size == "phone" else {}
    with chromium.visit(site.url, color_scheme=scheme, reduced_motion="reduce", **options) as visitor:
        open_book(visitor)
        visitor.page.get_by_role("button", name="Play: ").first.click()
        visitor.until("document.getElementById('audio').currentTime > 0.1")

        assert violations(visitor) == []
        assert visitor.ask("document.documentElement.scrollWidth") <= visitor.ask("innerWidth")
        assert visitor.ask(SMALL) == []


@pytest.mark.parametrize("dialog", ["options", "history"])
def test_axe_finds_nothing_in_a_dialog(chromium: Chromium, site: Harness, scheme: str, dialog: str) -> None:
    with chromium.visit(site.url, color_scheme=scheme) as visitor:
        visitor.find(f"open-{dialog}").click()

        assert violations(visitor) == []
        visitor.page.keyboard.press("Escape")
        assert not visitor.find(dialog).is_visible()


@pytest.mark.parametrize("tab", TABS)
def test_on_a_telephone_targets_and_letters_are_large_and_nothing_is_cut_off(
    chromium: Chromium, site: Harness, tab: str
) -> None:
    with chromium.visit(site.url, **PHONE) as visitor:
        visitor.speak("The birch canoe slid.")
        visitor.until("document.querySelector('.word')")
        open_tab(visitor, tab)

        assert visitor.ask(SMALL) == []
        assert visitor.ask(SMALL_TEXT) == []
        assert visitor.ask("document.documentElement.scrollWidth") <= 390


def test_keys_alone_speak_a_text_in_a_chosen_voice(visitor: Visitor) -> None:
    visited = []
    for _ in range(200):
        visitor.page.keyboard.press("Tab")
        focused = visitor.ask(FOCUSED)
        assert focused["ringed"], focused
        visited.append(focused["name"])
        if focused["name"] == "text":
            visitor.page.keyboard.press("Control+a")
            visitor.page.keyboard.type("Glue the sheet.")
        if visited[-1] == "af_heart":
            visitor.page.keyboard.press("ArrowDown")
            break
    assert {"tab-speak", "open-options", "text", "speak-button", "language", "voice-search"} <= set(visited)
    assert visitor.page.locator("input[name=voice]:checked").input_value() == "af_bella"

    visitor.find("text").focus()
    visitor.page.keyboard.press("Control+Enter")
    visitor.until("document.querySelectorAll('.word').length === 3")
    assert visitor.ask("document.activeElement.id") == "reading"
    visitor.no_complaints()


def test_arrows_move_between_the_tabs(visitor: Visitor) -> None:
    visitor.find("tab-speak").focus()
    for tab in ("books", "words", "apps", "speak"):
        visitor.page.keyboard.press("ArrowRight")
        assert visitor.ask("document.activeElement.id") == f"tab-{tab}"
        assert visitor.find(tab).is_visible()


def test_colours_follow_the_system_or_the_choice(chromium: Chromium, site: Harness) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    with chromium.visit(site.url, color_scheme="dark") as visitor:
        dark = visitor.ask(ground)
        visitor.find("open-options").click()
        visitor.find("theme").select_option("light")
        light = visitor.ask(ground)
        assert light != dark
        visitor.open()
        assert visitor.ask(ground) == light
        visitor.page.emulate_media(color_scheme="light")
        visitor.find("open-options").click()
        visitor.find("theme").select_option("dark")
        assert visitor.ask(ground) == dark


def test_nothing_moves_where_motion_is_not_wanted(chromium: Chromium, site: Harness) -> None:
    with chromium.visit(site.url, reduced_motion="reduce") as visitor:
        assert visitor.ask("getComputedStyle(document.getElementById('speak-button')).transitionProperty") == "none"
        visitor.find("speak-button").evaluate("(one) => one.classList.add('waits')")
        assert visitor.find("speak-button").locator("svg").evaluate("(one) => getComputedStyle(one).animationName") == "none"


def test_the_page_can_be_installed(visitor: Visitor) -> None:
    page = visitor.page
    manifest = page.request.get(page.locator("link[rel=manifest]").evaluate("(one) => one.href"))
    assert manifest.headers["content-type"].startswith("application/manifest+json")
    session = page.context.new_cdp_session(page)

    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorId": "in-incognito", "errorArguments": []}],
    )
    assert session.send("Page.getAppManifest")["errors"] == []


def test_the_logo_needs_no_font_of_chinese_signs(visitor: Visitor) -> None:
    assert not any(ord(character) > 0x2E80 for character in visitor.page.locator("header").inner_text())
    picture = visitor.page.locator(".logo").screenshot()
    assert len(base64.b64encode(picture)) > 500
