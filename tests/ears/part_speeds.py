"""Part `speeds`: the same sentences at several speeds: their duration against the requested one, and the errors.

Why the whole response is timed, pauses included: a listener who asks for twice the speed wants the whole response in half the
time.
"""

from typing import Final

from tests.ears.part_sentences import errors_of
from tests.ears.report import Report
from tests.ears.score import Errors
from tests.ears.session import Hearing, Session
from tests.ears.speaker import Request
from tests.ears.texts import read_texts

SPEEDS: Final = (1.0, 0.5, 1.5, 2.0, 3.0, 4.0)
VOICES: Final = {"af_heart": "en-US", "bm_george": "en-GB", "ef_dora": "es", "ff_siwis": "fr-FR"}
_N_TEXTS: Final = 2


def measure_speeds(session: Session, report: Report, *, is_quick: bool) -> None:
    """Adds one row for each speed, over all voices."""
    voices = list(VOICES.items())[: 1 if is_quick else None]
    requests = [
        Request(text, voice, language, speed)
        for voice, language in voices
        for speed in SPEEDS
        for text in read_texts("sentences")[language][:_N_TEXTS]
    ]
    with report.steps("speeds", len(requests)) as done:
        hearings = session.hear(requests, "heard", done=done)
    report.add("speeds", "Speeds", {f"{speed:g}": _figures(hearings, speed) for speed in sorted(SPEEDS)})


def _figures(hearings: list[Hearing], speed: float) -> dict[str, float | int | str | None]:
    own = [hearing for hearing in hearings if hearing.request.speed == speed]
    errors = sum((errors_of(hearing) for hearing in own), Errors())
    seconds = sum(hearing.answer.seconds for hearing in own)
    asked = sum(hearing.answer.seconds for hearing in hearings if hearing.request.speed == 1.0) / speed
    return {
        "word errors %": round(100 * errors.word_rate, 1),
        "character errors %": round(100 * errors.character_rate, 1),
        "seconds": round(seconds, 1),
        "asked s": round(asked, 1),
        "length error %": round(100 * abs(seconds / asked - 1), 1),
    }
