"""Part `readings`: sentences with numbers, marks, formulas and abbreviations, and the errors against the intended words.

Why the plain sentences of part `sentences` are measured too: their errors are those of the voice and of Whisper. The
intended words, spoken themselves, would tell nothing: Koe gives equal audio for a text and for the words that it reads.
"""

from collections.abc import Sequence
from typing import Final

from tests.ears.listener import Heard
from tests.ears.part_sentences import errors_of as sentence_errors
from tests.ears.report import Report, Row, Rows
from tests.ears.score import Errors, count_errors
from tests.ears.session import Hearing, Session
from tests.ears.speaker import Request
from tests.ears.texts import PAIRS, Reading, read_readings, requests_for

_N_QUICK: Final = 4
_N_NOTES: Final = 4
"""Most sentences of each language that are listed as misheard."""


def measure_readings(session: Session, report: Report, *, is_quick: bool) -> None:
    """Adds one row for each language, spoken by its first voice."""
    readings = {language: found[: _N_QUICK if is_quick else None] for language, found in read_readings().items()}
    requests = {
        language: [Request(one.written, PAIRS[language][0], language) for one in readings[language]] for language in readings
    }
    plain = requests_for("sentences", n_texts=_N_QUICK if is_quick else None, n_voices=1)
    everything = [request for group in requests.values() for request in group] + plain
    with report.steps("readings", len(everything)) as done:
        session.hear(everything, "heard", done=done)
    rows: Rows = {}
    notes: list[str] = []
    for language, found in readings.items():
        hearings = session.hear(requests[language])
        rows[language] = _figures(found, hearings, session.hear([one for one in plain if one.language == language]))
        notes += _misheard(found, hearings)
    report.add("readings", "Numbers, marks, formulas and abbreviations, as Whisper base hears them", rows, notes)


def errors_of(reading: Reading, hearing: Hearing) -> Errors:
    """Returns the errors against the intended words: the fewest of two transcripts."""
    first = _count(reading, hearing.heard, hearing)
    return first if not first.character_errors else min(first, _count(reading, hearing.heard_again, hearing), key=_rate)


def _count(reading: Reading, heard: Heard, hearing: Hearing) -> Errors:
    return count_errors(reading.spoken, heard.text, hearing.request.language)


def _rate(errors: Errors) -> float:
    return errors.word_rate


def _figures(readings: Sequence[Reading], hearings: Sequence[Hearing], plain: Sequence[Hearing]) -> Row:
    errors = sum((errors_of(*pair) for pair in zip(readings, hearings, strict=True)), Errors())
    return {
        "word errors %": round(100 * errors.word_rate, 1),
        "character errors %": round(100 * errors.character_rate, 1),
        "plain word errors %": round(100 * sum(map(sentence_errors, plain), Errors()).word_rate, 1),
        "texts": len(readings),
    }


def _misheard(readings: Sequence[Reading], hearings: Sequence[Hearing]) -> list[str]:
    worst = sorted(zip(readings, hearings, strict=True), key=lambda pair: -errors_of(*pair).word_rate)[:_N_NOTES]
    return [
        f"{hearing.request.language} ({one.kind}): {one.written} → {one.spoken} → {hearing.heard.text}"
        for one, hearing in worst
        if errors_of(one, hearing).word_errors
    ]
