"""Those scripts of the page that need no browser, run by Node."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

STATIC = Path(__file__).parents[3] / "app" / "web" / "static"

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs node")


def run(script: str, names: str, expression: str) -> Any:
    """Returns the value of an expression that uses `names` of a script."""
    program = f"import {{{names}}} from {json.dumps((STATIC / script).as_uri())};\nconsole.log(JSON.stringify({expression}));"
    command = ["node", "--no-warnings", "--experimental-default-type=module", "--input-type=module", "--eval", program]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The cat is in the house with the children.", "en"),
        ("El perro y los niños están en la casa.", "es"),
        ("Le chat est dans la maison avec les enfants.", "fr"),
        ("Il gatto è nella casa con i bambini che non sono qui.", "it"),
        ("O gato está em casa com os meninos, mas você não.", "pt"),
        ("बिल्ली घर में है।", "hi"),
        ("猫は家にいます。", "ja"),
        ("猫在家里。", "zh"),
        ("Hello, 世界!", ""),
        ("Kokoro 82M", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_text_is_found(text: str, language: str) -> None:
    assert run("basics/languages.js", "languageOf", f"languageOf({json.dumps(text)})") == language


def timed(*words: str, pause: float = 0.1, **more: str) -> list[dict[str, Any]]:
    """Words of half a second each."""
    return [{"word": word, "start": i * (0.5 + pause), "end": i * (0.5 + pause) + 0.5, **more} for i, word in enumerate(words)]


def captions(words: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run("speak/captions.js", "captionsOf", f"captionsOf({json.dumps(words)}, {json.dumps(text)})")
    return found


def test_a_caption_ends_with_its_sentence() -> None:
    found = captions(timed("Glue", "it.", "Then", "go."), "Glue it. Then go.")

    assert [one["text"] for one in found] == ["Glue it.", "Then go."]
    assert found[1]["start"] == pytest.approx(1.2)


def test_a_caption_has_at_most_two_lines_and_seven_seconds() -> None:
    words = [f"word{chr(97 + i % 26)}" for i in range(60)]
    found = captions(timed(*words), " ".join(words))

    assert " ".join(one["text"] for one in found).split() == words
    assert all(len(one["text"]) <= 84 and one["end"] - one["start"] <= 7 for one in found)


def test_a_caption_has_one_speaker_and_no_long_pause() -> None:
    words = [*timed("Hello", speaker="af_heart"), {"word": "there", "start": 0.6, "end": 1.0, "speaker": "am_michael"}]
    late = {"word": "friend", "start": 3.0, "end": 3.5, "speaker": "am_michael"}
    found = captions([*words, late], "[af_heart] Hello [am_michael] there friend")

    assert [(one["speaker"], one["text"]) for one in found] == [
        ("af_heart", "Hello"),
        ("am_michael", "there"),
        ("am_michael", "friend"),
    ]


def test_japanese_words_are_not_divided_by_spaces() -> None:
    assert [one["text"] for one in captions(timed("声は", "です"), "声は、です。")] == ["声は、です。"]


def test_captions_are_written_as_srt_and_vtt() -> None:
    words, text = timed("A", "<b", speaker="af_heart"), "A <b"
    both = run(
        "speak/captions.js",
        "writeSrt, writeVtt",
        f"[writeSrt({json.dumps(words)}, 'A <b'), writeVtt({json.dumps(words)}, 'A <b')]",
    )

    assert both[0] == f"1\n00:00:00,000 --> 00:00:01,100\n{text}\n"
    assert both[1] == "WEBVTT\n\n00:00:00.000 --> 00:00:01.100\n<v af_heart>A &lt;b\n"


@pytest.mark.parametrize("rate", [0.5, 0.75, 1.0, 1.25, 2.0])
def test_a_stretched_tone_keeps_its_pitch(rate: float) -> None:
    expression = f"""(() => {{
      const samples = Float32Array.from({{length: 48000}}, (_, i) => Math.sin(2 * Math.PI * 200 * i / 24000));
      const pieces = [];
      for (let at = 0, follows = null; at < 24000; at += 4800) {{
        const done = stretch(samples, at, 4800, {rate}, 24000, follows);
        follows = done.follows;
        pieces.push(...done.piece);
      }}
      let crossings = 0, step = 0;
      for (let i = 1; i < pieces.length; i++) {{
        crossings += pieces[i - 1] < 0 && pieces[i] >= 0;
        step = Math.max(step, Math.abs(pieces[i] - pieces[i - 1]));
      }}
      return [pieces.length, crossings / (pieces.length / 24000), step];
    }})()"""
    n_samples, pitch, largest_step = run("sound/stretch.js", "stretch", expression)

    assert n_samples == pytest.approx(24000 / rate, rel=0.03)
    assert pitch == pytest.approx(200, rel=0.03)
    assert largest_step < 0.1, "a step is heard as a click"


def test_an_mp3_is_divided_at_its_frames() -> None:
    expression = """(() => {
      const frame = [0xff, 0xf3, 0xc4, 0xc0, ...Array(380).fill(7)];
      const stream = Uint8Array.from([...frame, ...frame, ...frame, ...frame]);
      const frames = new Mp3Frames(), pieces = [];
      for (let at = 0; at < stream.length; at += 100) {
        const piece = frames.add(stream.slice(at, at + 100), 700);
        if (piece) pieces.push(piece.length);
      }
      return pieces;
    })()"""
    assert run("sound/mp3_frames.js", "Mp3Frames", expression) == [768, 768]


def test_a_wav_file_has_its_real_sizes() -> None:
    expression = "[...new Uint8Array(await wavOf(new Float32Array(100)).arrayBuffer())].slice(0, 44)"
    header = bytes(run("sound/wav.js", "wavOf", expression))

    assert header[:4] == b"RIFF"
    assert int.from_bytes(header[4:8], "little") == 236
    assert int.from_bytes(header[24:28], "little") == 24000
    assert int.from_bytes(header[40:44], "little") == 200


def test_signs_of_japanese_and_chinese_take_longer_than_letters() -> None:
    english, japanese = run(
        "basics/languages.js", "secondsOf", '[secondsOf("Good morning."), secondsOf("おはようございます。")]'
    )

    assert english == pytest.approx(13 * 0.065)
    assert japanese == pytest.approx(9 * 0.195 + 0.065)
