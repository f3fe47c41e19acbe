"""Tests of the benchmarks that need no run: figures, the report, the command, the kept files."""

import asyncio
import importlib
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from rich.console import Console

import workers.engines.kokoro
from app.core.speech.languages import LANGUAGES
from app.core.speech.voices import load_catalogue
from tests.benchmarks import engine
from tests.benchmarks.__main__ import PARTS, QUICK_PARTS, main
from tests.benchmarks.cached_files import cache_folder, make_once
from tests.benchmarks.equality import a_segment
from tests.benchmarks.figures import percentile, ratio, spread
from tests.benchmarks.listeners import Listener
from tests.benchmarks.model import RANDOM, Model, find_weights, model_once
from tests.benchmarks.newcomers import words_of
from tests.benchmarks.onnx_export import MISSING
from tests.benchmarks.phonemes import phonemes_near
from tests.benchmarks.plan import FULL, QUICK
from tests.benchmarks.report import Report, show
from tests.benchmarks.speakers import ONNX_8BIT, find_speakers
from tests.benchmarks.speakers.apart import environ_as_shipped
from tests.benchmarks.speakers.rivals import RIVALS, find_rivals, how_to_measure, python_of
from tests.benchmarks.texts import text_of
from tests.checkpoints import PHONEMES, make_checkpoint
from workers.engines.kokoro.checkpoint import CheckpointFiles
from workers.engines.kokoro.names import WEIGHTS, WEIGHTS_8BIT


@pytest.mark.parametrize(("share", "found"), [(0.0, 1), (0.5, 51), (0.95, 96), (0.99, 100), (1.0, 100)])
def test_a_percentile_is_one_of_the_values(share: float, found: int) -> None:
    assert percentile([float(n) for n in reversed(range(1, 101))], share) == found


def test_a_spread_names_its_unit() -> None:
    assert spread([0.001, 0.002]) == {"p50 ms": 2.0, "p95 ms": 2.0, "p99 ms": 2.0, "max ms": 2.0}
    assert list(spread([], name="first", unit="s")) == ["first p50 s", "first p95 s", "first p99 s", "first max s"]
    assert set(spread([]).values()) == {None}


def test_a_value_that_was_not_measured_has_no_ratio() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(None, 2.0) is None
    assert ratio(3.0, None) is None


def test_figures_are_shown_in_three_digits() -> None:
    assert [show(figure) for figure in (None, 7, "x", 0.12345, 1.2345, 12.345, 1234.5)] == [
        *("–", "7", "x"),
        *("0.123", "1.23", "12.3", "1234"),
    ]


def test_the_report_is_a_table_and_a_file_of_the_same_rows(tmp_path: Path) -> None:
    console = Console(record=True, width=120)
    report = Report(console, tmp_path / "new" / "bench.json", QUICK, ["engine"], weights="8-bit")
    report.greet()
    with report.steps("engine", 1) as steps:
        steps.now("something")
        steps.done()
    report.add(
        "engine.alone", "Alone", [{"phonemes": 30, "koe s": 0.5, "onnxruntime s": None, "koe runs s": [0.4, 0.5]}], "Why."
    )

    saved = json.loads((tmp_path / "new" / "bench.json").read_text(encoding="utf-8"))
    assert {"made_at", "commit", "is_changed", "machine", "weights", "parts", "settings", "sheets"} == set(saved)
    assert saved["weights"] == "8-bit"
    assert {"cpu", "cores", "memory_gib", "python", "torch", "onnxruntime"} <= set(saved["machine"])
    assert saved["settings"]["lengths"] == list(QUICK.lengths)
    assert saved["sheets"]["engine.alone"] == {
        "title": "Alone",
        "rows": [{"phonemes": 30, "koe s": 0.5, "onnxruntime s": None, "koe runs s": [0.4, 0.5]}],
        "notes": ["Why."],
    }
    shown = console.export_text()
    assert "Kokoro's weights: 8-bit" in shown
    assert "koe s" in shown
    assert "–" in shown
    assert "koe runs s" not in shown


def test_the_command_lists_its_parts() -> None:
    done = CliRunner().invoke(main, ["--help"])

    assert done.exit_code == 0
    assert all(part in done.output for part in ("engine", "server", "cache", "fairness", "load", "all", "--quick", "--json"))
    assert set(QUICK_PARTS) < set(PARTS)


def test_a_quick_run_is_a_part_of_a_full_one() -> None:
    assert set(QUICK.lengths) < set(FULL.lengths)
    assert set(QUICK.client_levels) < set(FULL.client_levels)


class SilentSpeaker:
    """A speaker that only pretends to speak, for any name that is not ONNX Runtime's."""

    def __init__(self, name: str, *_: object) -> None:
        assert name in ("koe", "kokoro")

    def __enter__(self) -> "SilentSpeaker":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def speak(self, phonemes: str, n_threads: int) -> float:
        return len(phonemes) / n_threads

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        return sum(self.speak(phonemes, n_threads) for phonemes in segments)

    def call(self, method: str, *_: object) -> object:
        return {"speak_beginning": 3}[method]


