"""Speaking a text in Chromium: sound from the first bytes, words that light up, controls, files."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.browsers import Visitor
from tests.browser.engines import HoldingEngine

LIT = "document.querySelector('.word[aria-current]')?.textContent"
TIME = "document.getElementById('audio').currentTime"
PAUSED = "document.getElementById('audio').paused"
WHOLE = "!document.getElementById('clock').textContent.includes('about')"

WATCH_WORDS = """() => {
  window.seen = [];
  const look = () => {
    const lit = document.querySelector('.word[aria-current]');
    const words = [...document.querySelectorAll('.word')];
    window.seen.push([document.getElementById('audio').currentTime, lit ? words.indexOf(lit) : -1]);
    requestAnimationFrame(look);
  };
  look();
}"""
"""Notes the place of the sound and the number of the word that is lit, at every frame."""

LISTEN = """() => {
  const audio = document.getElementById('audio'), context = new AudioContext(), ear = context.createAnalyser();
  ear.fftSize = 256;
  const source = context.createMediaElementSource(audio);
  source.connect(ear);
  ear.connect(context.destination);
  const samples = new Float32Array(ear.fftSize);
  window.heard = [];
  setInterval(() => {
    ear.getFloatTimeDomainData(samples);
    const now = Math.max(...samples.map(Math.abs)) > 0.01;
    if (now && !window.wasHeard) window.heard.push(audio.currentTime);
    window.wasHeard = now;
  }, 4);
}"""
"""Notes the places of the sound at which silence ends."""


def timed_words(visitor: Visitor, text: str) -> list[dict[str, Any]]:
    """The words of the text with their times, asked of the API."""
    body = {"model": "gpt-4o-mini-tts", "voice": "af_heart", "input": text, "stream_format": "sse", "timestamps": ["word"]}
    lines = visitor.page.request.post(f"{visitor.url}/v1/audio/speech", data=body).text()
    found = re.findall(r'\{"word":"(.*?)","start":([\d.]+),"end":([\d.]+)\}', lines.replace(" ", ""))
    return [{"word": word, "start": float(start), "end": float(end)} for word, start, end in found]


def test_sound_plays_before_the_answer_ends(visitor: Visitor, engine: HoldingEngine, texts: dict[str, str]) -> None:
    engine.hold()
    visitor.speak(texts["held"])
    visitor.until(f"{TIME} > 0.3")

    assert not visitor.ask(WHOLE)
    assert "First sound after" in visitor.find("first-sound").inner_text()
    assert visitor.page.locator(".word").count() < len(texts["held"].split())

    engine.let_go()
    visitor.until(WHOLE)
    visitor.until("document.getElementById('audio').ended")
    assert visitor.page.locator(".word").all_inner_texts() == texts["held"].split()
    visitor.no_complaints()


def test_each_word_lights_up_while_it_is_said(visitor: Visitor, texts: dict[str, str]) -> None:
    visitor.page.evaluate(WATCH_WORDS)
    visitor.speak(texts["short"])
    visitor.until("document.getElementById('audio').ended")
    words = timed_words(visitor, texts["short"])
    seen = [(time, number) for time, number in visitor.ask("window.seen") if time > 0]

    assert len(seen) > 20
    assert {number for _, number in seen} >= set(range(len(words)))
    for time, number in seen:
        if number >= 0:
            until = words[number + 1]["start"] if number + 1 < len(words) else float("inf")
            assert words[number]["start"] - 0.1 <= time <= until + 0.1


def test_the_word_is_heard_when_it_lights_up(visitor: Visitor) -> None:
    text = "[pause:1s] Planks. [pause:1s] Glue."
    visitor.page.evaluate(LISTEN)
    visitor.speak(text)
    visitor.until("document.getElementById('audio').ended")
    starts = [word["start"] for word in timed_words(visitor, text)]
    heard = visitor.ask("window.heard")

    assert len(starts) == 2
    for start in starts:
        assert min(abs(start - one) for one in heard) < 0.1, (starts, heard)


def test_a_press_on_a_word_goes_there(visitor: Visitor, texts: dict[str, str]) -> None:
    visitor.speak(texts["short"])
    visitor.until("document.getElementById('audio').ended")
    words = timed_words(visitor, texts["short"])
    visitor.page.locator(".word").nth(4).click()
    visitor.until(f"!{PAUSED}")

    assert visitor.ask(TIME) >= words[4]["start"] - 0.05
    visitor.until(f"{LIT} === {texts['short'].split()[5]!r}")


def test_keys_move_by_words_and_play_and_edit(visitor: Visitor, texts: dict[str, str]) -> None:
    visitor.speak(texts["short"])
    visitor.until("document.getElementById('audio').ended")
    reading = visitor.find("reading")
    visitor.page.locator(".word").nth(2).click()
    reading.press(" ")
    visitor.until(PAUSED)
    before = visitor.ask(TIME)
    reading.press("ArrowRight")
    assert visitor.ask(TIME) > before
    reading.press("ArrowLeft")
    reading.press("ArrowLeft")
    assert visitor.ask(TIME) < before
    reading.press("Escape")

    assert visitor.find("text").is_visible()
    assert visitor.ask("document.activeElement.id") == "text"


def test_speed_volume_and_place_are_set_by_keys(visitor: Visitor, texts: dict[str, str]) -> None:
    visitor.speak(texts["held"])
    visitor.until(WHOLE)
    visitor.find("rate").focus()
    visitor.find("rate").press("ArrowRight")
    visitor.find("rate").press("End")
    visitor.find("volume").press("Home")

    assert visitor.ask("document.getElementById('audio').playbackRate") == 2
    assert visitor.ask("document.getElementById('audio').preservesPitch")
    assert visitor.ask("document.getElementById('audio').volume") == 0
    visitor.find("waveform").press("Home")
    visitor.find("waveform").press("ArrowRight")
    assert float(visitor.find("waveform").get_attribute("aria-valuenow") or 0) >= 0
    assert "of" in (visitor.find("waveform").get_attribute("aria-valuetext") or "")


def test_the_speed_slider_holds_at_one(visitor: Visitor) -> None:
    visitor.page.evaluate("document.getElementById('player').hidden = false")
    for value, wanted in (("1.05", 1), ("0.95", 1), ("1.1", 1.1)):
        visitor.find("rate").evaluate("(one, value) => { one.value = value; one.dispatchEvent(new Event('input')); }", value)
        assert visitor.find("rate").evaluate("(one) => one.valueAsNumber") == wanted


@pytest.mark.parametrize("ending", ["mp3", "opus", "aac", "flac", "wav", "pcm", "srt", "vtt"])
def test_the_speech_is_saved_as(visitor: Visitor, texts: dict[str, str], tmp_path: Path, ending: str) -> None:
    visitor.speak(texts["short"])
    visitor.until(WHOLE)
    with visitor.page.expect_download() as saved:
        visitor.find("save").select_option(ending)
    file = tmp_path / "file"
    saved.value.save_as(file)
    data = file.read_bytes()

    assert saved.value.suggested_filename == f"The-birch-canoe-slid-on-the-smooth-plank.{ending}"
    begins = {"mp3": b"\xff", "opus": b"OggS", "aac": b"\xff", "flac": b"fLaC", "wav": b"RIFF", "srt": b"1\n", "vtt": b"WEBVTT"}
    assert data.startswith(begins.get(ending, b""))
    if ending == "wav":
        assert int.from_bytes(data[40:44], "little") == len(data) - 44
    if ending in ("srt", "vtt"):
        assert "smooth planks." in " ".join(data.decode().split())


def test_stop_ends_the_request(visitor: Visitor, engine: HoldingEngine, site: Any, texts: dict[str, str]) -> None:
    engine.hold()
    visitor.speak(texts["held"].replace("planks", "boards"))
    visitor.until(f"{TIME} > 0.2")
    visitor.find("stop").click()

    visitor.until(PAUSED)
    visitor.until("!document.getElementById('speak-button').classList.contains('waits')")
    assert visitor.faults() == ""


def test_a_new_text_takes_the_place_of_the_one_that_plays(
    visitor: Visitor, engine: HoldingEngine, texts: dict[str, str]
) -> None:
    engine.hold()
    visitor.speak(texts["held"].replace("planks", "floors"))
    visitor.until(f"{TIME} > 0.2")
    visitor.speak("Glue the sheet.")
    visitor.until(WHOLE)

    assert visitor.find("playing").inner_text() == "Glue the sheet."
    visitor.until("document.querySelectorAll('.word').length === 3")
    visitor.no_complaints()
