"""Part `short`: a hundred utterances of one or two words, as a screen reader and a voice menu say them."""

from collections.abc import Sequence

import numpy as np

from tests.ears.listener import Heard
from tests.ears.report import Report, Row
from tests.ears.score import count_errors
from tests.ears.session import Hearing, Session
from tests.ears.speaker import Request
from tests.ears.texts import PAIRS, read_texts, spoken_of


def measure_short(session: Session, report: Report, *, is_quick: bool) -> None:
    """Adds one row for each language, spoken by its first voice."""
    expected = {language: texts[: 4 if is_quick else None] for language, texts in read_texts("short").items()}
    requests = {language: [_request(text, language) for text in texts] for language, texts in expected.items()}
    everything = [request for group in requests.values() for request in group]
    with report.steps("short utterances", len(everything)) as done:
        session.hear(everything, "heard", done=done)
    rows, notes = {}, []
    for language, texts in expected.items():
        hearings = session.hear(requests[language])
        wrong = [pair for pair in zip(texts, hearings, strict=True) if not is_understood(*pair)]
        rows[language] = _figures(hearings, len(wrong))
        notes += [f"{hearing.request.voice}: {hearing.request.text} → {hearing.heard.text}" for _, hearing in wrong]
    report.add("short", "Short utterances", rows, notes)


def is_understood(expected: str, hearing: Hearing) -> bool:
    """Whether the first or second transcript is exactly one of the alternatives; a single word is hard for Whisper."""
    return _is_heard(expected, hearing.heard, hearing) or _is_heard(expected, hearing.heard_again, hearing)


def _is_heard(expected: str, heard: Heard, hearing: Hearing) -> bool:
    return count_errors(expected, heard.text, hearing.request.language).character_errors == 0


def _request(text: str, language: str) -> Request:
    return Request(spoken_of(text), PAIRS[language][0], language)


def _figures(hearings: Sequence[Hearing], n_wrong: int) -> Row:
    return {
        "understood %": round(100 * (1 - n_wrong / len(hearings)), 1),
        "understood": len(hearings) - n_wrong,
        "texts": len(hearings),
        "typical s": round(float(np.median([hearing.answer.seconds for hearing in hearings])), 2),
    }
