"""Firefox, whose MediaSource plays no format that Koe streams: Web Audio plays the samples."""

from itertools import pairwise

import pytest

from tests.browser.browsers import Firefox
from tests.browser.engines import HoldingEngine
from tests.harness import Harness

CLOCK = "parseFloat(document.getElementById('waveform').getAttribute('aria-valuenow'))"
PLACE = "document.getElementById('waveform').getAttribute('aria-valuenow')"
PLAYING = "document.getElementById('play').getAttribute('aria-label') === 'Pause'"
WHOLE = "!document.getElementById('clock').textContent.includes('about')"
LIT = "document.querySelector('.word[aria-current]')?.textContent"
ENDED = f"{WHOLE} && !({PLAYING}) && {CLOCK} > 0.5"

LISTEN = """(() => {
  const create = AudioContext.prototype.createGain;
  window.heard = [];
  AudioContext.prototype.createGain = function () {
    const gain = create.call(this), ear = this.createAnalyser(), samples = new Float32Array(256);
    ear.fftSize = 256;
    gain.connect(ear);
    setInterval(() => {
      ear.getFloatTimeDomainData(samples);
      const now = Math.max(...samples.map(Math.abs)) > 0.01;
      const lit = document.querySelector('.word[aria-current]');
      if (now && !window.wasHeard) window.heard.push([performance.now(), lit?.textContent]);
      window.wasHeard = now;
    }, 4);
    return gain;
  };
  window.lit = [];
  new MutationObserver((changes) => changes.forEach(({target}) => {
    if (target.hasAttribute('aria-current')) window.lit.push([performance.now(), target.textContent]);
  })).observe(document.getElementById('reading'), {subtree: true, attributeFilter: ['aria-current']});
  return true;
})()"""
"""Notes when silence ends and which word is lit then, and when each word lights up."""


pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Marionette leaves the sockets open with which it waited for Firefox."""


@pytest.fixture
def page(firefox: Firefox, site: Harness, engine: HoldingEngine) -> Firefox:
    """The page, opened anew."""
    engine.let_go()
    firefox.open(site.url)
    return firefox


def speak(page: Firefox, text: str) -> None:
    page.write("text", text)
    page.press("speak-button")


def test_sound_plays_before_the_answer_ends(page: Firefox, engine: HoldingEngine, texts: dict[str, str]) -> None:
    engine.hold()
    speak(page, texts["held"])
    page.until(f"{CLOCK} > 0.4")

    assert not page.ask(WHOLE)
    assert page.ask(LIT) in texts["held"].split()
    engine.let_go()
    page.until(WHOLE)
    page.until(ENDED)
    assert page.ask("[...document.querySelectorAll('.word')].map((one) => one.textContent)") == texts["held"].split()


def test_the_word_lights_up_when_it_is_heard(page: Firefox) -> None:
    page.ask(LISTEN)
    speak(page, "[pause:1s] Planks. [pause:1s] Glue.")
    page.until(ENDED)
    heard, lit = page.ask("window.heard"), {word: time for time, word in page.ask("window.lit")}

    for word in ("Planks.", "Glue."):
        assert min(abs(time - lit[word]) for time, _ in heard) < 100, (heard, lit)


def test_place_and_speed_change_while_the_answer_still_comes(
    page: Firefox, engine: HoldingEngine, texts: dict[str, str]
) -> None:
    engine.hold()
    speak(page, texts["held"].replace("canoe", "boat"))
    page.until(f"{CLOCK} > 0.4")
    page.ask(
        "(() => { const one = document.getElementById('rate'); one.value = 1.5; one.dispatchEvent(new Event('input')); })()"
    )
    page.press_first(".word")
    places = [float(page.ask(PLACE)) for _ in range(5)]
    assert places[0] < 0.6
    assert all(before <= after for before, after in pairwise(places))
    engine.let_go()
    page.until(WHOLE)
    page.until(ENDED)


def test_an_element_takes_over_when_the_sound_is_whole(page: Firefox) -> None:
    speak(page, "Glue the sheet to the dark blue background.")
    page.until(ENDED)
    page.press("play")
    page.until("!document.getElementById('audio').paused && document.getElementById('audio').currentTime > 0.2")
    assert page.ask("document.getElementById('audio').preservesPitch")
    page.press("play")
    page.until("document.getElementById('audio').paused")


def test_samples_of_voices_play(page: Firefox) -> None:
    page.press_first(".hear")
    page.until("document.querySelector('.hear use[href=\"#icon-stop\"]')")
    page.until("!document.querySelector('.hear use[href=\"#icon-stop\"]')")
