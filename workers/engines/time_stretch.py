"""Speech made faster or slower without a change of pitch, for speeds that an engine cannot reach by itself.

Why ffmpeg's `atempo`: it is WSOLA, which keeps the periods of a voice whole, it gives the same samples every time, and its
binary is here for the encoder. Whisper heard a phase vocoder (Signalsmith, Rubber Band) no better at half and worse at three
times the speed, and Signalsmith draws random phases beyond twice the length.

Why in steps: one filter that triples the speed drops parts of words, and two that each do a part of it lose fewer.

Why here and not in the encoder: joining needs waveforms of their final length.
"""

import subprocess
from pathlib import Path
from typing import Final

import ffmpeg
import numpy as np

from app.core.errors import EngineFailed
from app.core.speech.formats import SAMPLE_RATE_HZ
from workers.engines.base import Samples

_MAX_STEP: Final = 2.0
"""Times faster, or slower, in one step."""
_FADE: Final = 1200
"""Silence that is put at both ends: `atempo` begins and ends within it, 50 ms at 24 kHz."""
_SILENCE: Final = 10 ** (-50 / 20)
"""Amplitude below which an edge is silence, as where segments are joined."""
_NOT_HEARD: Final = 0.005
"""Share by which a length may be wrong."""


def time_stretch(samples: Samples, n_wanted: int, ffmpeg_path: Path) -> Samples:
    """`samples` (n,) as (n_wanted,), the same sound over another time. Deterministic. Raises EngineFailed.

    What is loud lasts as long as it should, to half a per cent: `atempo` smears its edges, by 15 ms at four times the speed,
    so it is asked a second time for as much less.
    """
    tempo = len(samples) / max(1, n_wanted)
    first, last = _loud_span(samples)
    n_loud = (last - first) / tempo
    if n_loud < 1:
        return np.zeros(n_wanted, np.float32)
    stretched = _stretched(samples, tempo, ffmpeg_path)
    begin, end = _loud_span(stretched)
    spread = (end - begin) / n_loud
    if spread and abs(spread - 1) > _NOT_HEARD:
        stretched = _stretched(samples, tempo * spread, ffmpeg_path)
        begin, _ = _loud_span(stretched)
    return _placed(stretched, round(first / tempo) - begin, n_wanted)


def _stretched(samples: Samples, tempo: float, ffmpeg_path: Path) -> Samples:
    padded = np.pad(samples, _FADE)
    done = subprocess.run(_command(tempo, ffmpeg_path), input=padded.astype("<f4").tobytes(), capture_output=True, check=False)
    if done.returncode != 0:
        raise EngineFailed(f"ffmpeg could not change the speed of a segment: {done.stderr.decode(errors='replace')[-200:]}")
    return np.frombuffer(done.stdout, "<f4")


def _loud_span(samples: Samples) -> tuple[int, int]:
    """The first sample that is no silence, and the last, exclusive."""
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    return (int(loud[0]), int(loud[-1]) + 1) if loud.size else (0, 0)


def steps_of(tempo: float) -> list[float]:
    """`tempo`, greater than 0, as equal factors between 1/_MAX_STEP and _MAX_STEP."""
    n_steps = max(1, int(np.ceil(abs(np.log(tempo)) / np.log(_MAX_STEP) - 1e-9)))
    return [tempo ** (1 / n_steps)] * n_steps


def _command(tempo: float, ffmpeg_path: Path) -> list[str]:
    stream = ffmpeg.input("pipe:0", format="f32le", ar=SAMPLE_RATE_HZ, ac=1)
    for step in steps_of(tempo):
        stream = stream.filter("atempo", f"{step:.6f}")
    stream = stream.output("pipe:1", format="f32le", ar=SAMPLE_RATE_HZ, ac=1, threads=1)
    command: list[str] = stream.global_args("-hide_banner", "-loglevel", "error").compile(cmd=str(ffmpeg_path))
    return command


def _placed(samples: Samples, first: int, n_wanted: int) -> Samples:
    """`samples` in (n_wanted,) from `first` on, which may be negative; silence elsewhere."""
    shifted = np.pad(samples, (max(0, first), 0))[max(0, -first) :][:n_wanted]
    return np.pad(shifted, (0, n_wanted - len(shifted))).astype(np.float32)
