"""Faults made on purpose in real answers: what the ears must hear.

Why in the samples alone: the request and the word times stay as they were, as they do when audio is lost, doubled or spoilt on
its way. A fault is the same in every run: kind, answer and place follow from the seed.
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
"""Has a request answered by the server."""


class Original(msgspec.Struct, frozen=True):
    """A good answer, and how to get another."""

    request: Request
    answer: Answer
    ask: Ask

    @property
    def samples(self) -> Samples:
        return self.answer.samples


class Fault(msgspec.Struct, frozen=True):
    """A spoilt answer; what it says to be is the request of the good one."""

    kind: str
    request: Request
    answer: Answer


def make_faults(originals: Sequence[Original], n_each: int, seed: int) -> list[Fault]:
    """`n_each` faults of each kind, each in another answer as long as there are enough."""
    random = Random(seed)
    chosen = random.sample(originals, len(originals))
    kinds = [kind for kind in KINDS for _ in range(n_each)]
    return [make_fault(kind, chosen[i % len(chosen)], random) for i, kind in enumerate(kinds)]


def make_fault(kind: str, original: Original, random: Random) -> Fault:
    """The answer, spoilt in that way; the word times stay."""
    samples = KINDS[kind](original, random).astype(np.float32)
    return Fault(kind, original.request, Answer(samples, original.answer.words))


def lose_word(original: Original, random: Random) -> Samples:
    """A word of some length is cut away, and the cut is smooth."""
    start, end = random.choice(_long_words(original))
    return _without(original.samples, start, end)


def lose_end(original: Original, _: Random) -> Samples:
    """All from the last long word on is missing."""
    start, _end = _long_words(original)[-1]
    return _fade_out(original.samples[: _at(start)])


def double(original: Original, _: Random) -> Samples:
    """The whole sentence twice, with a pause."""
    return np.concatenate([original.samples, _silence(0.3), original.samples])


def cut(original: Original, random: Random) -> Samples:
    """200 ms of speech are missing, from one sample to the next."""
    start = _sounding_place(original.samples, 0.2, random)
    return np.concatenate([original.samples[:start], original.samples[start + _at(0.2) :]])


def stutter(original: Original, random: Random) -> Samples:
    """180 ms of speech are heard three times."""
    start = _sounding_place(original.samples, 0.18, random)
    piece = original.samples[start : start + _at(0.18)]
    return np.concatenate([original.samples[:start], piece, piece, original.samples[start:]])


def swap(original: Original, _: Random) -> Samples:
    """The two halves of the sentence in the wrong order."""
    words = original.answer.words
    middle = _at(min((word.start for word in words[1:]), key=lambda start: abs(start - original.answer.seconds / 2)))
    return np.concatenate([original.samples[middle:], original.samples[:middle]])


def speak_otherwise(original: Original, random: Random) -> Samples:
    """Another voice says the text."""
    own = all_voices()[original.request.voice]
    others = [v.id for v in all_voices().values() if v.id != own.id and v.language == own.language]
    others = others or [v.id for v in all_voices().values() if v.language == "it"]
    return original.ask(msgspec.structs.replace(original.request, voice=random.choice(others))).samples


def clip(original: Original, random: Random) -> Samples:
    """So loud that its peaks are cut off, and then at its old level again."""
    limit = float(np.quantile(np.abs(original.samples), random.choice((0.98, 0.99))))
    return original.samples.clip(-limit, limit)


def halve_speed(original: Original, _: Random) -> Samples:
    """At half the speed that was asked for."""
    return original.ask(msgspec.structs.replace(original.request, speed=original.request.speed / 2)).samples


def transpose(original: Original, random: Random) -> Samples:
    """Played at a wrong rate: too fast and too high, or too slow and too low."""
    factor = random.choice((0.82, 1.22))
    places = np.arange(0, len(original.samples) - 1, factor)
    played: Samples = np.interp(places, np.arange(len(original.samples)), original.samples).astype(np.float32)
    return played


def fall_silent(original: Original, random: Random) -> Samples:
    """0.8 to 1.2 seconds of silence in the middle."""
    words = original.answer.words
    place = _at(random.choice(words[1:]).start)
    return np.concatenate([original.samples[:place], _silence(random.uniform(0.8, 1.2)), original.samples[place:]])


def drop_out(original: Original, random: Random) -> Samples:
    """150 ms of speech are replaced by silence."""
    start = _sounding_place(original.samples, 0.15, random)
    spoilt = original.samples.copy()
    spoilt[start : start + _at(0.15)] = 0
    return spoilt


def add_noise(original: Original, random: Random) -> Samples:
    """Hiss, 20 to 26 dB below the speech."""
    power = float((original.samples**2).mean()) * 10 ** (-random.uniform(20, 26) / 10)
    hiss = np.random.default_rng(random.randrange(2**32)).normal(0, np.sqrt(power), len(original.samples))
    return (original.samples + hiss).astype(np.float32)


def mute(original: Original, _: Random) -> Samples:
    """8 dB too quiet."""
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
"""5 ms."""


def _long_words(original: Original) -> list[tuple[float, float]]:
    """When the words are heard that are long enough to be missed; of a sentence without any, the longest one."""
    words = [word for word in original.answer.words if len("".join(split(word.word, original.request.language))) > 1]
    long = [word for word in words if word.end - word.start >= _LONG_SECONDS]
    long = long or [max(words, key=lambda word: word.end - word.start)]
    return [(word.start, word.end) for word in long]


def _without(samples: Samples, start: float, end: float) -> Samples:
    """Samples with a stretch taken out, cross-faded."""
    before, after = samples[: _at(start)], samples[_at(end) :]
    if len(before) < _FADE or len(after) < _FADE:
        return after if len(before) < _FADE else _fade_out(before)
    ramp = np.linspace(0, 1, _FADE, dtype=np.float32)
    return np.concatenate([before[:-_FADE], before[-_FADE:] * ramp[::-1] + after[:_FADE] * ramp, after[_FADE:]])


def _fade_out(samples: Samples) -> Samples:
    ramp = np.linspace(1, 0, min(_FADE, len(samples)), dtype=np.float32)
    return np.concatenate([samples[: len(samples) - len(ramp)], samples[len(samples) - len(ramp) :] * ramp])


def _sounding_place(samples: Samples, seconds: float, random: Random) -> int:
    """First sample of a stretch of that length which is loud throughout, or nearly."""
    is_loud = levels_dbfs(samples) > -38
    n_frames = round(seconds * 100)
    loud = [i for i in range(len(is_loud) - n_frames) if is_loud[i : i + n_frames].mean() > 0.8]
    return random.choice(loud or range(max(1, len(is_loud) - n_frames))) * FRAME + random.randrange(FRAME)


def _silence(seconds: float) -> Samples:
    return np.zeros(_at(seconds), np.float32)


def _at(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)
