"""Part `faults`: tests the ears. They must find artificial faults, and good responses must pass.

The good responses come from part `sentences`; the faults are made in some of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from tests.ears.faults import KINDS, Fault, Original, make_faults
from tests.ears.judge import Manner, find_faults, manner_of
from tests.ears.report import Report, Row, Rows
from tests.ears.session import Hearing, Session
from tests.ears.texts import requests_for

N_EACH: Final = 4
SEED: Final = 2026
"""The limits of the judge were chosen with other seeds, on other texts."""
WORD_TIMES: Final = "length"
"""The only detector that needs the word times. Faults that the other detectors find are found by ear alone."""

Verdicts = list[tuple[Fault, dict[str, str]]]


def measure_faults(session: Session, report: Report, *, is_quick: bool) -> None:
    """Adds one row for each kind of fault, one for all faults, and one for the good responses."""
    clean = session.hear(requests_for("sentences"), "heard", "profile")
    originals = [Original(hearing.request, hearing.answer, session.speaker.say) for hearing in clean]
    faults = make_faults(originals, 1 if is_quick else N_EACH, SEED)
    with report.steps("faults", len(faults)) as done:
        hearings = session.of_answers([(fault.request, fault.answer) for fault in faults], "heard", "profile", done=done)
    verdicts = [(fault, find_faults(hearing, _manner(hearing, clean))) for fault, hearing in zip(faults, hearings, strict=True)]
    alarms = {hearing: found for hearing in clean if (found := find_faults(hearing, _manner(hearing, clean)))}
    report.add("faults", "Faults made on purpose", _rows(verdicts, len(clean), len(alarms)), _notes(verdicts, alarms))


def _manner(hearing: Hearing, clean: Sequence[Hearing]) -> Manner:
    """Returns the manner of the response's voice, from its responses to other texts."""
    wanted = hearing.request
    return manner_of([each for each in clean if each.request.voice == wanted.voice and each.request.text != wanted.text])


def _rows(verdicts: Verdicts, n_clean: int, n_alarms: int) -> Rows:
    rows: Rows = {kind: _row([found for fault, found in verdicts if fault.kind == kind]) for kind in KINDS}
    rows["all"] = _row([found for _, found in verdicts])
    rows["good answers"] = {"answers": n_clean, "false alarms": n_alarms}
    return rows


def _row(verdicts: Sequence[Mapping[str, str]]) -> Row:
    by_ear = [[name for name in found if name != WORD_TIMES] for found in verdicts]
    detectors = Counter(name for found in verdicts for name in found)
    return {
        "answers": len(verdicts),
        "found": sum(map(bool, verdicts)),
        "by ear alone": sum(map(bool, by_ear)),
        "missed": sum(not found for found in verdicts),
        "by": ", ".join(f"{name} {n}" for name, n in detectors.most_common()),
    }


def _notes(verdicts: Verdicts, alarms: Mapping[Hearing, Mapping[str, str]]) -> list[str]:
    missed = [f"missed: {fault.kind} in {fault.request.voice}: {fault.request.text}" for fault, found in verdicts if not found]
    false = [
        f"false alarm: {hearing.request.voice}: {hearing.request.text} ({', '.join(f'{k}: {v}' for k, v in found.items())})"
        for hearing, found in alarms.items()
    ]
    return missed + false
