"""Judges whether a response matches its request, given the usual sound of the voice.

Why the usual sound comes from other responses of the voice in the same run: loudness and pace of a voice change with Koe's
versions. The judge must find a response that differs from the others.

How the limits were chosen: on other texts (sentences of the paragraphs) and with other seeds than in part `faults`, about
half-way between the worst clean response and the mildest fault.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np

from app.core.speech.formats import SAMPLE_RATE_HZ
from tests.ears.canonical import split
from tests.ears.listener import Heard
from tests.ears.score import differences
from tests.ears.session import Hearing
from tests.ears.sound import SILENCE_DBFS, Array, levels_dbfs, n_clipped, noise_floor_dbfs, silences

MAX_TURNED: Final = 0.5
"""Share of different characters above which the transcript is another text, or its parts are in another order."""
MIN_MISSING: Final = 6
"""Number of consecutive characters without a counterpart."""
MAX_LOUDNESS_LU: Final = 3.5
MAX_SEMITONES: Final = 2.5
MAX_TIMBRE: Final = 5.0
"""Distance from the voice's mean, in units of the cepstrum."""
MAX_PACE: Final = 1.5
"""Seconds per character, divided by the voice's usual value."""
MAX_SILENCE_SECONDS: Final = 0.6
MAX_TAIL_SECONDS: Final = 0.03
"""Difference between the audio after the last word and its usual length for the voice."""
MAX_CLIPPED: Final = 6
MAX_NOISE_DB: Final = 15.0
"""Level above the voice's usual floor."""
MIN_DROPOUT_SECONDS: Final = 0.03
MAX_CLICK: Final = 2.5


class Manner(msgspec.Struct, frozen=True):
    """The usual sound of a voice: medians over its responses."""

    loudness_lufs: float
    pitch_hz: float
    timbre: tuple[float, ...]
    character_seconds: float
    tail_seconds: float
    floor_db: float
    """Level of the quiet frames relative to the loudness."""


def manner_of(hearings: Sequence[Hearing]) -> Manner:
    """Returns the manner of one voice from its responses. None of these may be judged by it."""
    timbres = np.array([hearing.profile.timbre for hearing in hearings])
    return Manner(
        loudness_lufs=_median(hearing.profile.loudness_lufs for hearing in hearings),
        pitch_hz=_median(hearing.profile.pitch_hz for hearing in hearings),
        timbre=tuple(timbres.mean(axis=0).tolist()),
        character_seconds=_median(character_seconds(hearing) for hearing in hearings),
        tail_seconds=_median(tail_seconds(hearing) for hearing in hearings),
        floor_db=_median(floor_db(hearing) for hearing in hearings),
    )


def find_faults(hearing: Hearing, manner: Manner) -> dict[str, str]:
    """Returns detector → description of the fault; empty for a good response."""
    return {name: found for name, detect in DETECTORS.items() if (found := detect(hearing, manner))}


def wrong_words(hearing: Hearing, _: Manner) -> str:
    """Words are missing, repeated or in another order, in both transcripts."""
    found = _unlike(hearing, hearing.heard)
    return found and _unlike(hearing, hearing.heard_again)


def _unlike(hearing: Hearing, transcript: Heard) -> str:
    language = hearing.request.language
    expected, heard = split(hearing.request.text, language), split(transcript.text, language)
    stretches = [("".join(ours), "".join(theirs)) for ours, theirs in differences(expected, heard)]
    turned = sum(max(len(ours), len(theirs)) for ours, theirs in stretches) / max(1, len("".join(expected)))
    for ours, theirs in stretches:
        if abs(len(ours) - len(theirs)) >= MIN_MISSING:
            return f"{theirs or 'nothing'} for {ours or 'nothing'}"
    return f"{turned:.0%} of it differs" if turned > MAX_TURNED else ""


def wrong_loudness(hearing: Hearing, manner: Manner) -> str:
    difference = hearing.profile.loudness_lufs - manner.loudness_lufs
    return f"{difference:+.1f} LU" if abs(difference) > MAX_LOUDNESS_LU else ""


def wrong_pitch(hearing: Hearing, manner: Manner) -> str:
    semitones = 12 * np.log2(max(1.0, hearing.profile.pitch_hz) / max(1.0, manner.pitch_hz))
    return f"{semitones:+.1f} semitones" if abs(semitones) > MAX_SEMITONES else ""


def wrong_timbre(hearing: Hearing, manner: Manner) -> str:
    far = timbre_distance(hearing, manner)
    return f"timbre {far:.1f} off" if far > MAX_TIMBRE else ""