def test_without_onnx_runtime_the_others_are_measured_and_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "is_installed", lambda: False)
    monkeypatch.setattr(engine, "model_once", lambda: Model(CheckpointFiles(tmp_path, tmp_path / "w", {}, ""), RANDOM))
    monkeypatch.setattr(engine, "measure_memory", lambda name, *_, **__: {"loaded MiB": 1.0, "peak MiB": 2.0})
    monkeypatch.setattr(engine, "Apart", SilentSpeaker)
    report = Report(Console(record=True, width=200), tmp_path / "bench.json", FULL, ["engine"], weights=RANDOM)

    engine.measure_engine(report, FULL)

    sheets = json.loads(report.path.read_text(encoding="utf-8"))["sheets"]
    assert [row["peak MiB"] for row in sheets["engine.memory"]["rows"]] == [2.0, 2.0]
    assert all(row["×onnxruntime"] is None and row["×kokoro"] > 0 for row in sheets["engine.alone"]["rows"])
    assert MISSING in sheets["engine.alone"]["notes"]
    assert sheets["engine.first_sound"]["rows"][0]["first phonemes"] == 3


def test_a_speaker_in_its_own_process_has_none_of_koes_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environ_as_shipped().keys() ^ os.environ.keys():
        monkeypatch.delenv(name)
    before = dict(os.environ)
    importlib.reload(workers.engines.kokoro)
    assert dict(os.environ) != before
    assert environ_as_shipped() == before


def test_a_cached_folder_is_made_once_and_completely(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("x")
        if len(made) == 1:
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        make_once(tmp_path / "model", make)
    assert not list(tmp_path.iterdir())
    for _ in range(2):
        assert (make_once(tmp_path / "model", make) / "file").read_text() == "x"
    assert len(made) == 2


def test_the_cache_folder_is_where_the_platform_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "koe" / "bench"


@pytest.mark.parametrize("n_phonemes", [10, *FULL.lengths, *FULL.together_lengths, 510])
def test_phonemes_of_prose_are_about_as_many_as_asked_and_all_known(n_phonemes: int) -> None:
    phonemes = phonemes_near(n_phonemes)
    assert len(phonemes) == pytest.approx(n_phonemes, rel=0.1)
    assert set(phonemes) <= set(PHONEMES)


@pytest.mark.parametrize("language", [language.tag for language in LANGUAGES])
def test_every_language_has_short_segments_and_the_longest(language: str) -> None:
    assert len(phonemes_near(10, language)) < 25
    assert 480 < len(phonemes_near(510, language)) <= 510


def test_segments_that_are_compared_are_in_all_languages_and_of_all_lengths() -> None:
    voices = load_catalogue().voices
    segments = [a_segment(number, FULL.n_equal_segments, voices) for number in range(FULL.n_equal_segments)]
    assert {segment.language for segment in segments} == {language.tag for language in LANGUAGES}
    assert {len(segment.voice) for segment in segments} == {1, 2, 3}
    assert segments[0].n_phonemes < 20
    assert segments[-1].n_phonemes > 480
    assert all(sum(part.weight for part in segment.voice) == pytest.approx(1) for segment in segments)


@pytest.mark.parametrize("n_characters", [100, 600, 4000])
def test_a_text_is_about_as_long_as_asked_and_another_for_each_seed(n_characters: int) -> None:
    texts = [text_of(n_characters, seed) for seed in range(50)]
    assert len(set(texts)) == len(texts)
    assert all(n_characters - 25 <= len(text) <= n_characters + 25 for text in texts)
    assert texts[7] == text_of(n_characters, 7)


def test_speakers_are_those_that_have_their_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for rival in RIVALS.values():
        monkeypatch.delenv(rival.variable, raising=False)
    assert find_speakers(None) == ["koe", "kokoro"]
    (tmp_path / f"{ONNX_8BIT}.onnx").touch()
    assert find_speakers(tmp_path) == ["koe", "kokoro", ONNX_8BIT]


def test_a_rival_is_measured_by_the_python_that_its_variable_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for rival in RIVALS.values():
        monkeypatch.delenv(rival.variable, raising=False)
    monkeypatch.setenv("BENCH_KOKORO_PI", "/somewhere/bin/python")
    assert find_rivals() == ["kokoro-pi"]
    assert find_speakers(None) == ["koe", "kokoro"]
    assert find_speakers(tmp_path) == ["koe", "kokoro", "kokoro-pi"]
    assert python_of("kokoro-pi") == "/somewhere/bin/python"
    assert python_of("koe") == sys.executable
    assert "BENCH_FASTKOKORO" in how_to_measure("fastkokoro")


def test_without_kokoros_files_random_weights_are_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KOE_MODEL_DIR", str(tmp_path))
    assert find_weights() == RANDOM
    make_checkpoint(tmp_path, voices=("af_heart",))
    assert find_weights() == "original"
    (tmp_path / WEIGHTS).rename(tmp_path / WEIGHTS_8BIT)
    assert find_weights() == model_once().weights == "8-bit"
    assert model_once().folder == tmp_path


def test_a_listener_counts_underruns() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"\0" * 4800  # a tenth of a second
        await asyncio.sleep(0.3)
        yield b"\0" * 48000
        yield b"\0" * 4800

    async def play() -> Listener:
        listener = Listener()
        transport = httpx.MockTransport(lambda _: httpx.Response(200, content=chunks()))
        async with httpx.AsyncClient(base_url="http://koe", transport=transport) as http:
            await listener.play(http, "Hello.")
        return listener

    listener = asyncio.run(play())
    assert listener.n_underruns == 1
    assert 0.1 < listener.dry_seconds < 5
    assert listener.audio_seconds == pytest.approx(1.2)
    assert listener.is_whole


@pytest.mark.parametrize("n_words", [1, 3, 10, 40, 100])
def test_a_newcomer_s_text_has_so_many_words_and_is_new_each_time(n_words: int) -> None:
    texts = [words_of(n_words, seed) for seed in range(5)]
    assert {len(text.split()) for text in texts} == {n_words}
    assert len(set(texts)) > 1
    assert words_of(n_words, 0) == texts[0]
