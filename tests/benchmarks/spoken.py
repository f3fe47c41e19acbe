"""`python -m tests.benchmarks.spoken languages|long|fuzz`: checks whether every word is spoken, and measures the time.

`languages` speaks a text in nine languages with both engines, `long` streams a text of 200,000 characters from a real server,
`fuzz` reads and phonemizes random texts. Each counts what was given and how much of it was spoken.
"""

import json
import logging
import random
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import httpx
import msgspec
import structlog
from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from app.core.speech.languages import LANGUAGES
from app.core.speech.utterance import Utterance
from app.core.speech.voices import Blend, load_catalogue
from app.core.speech.word_times import TimedWord
from tests.benchmarks.processes import served
from tests.checkpoints import make_checkpoint
from workers.engines.base import Engine, Segment
from workers.engines.espeak import EspeakEngine
from workers.engines.kokoro.engine import KokoroEngine
from workers.synthesis.joining import to_sound
from workers.synthesis.prepare import PreparedPassage, PreparedText, prepare_segments, prepare_text, segments_of
from workers.synthesis.word_timing import WordTimer
from workers.text.words import find_words, says_something

console = Console(width=140)
CATALOGUE = load_catalogue()

_ARTICLE: Final = Path(__file__).with_name("article_1.toml")
_VOICES: Final = {"zh": "zf_xiaobei", "ja": "jf_alpha", "es": "ef_dora", "fr-FR": "ff_siwis"}
_LONG: Final = (
    "On March {day}, {year}, Dr. Smith and {n} others paid ${n}.50 each, i.e. {percent}% more than in {year2}. "
    "“It's {n} km/h!” she said; nobody read sales@example.com, or No. {day}. "
)
_WORDS: Final = [
    "hello",
    "Dr.",
    "No.",
    "5",
    "$12.50",
    "3:45",
    "pm",
    "1905",
    "2,500",
    "½",
    "5",
    "km/h",
    "100m",
    "+1",
    "555-0100",
    "a@b.com",
    "https://a.com/b?c=1",
    "C++",
    "ALL",
    "CAPS",
    "read/read",
    "_it_",
    "**bold**",
    "`code`",
    "#",
    "-",
    ">",
    "|",
    "<b>",
    "</b>",
    "&amp;",
    "[link](https://a.com)",
    "[pause:0.1s]",
    "😀",
    "❤️",
    "“no”",
    "’tis",
    "…",
    "—",
    "¿qué?",
    "naïve",
    "世界",
    "世界。",
    "かな、カタカナ！",
    "ｶﾅ",
    "नमस्ते।",
    "мир",
    "한국",
    "שלום",
    "مرحبا",
    "สวัสดี",
    "𝔘𝔫𝔦",
    "Ⅳ",
    "XIV",
    "²",
    "°",
    "%",
    "‰",
    "€",
    "₹",
    "¥500",
    "~",
    "^",
    "\\",
    "`",
    "''",
    '""',
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<!--",
    "x",
    "-->",
    "<script>",
    "́",
    "\u200b",
]


@contextmanager
def engines() -> Iterator[dict[str, Engine]]:
    """Yields espeak, and Kokoro with a tiny checkpoint."""
    with tempfile.TemporaryDirectory(prefix="koe-") as folder:
        model_dir = make_checkpoint(Path(folder))
        yield {"espeak": EspeakEngine(CATALOGUE), "kokoro": KokoroEngine(catalogue=CATALOGUE, model_dir=model_dir)}


def _utterance(text: str, language: str, engine: str) -> Utterance:
    voice: Blend = CATALOGUE.parse(_VOICES.get(language, "af_heart"))[0]
    return Utterance(text=text, engine=engine, voice=voice, language=language, format="pcm")


