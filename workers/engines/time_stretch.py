"""Makes speech faster or slower without a change of pitch, for speeds that an engine cannot produce itself.

Why ffmpeg's `atempo`: it is WSOLA, which keeps the periods of a voice intact. It is deterministic, and the encoder needs the
binary anyway. Whisper understood phase vocoders (Signalsmith, Rubber Band) no better at half speed and worse at triple speed,
and Signalsmith draws random phases beyond twice the length.

Why in steps: one filter with triple speed drops parts of words; two filters with smaller factors drop fewer.

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
"""Largest factor of one step, faster or slower."""
_FADE: Final = 1200
"""Samples of silence added at both ends, 50 ms at 24 kHz: the edge effects of `atempo` stay within them."""
_SILENCE: Final = 10 ** (-50 / 20)
"""Amplitude below which an edge is silence. Joining uses the same value."""
_INAUDIBLE_ERROR: Final = 0.005
"""Largest relative error of a length."""


def time_stretch(samples: Samples, n_wanted: int, ffmpeg_path: Path) -> Samples:
    """Stretches `samples` (n,) to (n_wanted,). Deterministic. Raises EngineFailed.

    The length of the loud part is exact to half a per cent: `atempo` smears its edges, by 15 ms at four times the speed, so a
    second run corrects the factor.
    """
    tempo = len(samples) / max(1, n_wanted)
    first, last = _loud_span(samples)
    n_loud = (last - first) / tempo
    if n_loud < 1:
        return np.zeros(n_wanted, np.float32)
    stretched = _stretched(samples, tempo, ffmpeg_path)
    begin, end = _loud_span(stretched)
    spread = (end - begin) / n_loud
    if spread and abs(spread - 1) > _INAUDIBLE_ERROR:
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
    """Returns the index of the first loud sample and the exclusive end of the last."""
    loud = np.flatnonzero(np.abs(samples) > _SILENCE)
    return (int(loud[0]), int(loud[-1]) + 1) if loud.size else (0, 0)


def steps_of(tempo: float) -> list[float]:
    """Divides `tempo` (> 0) into equal factors between 1/_MAX_STEP and _MAX_STEP."""
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
    """Returns (n_wanted,) with `samples` at index `first`, which may be negative, and silence elsewhere."""
    shifted = np.pad(samples, (max(0, first), 0))[max(0, -first) :][:n_wanted]
    return np.pad(shifted, (0, n_wanted - len(shifted))).astype(np.float32)