def wrong_pace(hearing: Hearing, manner: Manner) -> str:
    ratio = character_seconds(hearing) / manner.character_seconds
    return f"{ratio:.2f} of the usual pace" if not 1 / MAX_PACE < ratio < MAX_PACE else ""


def wrong_length(hearing: Hearing, manner: Manner) -> str:
    """The audio does not end where the word times say that the last word ends."""
    difference = tail_seconds(hearing) - manner.tail_seconds
    return f"{difference:+.2f} s against the word times" if abs(difference) > MAX_TAIL_SECONDS else ""


def long_silence(hearing: Hearing, _: Manner) -> str:
    longest = max((end - start for start, end in silences(hearing.samples)), default=0.0) * hearing.request.speed
    return f"{longest:.2f} s of silence" if longest > MAX_SILENCE_SECONDS else ""


def dropout(hearing: Hearing, _: Manner) -> str:
    """Digital silence that begins or ends within loud speech."""
    return f"{seconds:.2f} s dropped" if (seconds := dropped_seconds(hearing)) >= MIN_DROPOUT_SECONDS else ""


def clipping(hearing: Hearing, _: Manner) -> str:
    n_flat = n_clipped(hearing.samples)
    return f"{n_flat} clipped samples" if n_flat > MAX_CLIPPED else ""


def noise(hearing: Hearing, manner: Manner) -> str:
    difference = floor_db(hearing) - manner.floor_db
    return f"floor {difference:+.0f} dB" if difference > MAX_NOISE_DB else ""


def click(hearing: Hearing, _: Manner) -> str:
    height = click_height(hearing)
    return f"a click {height:.1f} times its surroundings" if height > MAX_CLICK else ""


DETECTORS: Final[dict[str, Callable[[Hearing, Manner], str]]] = {
    "words": wrong_words,
    "loudness": wrong_loudness,
    "pitch": wrong_pitch,
    "timbre": wrong_timbre,
    "pace": wrong_pace,
    "length": wrong_length,
    "silence": long_silence,
    "dropout": dropout,
    "clipping": clipping,
    "noise": noise,
    "click": click,
}


def character_seconds(hearing: Hearing) -> float:
    """Seconds of sound for each canonical character."""
    n_sounding = int((levels_dbfs(hearing.samples) > SILENCE_DBFS).sum())
    n_characters = len("".join(split(hearing.request.text, hearing.request.language)))
    return hearing.request.speed * n_sounding / 100 / max(1, n_characters)


def tail_seconds(hearing: Hearing) -> float:
    """Seconds from the end of the last word, by its word time, to the end of the audio."""
    return hearing.answer.seconds - (hearing.answer.words[-1].end if hearing.answer.words else 0.0)


def timbre_distance(hearing: Hearing, manner: Manner) -> float:
    """Returns the distance from the voice's mean, in units of the cepstrum."""
    return float(np.linalg.norm(np.subtract(hearing.profile.timbre, manner.timbre)))


def floor_db(hearing: Hearing) -> float:
    """Returns the level of the quiet frames relative to the loudness."""
    return noise_floor_dbfs(hearing.samples) - hearing.profile.loudness_lufs


def dropped_seconds(hearing: Hearing) -> float:
    """The longest run of zeros next to loud sound, in seconds."""
    samples = hearing.samples
    edges = np.flatnonzero(np.diff(np.concatenate([[False], samples == 0, [False]]).astype(int))).reshape(-1, 2)
    near = SAMPLE_RATE_HZ // 400
    loud = 10 ** (-35 / 20)
    lengths = [
        int(end - start)
        for start, end in edges
        if np.abs(samples[max(0, start - near) : start]).max(initial=0) > loud
        or np.abs(samples[end : end + near]).max(initial=0) > loud
    ]
    return max(lengths, default=0) / SAMPLE_RATE_HZ


def click_height(hearing: Hearing) -> float:
    """The largest value of the second difference, relative to the next largest within 8 ms around it."""
    bend = np.abs(np.diff(hearing.samples.astype(np.float64), 2))
    around = SAMPLE_RATE_HZ // 125
    places = np.argsort(bend)[-40:]
    return max((_stands_out(bend, int(place), around) for place in places), default=0.0)


def _stands_out(bend: Array, place: int, around: int) -> float:
    nearby = np.concatenate([bend[max(0, place - around) : max(0, place - 3)], bend[place + 4 : place + around]])
    return float(bend[place] / (nearby.max(initial=0) + 2e-3))


def _median(values: object) -> float:
    return float(np.median(list(values)))  # type: ignore[call-overload]
