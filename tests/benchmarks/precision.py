"""Part `precision`: Kokoro with its prepared weights in 32, 16 and 8 bits: speed, distance from float32, and memory.

Why a distance between two drawings of the noise stands beside: the model draws noise for each text, so speech that is nearer
than that cannot be told from another drawing.
"""

import asyncio
import time
from collections.abc import Mapping
from statistics import fmean, median
from typing import Final

import httpx
import msgspec
import numpy as np
import torch

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import load_catalogue
from tests.benchmarks.cached_files import VOICE
from tests.benchmarks.figures import Row
from tests.benchmarks.machine import n_cores
from tests.benchmarks.model import Model, model_once
from tests.benchmarks.phonemes import phonemes_near
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Usage, served
from tests.benchmarks.report import Report, Steps
from tests.benchmarks.speakers.koe_engine import segment_of
from tests.benchmarks.texts import text_of
from workers.engines.base import Samples, Segment, Turn
from workers.engines.idle import LIBRARIES_STAY
from workers.engines.kokoro.engine import KokoroEngine
from workers.engines.kokoro.kernels.matrices import Precision

PRECISIONS: Final[tuple[Precision, ...]] = ("float32", "float16", "bfloat16", "int8")
_WORKERS: Final[dict[str, dict[str, str]]] = {
    **{precision: {"KOE_PRECISION": precision} for precision in PRECISIONS},
    "int8, one thread": {"KOE_PRECISION": "int8", "KOE_THREADS": "1"},
}
"""Settings of the workers whose memory is measured."""
_N_CLIENTS: Final = 6
_TEXT_CHARACTERS: Final = 600
_IDLE_SECONDS: Final = 4
_FFT, _HOP = 1024, 256
_FLOOR: Final = 1e-4
_HEARD_DB: Final = -20.0
"""A frame is compared if one of its frequencies is above this."""


def measure_precision(report: Report, plan: Plan) -> None:
    """Adds all sheets of this part."""
    model = model_once()
    _measure_speech(report, plan, model)
    _measure_workers(report, model)


def _measure_speech(report: Report, plan: Plan, model: Model) -> None:
    engines = {
        precision: KokoroEngine(catalogue=load_catalogue(), model_dir=model.folder, precision=precision)
        for precision in PRECISIONS
    }
    segments = [segment_of(phonemes_near(length)) for length in plan.lengths if length <= plan.whole_phonemes]
    with report.steps("precisions", len(segments) * (plan.n_repeats + 1) * len(engines) * 2) as steps:
        seconds, spoken = _speak(engines, segments, plan.n_repeats, steps)
    audio = sum(len(samples) for samples in spoken["float32"]) / SAMPLE_RATE_HZ
    rows: list[Row] = [
        {
            "precision": precision,
            **{f"audio s per s, {n} threads": audio / seconds[precision, n] for n in (1, n_cores())},
            "dB from float32": _mean_distance(spoken[precision], spoken["float32"]),
        }
        for precision in PRECISIONS
    ]
    others = [_samples(engines["float32"], msgspec.structs.replace(one, text=one.text + " "), 1) for one in segments]
    others_row: Row = {"precision": "float32, other noise", "dB from float32": _mean_distance(others, spoken["float32"])}
    rows.append(others_row)
    title = f"{len(segments)} segments, {audio:.0f} s of audio, median of {plan.n_repeats} after one to warm up"
    note = "dB: log-spectral distance in frames that are heard. Other noise: the same phonemes with another seed."
    report.add("precision.speech", title, rows, note)


