"""Part `times`: compares Koe's word times with Whisper's.

Why the median difference of a language is subtracted: Whisper's words begin early by about the same time everywhere. The rest
is Koe's error and Whisper's.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np

from tests.ears.canonical import is_read, split
from tests.ears.report import Report, Row
from tests.ears.session import Hearing, Session
from tests.ears.texts import requests_for


def measure_times(session: Session, report: Report, *, is_quick: bool) -> None:
    """Adds one row for each language that is written with spaces: in the others the two disagree on what a word is."""
    requests = [request for request in requests_for("paragraphs", n_voices=1) if not is_read(request.language)]
    requests = requests[: 2 if is_quick else None]
    with report.steps("word times", len(requests)) as done:
        hearings = session.hear(requests, "timed", done=done)
    rows = {f"{hearing.request.language} {hearing.request.voice}": figures_of(hearing) for hearing in hearings}
    report.add("times", "Word times against Whisper's", rows)


def figures_of(hearing: Hearing) -> Row:
    """Returns the constant difference, and the errors without it."""
    pairs = matching_starts(hearing)
    differences = np.array([ours - theirs for ours, theirs in pairs])
    constant = float(np.median(differences)) if pairs else 0.0
    errors = np.abs(differences - constant)
    last = hearing.answer.words[-1].end if hearing.answer.words else 0.0
    return {
        "words": len(hearing.answer.words),
        "matched": len(pairs),
        "constant s": round(constant, 2),
        "typical error s": round(float(np.median(errors)), 3) if pairs else None,
        "p95 error s": round(float(np.percentile(errors, 95)), 3) if pairs else None,
        "end after last word s": round(hearing.answer.seconds - last, 2),
    }


def matching_starts(hearing: Hearing) -> list[tuple[float, float]]:
    """Returns the start times in seconds of the words that both have, by Koe and by the listener, in order."""
    language = hearing.request.language
    ours = _keys([word.word for word in hearing.answer.words], language)
    theirs = _keys([word.word for word in hearing.timed.words], language)
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return [
        (hearing.answer.words[block.a + i].start, hearing.timed.words[block.b + i].start)
        for block in blocks
        for i in range(block.size)
    ]


def _keys(words: Sequence[str], language: str) -> list[str]:
    return ["".join(split(word, language)) for word in words]