def _spoken(utterance: Utterance, engine: Engine) -> tuple[int, int, float, list[TimedWord]]:
    """Speaks the utterance. Returns its segments, phonemes, seconds of audio, and the words with their times."""
    word_timer, words, seconds, n_phonemes, n_segments = WordTimer(utterance.text), list[TimedWord](), 0.0, 0, 0
    for placed in prepare_segments(prepare_text(utterance, engine), utterance, engine):
        if placed.segment is None:
            continue
        (waveform,) = engine.synthesize([placed.segment])
        sound = to_sound(waveform, placed.segment)
        words += word_timer.add(placed.segment, placed.tracked, sound, seconds)
        seconds += sound.seconds
        n_phonemes += placed.segment.n_phonemes
        n_segments += 1
    return n_segments, n_phonemes, seconds, words + word_timer.rest()


@click.group()
def main() -> None:
    """Check that every word is spoken, and spoken correctly."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@main.command()
def languages() -> None:
    """Speak article 1 of the Universal Declaration of Human Rights in nine languages."""
    table = Table("language", "engine", "segments", "phonemes", "audio s", "words reported", "words given", title="Article 1")
    article = tomllib.loads(_ARTICLE.read_text(encoding="utf-8"))
    with engines() as loaded:
        for language in LANGUAGES:
            text = article[language.tag]
            for name, engine in loaded.items():
                n_segments, n_phonemes, seconds, words = _spoken(_utterance(text, language.tag, name), engine)
                given = [text[start:end] for start, end in find_words(text)]
                timed = [word.word for word in words]
                figures = map(str, (n_segments, n_phonemes, f"{seconds:.2f}", len(timed), len(given)))
                table.add_row(language.tag, name, *figures, style="" if timed == given else "red")
    console.print(table)


@main.command()
@click.option("--characters", "n_characters", default=200_000, show_default=True)
def long(n_characters: int) -> None:
    """Speak a long text as one request: first audio, memory, and whether the reported words are the given words."""
    text = _long_text(n_characters)
    body: dict[str, Any] = {"model": "espeak", "voice": "alloy", "input": text}
    body |= {"response_format": "pcm", "stream_format": "sse", "timestamps": ["word"]}
    with served(KOE_ENGINE="espeak", KOE_MAX_INPUT_CHARS=str(n_characters)) as server:
        before, most = server.memory_mib(), dict[str, float]()
        started, first, timed = time.monotonic(), 0.0, list[str]()
        with (
            httpx.stream("POST", f"{server.url}/v1/audio/speech", json=body, timeout=600) as answer,
            Progress(console=console) as bar,
        ):
            answer.raise_for_status()
            task = bar.add_task("words", total=len(find_words(text)))
            for line in answer.iter_lines():
                event: dict[str, Any] = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {"type": ""}
                first = first or (time.monotonic() - started if event["type"] == "speech.audio.delta" else 0.0)
                if event["type"] == "speech.audio.words":
                    timed += [word["word"] for word in event["words"]]
                    bar.update(task, completed=len(timed))
                    most = {role: max(mib, most.get(role, 0.0)) for role, mib in server.memory_mib().items()}
                elif event["type"] == "error":
                    raise click.ClickException(event["error"]["message"])
                elif event["type"] == "speech.audio.done":
                    audio_seconds = event["usage"]["output_tokens"] / 40
        seconds = time.monotonic() - started
    given = [text[start:end] for start, end in find_words(text)]
    console.print(
        f"{len(text):,} characters with espeak: first audio after {first:.2f} s, {audio_seconds / 3600:.2f} h of audio in "
        f"{seconds:.1f} s\nwords given {len(given):,}, reported {len(timed):,}, "
        f"{'the same, in order' if timed == given else 'NOT THE SAME'}\nresident memory, MiB, before and at most: "
        + ", ".join(f"{role} {before[role]:.0f} → {most[role]:.0f}" for role in before)
    )


def _long_text(n_characters: int) -> str:
    chosen, paragraphs, length = random.Random(1), list[str](), 0
    while length < n_characters:
        fields = {"day": chosen.randint(1, 28), "year": chosen.randint(1700, 2024), "year2": chosen.randint(1900, 1999)}
        fields |= {"n": chosen.randint(2, 9999), "percent": chosen.randint(1, 99)}
        paragraphs.append(_LONG.format(**fields) * chosen.randint(1, 4))
        length += len(paragraphs[-1]) + 2
    return "\n\n".join(paragraphs)[:n_characters]


class Fuzzed(msgspec.Struct):
    """The results of random texts of one language in one engine."""

    n_cases: int = 0
    n_characters: int = 0
    n_segments: int = 0
    worst_ms: float = 0.0
    """Time for 1,000 characters."""
    n_lost: int = 0
    n_unsaid: int = 0


@main.command()
@click.option("--cases", "n_cases", default=2000, show_default=True, help="Texts in each language.")
@click.option("--seed", default=1, show_default=True)
def fuzz(n_cases: int, seed: int) -> None:
    """Read and phonemize random texts in nine languages with both engines."""
    table = Table(
        "language", "engine", "cases", "characters", "segments", "worst ms per 1,000", "lost", "unsaid", title="Fuzzing"
    )
    with engines() as loaded:
        for language in track(LANGUAGES, console=console, description="languages"):
            for name, engine in loaded.items():
                _try("Warm.", language.tag, engine, Fuzzed())
                chosen, found = random.Random(f"{seed} {language.tag}"), Fuzzed()
                for _ in range(n_cases):
                    _try(_random_text(chosen), language.tag, engine, found)
                figures = (
                    found.n_cases,
                    found.n_characters,
                    found.n_segments,
                    round(found.worst_ms, 1),
                    found.n_lost,
                    found.n_unsaid,
                )
                table.add_row(language.tag, name, *map(str, figures), style="red" if found.n_lost else "")
    console.print(table)
    console.print(
        "unsaid: characters of pieces that are in no segment; lost: of these, the ones for which the engine has phonemes"
    )


def _random_text(chosen: random.Random) -> str:
    """Returns up to 200 words, some as people write them and some of any characters."""
    parts = []
    for _ in range(chosen.choice((1, 3, 10, 40, 200))):
        if chosen.random() < 0.85:
            parts.append(chosen.choice(_WORDS))
        else:
            parts.append(
                "".join(chr(chosen.choice((chosen.randrange(32, 0x250), chosen.randrange(32, 0xD800)))) for _ in range(4))
            )
    return chosen.choice((" ", " ", " ", "", "\n", "\n\n")).join(parts)


def _try(text: str, language: str, engine: Engine, found: Fuzzed) -> None:
    utterance = _utterance(text, language, engine.name)
    started = time.monotonic()
    prepared = prepare_text(utterance, engine)
    passages = list(prepared.passages)
    placed = list(prepare_segments(PreparedText(passages, prepared.markup), utterance, engine))
    taken = time.monotonic() - started
    found.n_cases, found.n_characters = found.n_cases + 1, found.n_characters + len(text)
    found.worst_ms = max(found.worst_ms, 1e6 * taken / max(1000, len(text)))
    for passage in passages:
        segments = [one.segment for one in placed if one.segment is not None and one.tracked is passage.tracked]
        found.n_segments += len(segments)
        for dropped in _find_dropped(passage, segments):
            alone = segments_of(dropped, engine, voice=utterance.voice, language=language, speed=1.0, markup=prepared.markup)
            found.n_lost += len(dropped) if any(alone) else 0
            found.n_unsaid += len(dropped)


def _find_dropped(passage: PreparedPassage, segments: Sequence[Segment]) -> Iterator[str]:
    """Yields the pieces of a passage that say something and are in no segment."""
    at = 0
    for start, end in (*((one.start, one.start + len(one.text)) for one in segments), (len(passage.tracked), 0)):
        if says_something(dropped := passage.tracked.text[at:start]):
            yield dropped.strip()
        at = end


if __name__ == "__main__":
    main()