def _speak(
    engines: Mapping[Precision, KokoroEngine], segments: list[Segment], n_repeats: int, steps: Steps
) -> tuple[dict[tuple[str, int], float], dict[str, list[Samples]]]:
    """Speaks in turns. Returns the median seconds by precision and threads, and the samples by precision."""
    spoken: dict[str, list[Samples]] = {precision: [] for precision in engines}
    seconds: dict[tuple[str, int], float] = {}
    for n_threads in sorted({1, n_cores()}):
        for segment in segments:
            runs: dict[str, list[float]] = {precision: [] for precision in engines}
            for turn in range(n_repeats + 1):
                for precision, engine in engines.items():
                    started = time.perf_counter()
                    samples = _samples(engine, segment, n_threads)
                    if turn:
                        runs[precision].append(time.perf_counter() - started)
                    elif n_threads == 1:
                        spoken[precision].append(samples)
                    steps.done()
            for name, found in runs.items():
                seconds[name, n_threads] = seconds.get((name, n_threads), 0.0) + median(found)
    return seconds, spoken


def _samples(engine: KokoroEngine, segment: Segment, n_threads: int) -> Samples:
    (waveform,) = engine.synthesize([segment], Turn(n_threads=n_threads))
    return waveform.samples


def _mean_distance(some: list[Samples], others: list[Samples]) -> float:
    return fmean(distance(*pair) for pair in zip(some, others, strict=True))


def distance(one: Samples, other: Samples) -> float:
    """Returns the log-spectral distance of two signals of one length in decibels: the root of the mean square over the
    frequencies, its mean over the frames in which `other` is heard.
    """
    levels, expected = _levels(one), _levels(other)
    apart = (levels - expected).square().mean(0).sqrt()
    return float(apart[expected.amax(0) > _HEARD_DB].mean())


def _levels(samples: Samples) -> torch.Tensor:
    """Returns the spectrum of each frame in decibels, (n_bins, n_frames)."""
    window = torch.hann_window(_FFT)
    spectrum = torch.stft(torch.from_numpy(np.array(samples)), _FFT, _HOP, window=window, return_complex=True)
    return 20 * spectrum.abs().clamp(min=_FLOOR).log10()


def _measure_workers(report: Report, model: Model) -> None:
    rows: list[Row] = []
    with report.steps("workers", len(_WORKERS)) as steps:
        for name, settings in _WORKERS.items():
            steps.now(name)
            rows.append({"worker": name, **_memory(model, settings)})
            steps.done()
    title = f"Resident memory of a worker, MiB; {_N_CLIENTS} clients with texts of {_TEXT_CHARACTERS} characters"
    note = f"Unloaded: {2 * _IDLE_SECONDS} s after the last work, with KOE_IDLE_UNLOAD={_IDLE_SECONDS}. Restarted: after that."
    report.add("precision.memory", title, rows, note)


def _memory(model: Model, settings: Mapping[str, str]) -> Row:
    fixed = {"KOE_ENGINE": "kokoro", "KOE_MODEL_DIR": str(model.folder), "KOE_IDLE_UNLOAD": str(_IDLE_SECONDS)}
    with served(**fixed, **settings) as server:

        def usage(role: str = "worker") -> Usage:
            return server.usage()[role]

        row: Row = {"ready": usage().memory_mib}
        asyncio.run(_ask(server.url, ["Hello there."]))
        row["after a word"] = usage().memory_mib
        asyncio.run(_ask(server.url, [text_of(_TEXT_CHARACTERS, seed) for seed in range(_N_CLIENTS)]))
        row |= {"after texts": usage().memory_mib, "peak": usage().peak_mib}
        time.sleep(2 * _IDLE_SECONDS)
        row["unloaded"] = usage().memory_mib
        time.sleep(LIBRARIES_STAY * _IDLE_SECONDS)
        return row | {"restarted": usage().memory_mib, "API": usage("api").memory_mib}


async def _ask(url: str, texts: list[str]) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=300) as http:
        bodies = [{"model": "kokoro", "voice": VOICE, "input": text, "response_format": "pcm"} for text in texts]
        answers = await asyncio.gather(*(http.post("/v1/audio/speech", json=body) for body in bodies))
    for answer in answers:
        answer.raise_for_status()
