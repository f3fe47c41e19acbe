"""Part `sentences`: twelve sentences in each language by two voices, and the errors of their transcripts."""

from collections.abc import Sequence

import numpy as np

from tests.ears.listener import Heard
from tests.ears.report import Report, Row, Rows
from tests.ears.score import Errors, count_errors
from tests.ears.session import Hearing, Session
from tests.ears.texts import requests_for

N_RATED = 5
"""One response in this many is rated, since rating takes longer than transcribing. Odd, since two voices take turns."""
DOUBTFUL_RATE = 0.1
"""Share of wrong characters above which a response is transcribed again: Whisper base sometimes translates a Hindi sentence."""


def measure_sentences(session: Session, report: Report, *, is_quick: bool) -> None:
    """Adds one row for each voice."""
    requests = requests_for("sentences", n_texts=3 if is_quick else None)
    with report.steps("sentences", len(requests)) as done:
        hearings = session.hear(requests, "heard", "profile", done=done)
        session.hear(requests[::N_RATED], "quality")
    report.add("sentences", "Sentences, as Whisper base hears them", rows_by_voice(hearings), misheard(hearings))


def rows_by_voice(hearings: Sequence[Hearing]) -> Rows:
    """Returns `language voice` → its figures."""
    rows: Rows = {}
    for voice in dict.fromkeys(hearing.request.voice for hearing in hearings):
        own = [hearing for hearing in hearings if hearing.request.voice == voice]
        rows[f"{own[0].request.language} {voice}"] = figures_of(own)
    return rows


def figures_of(hearings: Sequence[Hearing]) -> Row:
    """Returns errors, predicted quality and loudness of the responses of one voice."""
    errors = sum((errors_of(hearing) for hearing in hearings), Errors())
    return {
        "word errors %": round(100 * errors.word_rate, 1),
        "character errors %": round(100 * errors.character_rate, 1),
        "DNSMOS": round(float(np.mean([hearing.quality.overall for hearing in hearings if hearing.is_rated])), 2),
        "LUFS": round(float(np.median([hearing.profile.loudness_lufs for hearing in hearings])), 1),
        "texts": len(hearings),
    }


def errors_of(hearing: Hearing) -> Errors:
    """Returns the errors of the transcript. After many errors, the better one of two transcripts counts."""
    first = _count(hearing, hearing.heard)
    if first.character_rate <= DOUBTFUL_RATE:
        return first
    return min(first, _count(hearing, hearing.heard_again), key=lambda errors: errors.character_errors)


def _count(hearing: Hearing, heard: Heard) -> Errors:
    return count_errors(hearing.request.text, heard.text, hearing.request.language)


def misheard(hearings: Sequence[Hearing], n_most: int = 8) -> list[str]:
    """Returns the responses with the largest share of wrong characters, as requested and as transcribed."""
    worst = sorted(hearings, key=lambda hearing: -errors_of(hearing).character_rate)[:n_most]
    return [
        f"{hearing.request.voice}: {hearing.request.text} → {hearing.heard.text}"
        for hearing in worst
        if errors_of(hearing).character_errors
    ]
