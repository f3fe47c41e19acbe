"""Part `paragraphs`: a long text in each language, made of joined segments: errors, pauses, steps in loudness.

Why the step at a joint is measured: a segment that is louder than the one before it sounds like another recording.
"""

import re
from itertools import pairwise
from typing import Final

import numpy as np

from app.core.speech.formats import SAMPLE_RATE_HZ
from tests.ears.part_sentences import errors_of, misheard
from tests.ears.report import Report, Row
from tests.ears.session import Hearing, Session
from tests.ears.sound import loudness_of, silences
from tests.ears.texts import requests_for

_SENTENCE_END: Final = re.compile(r"[.!?।。！？]+[\"'”’»」]*(?=\s|\Z|[^\x00-\u2fff])")
_BETWEEN_SENTENCES_SECONDS: Final = 0.25
_SHORTEST_STRETCH_SECONDS: Final = 1.0


def measure_paragraphs(session: Session, report: Report, *, is_quick: bool) -> None:
    """Adds one row for each language, spoken by its first voice."""
    requests = requests_for("paragraphs", n_voices=1)[: 2 if is_quick else None]
    with report.steps("paragraphs", len(requests)) as done:
        hearings = session.hear(requests, "timed", done=done)
    rows = {f"{hearing.request.language} {hearing.request.voice}": figures_of(hearing) for hearing in hearings}
    report.add("paragraphs", "Paragraphs", rows, misheard(hearings))


def figures_of(hearing: Hearing) -> Row:
    """Returns the errors, pauses and loudness step of a response."""
    errors = errors_of(hearing)
    pauses = [end - start for start, end in silences(hearing.samples, 0.12)]
    return {
        "word errors %": round(100 * errors.word_rate, 1),
        "character errors %": round(100 * errors.character_rate, 1),
        "seconds": round(hearing.answer.seconds, 1),
        "sentences": len(_SENTENCE_END.findall(hearing.request.text)),
        "pauses": len(pauses),
        "typical pause s": round(float(np.median(pauses)), 2) if pauses else None,
        "longest pause s": round(max(pauses, default=0.0), 2),
        "joint step LU": round(largest_step(hearing), 1),
    }


def largest_step(hearing: Hearing) -> float:
    """Returns the largest difference in loudness between consecutive stretches of speech, in LU; long pauses separate them."""
    bounds = [0.0, *(mid for mid in _middles(hearing)), hearing.answer.seconds]
    stretches = [(start, end) for start, end in pairwise(bounds) if end - start >= _SHORTEST_STRETCH_SECONDS]
    levels = [loudness_of(hearing.samples[int(a * SAMPLE_RATE_HZ) : int(b * SAMPLE_RATE_HZ)]) for a, b in stretches]
    return max((abs(b - a) for a, b in pairwise(levels)), default=0.0)


def _middles(hearing: Hearing) -> list[float]:
    return [(start + end) / 2 for start, end in silences(hearing.samples, _BETWEEN_SENTENCES_SECONDS)]
