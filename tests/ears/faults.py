"""Artificial faults in real responses, which the ears must detect.

Why only in the samples: request and word times do not change either if audio is lost, repeated or damaged on its way. A fault
is the same in every run: the seed determines kind, response and position.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import msgspec
import numpy as np

from app.core.speech.formats import SAMPLE_RATE_HZ
from tests.ears.canonical import split
from tests.ears.listener import Samples
from tests.ears.sound import FRAME, levels_dbfs
from tests.ears.speaker import Answer, Request
from tests.ears.texts import all_voices

Ask = Callable[[Request], Answer]
"""Sends a request to the server and returns the response."""


class Original(msgspec.Struct, frozen=True):
    """A good response, and a function to get another one."""

    request: Request
    answer: Answer
    ask: Ask

    @property
    def samples(self) -> Samples:
        return self.answer.samples


class Fault(msgspec.Struct, frozen=True):
    """A damaged response with the request of the good one."""

    kind: str
    request: Request
    answer: Answer


def make_faults(originals: Sequence[Original], n_each: int, seed: int) -> list[Fault]:
    """Returns `n_each` faults of each kind, in different responses as long as there are enough."""
    random = Random(seed)
    chosen = random.sample(originals, len(originals))
    kinds = [kind for kind in KINDS for _ in range(n_each)]
    return [make_fault(kind, chosen[i % len(chosen)], random) for i, kind in enumerate(kinds)]


def make_fault(kind: str, original: Original, random: Random) -> Fault:
    """Returns the response with a fault of that kind. The word times do not change."""
    samples = KINDS[kind](original, random).astype(np.float32)
    return Fault(kind, original.request, Answer(samples, original.answer.words))


def lose_word(original: Original, random: Random) -> Samples:
    """Cuts a long word out, with a smooth cut."""
    start, end = random.choice(_long_words(original))
    return _without(original.samples, start, end)


def lose_end(original: Original, _: Random) -> Samples:
    """Cuts everything off from the last long word on."""
    start, _end = _long_words(original)[-1]
    return _fade_out(original.samples[: _at(start)])


def double(original: Original, _: Random) -> Samples:
    """Repeats the whole sentence after a pause."""
    return np.concatenate([original.samples, _silence(0.3), original.samples])


def cut(original: Original, random: Random) -> Samples:
    """Cuts 200 ms of speech out, with a hard cut."""
    start = _sounding_place(original.samples, 0.2, random)
    return np.concatenate([original.samples[:start], original.samples[start + _at(0.2) :]])


def stutter(original: Original, random: Random) -> Samples:
    """Plays 180 ms of speech three times."""
    start = _sounding_place(original.samples, 0.18, random)
    piece = original.samples[start : start + _at(0.18)]
    return np.concatenate([original.samples[:start], piece, piece, original.samples[start:]])


def swap(original: Original, _: Random) -> Samples:
    """Swaps the two halves of the sentence."""
    words = original.answer.words
    middle = _at(min((word.start for word in words[1:]), key=lambda start: abs(start - original.answer.seconds / 2)))
    return np.concatenate([original.samples[middle:], original.samples[:middle]])


def speak_otherwise(original: Original, random: Random) -> Samples:
    """Uses another voice."""
    own = all_voices()[original.request.voice]
    others = [v.id for v in all_voices().values() if v.id != own.id and v.language == own.language]
    others = others or [v.id for v in all_voices().values() if v.language == "it"]
    return original.ask(msgspec.structs.replace(original.request, voice=random.choice(others))).samples


def clip(original: Original, random: Random) -> Samples:
    """Clips the peaks."""
    limit = float(np.quantile(np.abs(original.samples), random.choice((0.98, 0.99))))
    return original.samples.clip(-limit, limit)


def halve_speed(original: Original, _: Random) -> Samples:
    """Speaks at half the requested speed."""
    return original.ask(msgspec.structs.replace(original.request, speed=original.request.speed / 2)).samples


def transpose(original: Original, random: Random) -> Samples:
    """Plays at a wrong sample rate: too fast and too high, or too slow and too low."""
    factor = random.choice((0.82, 1.22))
    places = np.arange(0, len(original.samples) - 1, factor)
    played: Samples = np.interp(places, np.arange(len(original.samples)), original.samples).astype(np.float32)
    return played


def fall_silent(original: Original, random: Random) -> Samples:
    """Inserts 0.8 to 1.2 seconds of silence in the middle."""
    words = original.answer.words
    place = _at(random.choice(words[1:]).start)
    return np.concatenate([original.samples[:place], _silence(random.uniform(0.8, 1.2)), original.samples[place:]])


def drop_out(original: Original, random: Random) -> Samples:
    """Replaces 150 ms of speech by silence."""
    start = _sounding_place(original.samples, 0.15, random)
    spoilt = original.samples.copy()
    spoilt[start : start + _at(0.15)] = 0
    return spoilt


def add_noise(original: Original, random: Random) -> Samples:
    """Adds hiss, 20 to 26 dB below the speech."""
    power = float((original.samples**2).mean()) * 10 ** (-random.uniform(20, 26) / 10)
    hiss = np.random.default_rng(random.randrange(2**32)).normal(0, np.sqrt(power), len(original.samples))
    return (original.samples + hiss).astype(np.float32)


def mute(original: Original, _: Random) -> Samples:
    """Makes the response 8 dB quieter."""
    return original.samples * 10 ** (-8 / 20)


KINDS: Final[dict[str, Callable[[Original, Random], Samples]]] = {
    "a word lost": lose_word,
    "the end lost": lose_end,
    "said twice": double,
    "200 ms cut out": cut,
    "stutter": stutter,
    "halves swapped": swap,
    "another voice": speak_otherwise,
    "clipping": clip,
    "half speed": halve_speed,
    "wrong sample rate": transpose,
    "silence in the middle": fall_silent,
    "150 ms dropped": drop_out,
    "noise": add_noise,
    "too quiet": mute,
}

_LONG_SECONDS: Final = 0.3
_FADE: Final = SAMPLE_RATE_HZ // 200
"""Samples in 5 ms."""


def _long_words(original: Original) -> list[tuple[float, float]]:
    """Returns start and end of the words that are long enough to be missed, or of the longest word if there are none."""
    words = [word for word in original.answer.words if len("".join(split(word.word, original.request.language))) > 1]
    long = [word for word in words if word.end - word.start >= _LONG_SECONDS]
    long = long or [max(words, key=lambda word: word.end - word.start)]
    return [(word.start, word.end) for word in long]


def _without(samples: Samples, start: float, end: float) -> Samples:
    """Returns the samples without this span, with a cross-fade."""
    before, after = samples[: _at(start)], samples[_at(end) :]
    if len(before) < _FADE or len(after) < _FADE:
        return after if len(before) < _FADE else _fade_out(before)
    ramp = np.linspace(0, 1, _FADE, dtype=np.float32)
    return np.concatenate([before[:-_FADE], before[-_FADE:] * ramp[::-1] + after[:_FADE] * ramp, after[_FADE:]])


def _fade_out(samples: Samples) -> Samples:
    ramp = np.linspace(1, 0, min(_FADE, len(samples)), dtype=np.float32)
    return np.concatenate([samples[: len(samples) - len(ramp)], samples[len(samples) - len(ramp) :] * ramp])


def _sounding_place(samples: Samples, seconds: float, random: Random) -> int:
    """Returns the first sample of a span of this length that is loud, or nearly, throughout."""
    is_loud = levels_dbfs(samples) > -38
    n_frames = round(seconds * 100)
    loud = [i for i in range(len(is_loud) - n_frames) if is_loud[i : i + n_frames].mean() > 0.8]
    return random.choice(loud or range(max(1, len(is_loud) - n_frames))) * FRAME + random.randrange(FRAME)


def _silence(seconds: float) -> Samples:
    return np.zeros(_at(seconds), np.float32)


def _at(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)
