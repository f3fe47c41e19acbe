"""Parts `voices` and `loudness`: all voices of the catalogue and all of OpenAI's names speak one text of their language.

Why the pitch of men and women may overlap: the deepest female voice of the catalogue is lower than the highest male voice. Only
a pitch that no voice of that gender has is wrong. Why distance is measured in pitch and timbre: it is 0 for two names of one
pack.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tests.ears.part_sentences import errors_of
from tests.ears.report import Report, Row
from tests.ears.session import Hearing, Session
from tests.ears.sound import peak_dbfs
from tests.ears.speaker import Request
from tests.ears.texts import aliases, all_voices, read_texts

MIN_FEMALE_HZ: Final = 135.0
MAX_MALE_HZ: Final = 180.0
NO_ADULTS_PITCH: Final = frozenset({"af_nicole", "zm_yunxia"})
"""Voices without the pitch of an adult: a whisper, and a boy's voice."""
_MAX_ERRORS: Final = 0.25
"""Largest share of wrong characters for a voice that speaks its language."""
_MIN_DISTANCE: Final = 3.0
"""Smallest distance between two voices. Two texts by one voice differ by about 4.5, one text by two voices by 6 and more; equal
packs do not differ.
"""
_TEXTS_EACH: Final = 2


def measure_voices(session: Session, report: Report, *, is_quick: bool) -> None:
    """Adds one row for each voice, and a check of each name."""
    hearings = _hear_all(session, report, is_quick=is_quick)
    by_voice = {hearing.request.voice: hearing for hearing in hearings}
    rows = {voice: _figures(hearing, by_voice) for voice, hearing in by_voice.items()}
    notes = [f"{voice}: {row['remark']}" for voice, row in rows.items() if row["remark"]]
    notes += _check_names(session, by_voice)
    report.add("voices", "Voices", {"all": {"voices": len(rows), "wrong": len(notes)}, **rows}, notes)


def measure_loudness(session: Session, report: Report, *, is_quick: bool) -> None:
    """Adds the spread over all voices; part `voices` has the loudness of each voice."""
    hearings = _hear_all(session, report, is_quick=is_quick)
    levels = {hearing.request.voice: hearing.profile.loudness_lufs for hearing in hearings}
    report.add("loudness", "Loudness of the voices", {"all": _spread(levels, hearings)}, [_ranked(levels)])


def _hear_all(session: Session, report: Report, *, is_quick: bool) -> list[Hearing]:
    requests = [request_for(voice.id, voice.language) for voice in all_voices().values()]
    requests = requests[:: 9 if is_quick else 1]
    with report.steps("voices", len(requests)) as done:
        return session.hear(requests, "heard", "profile", done=done)


def request_for(voice: str, language: str) -> Request:
    """Returns the request with which the voices of a language are compared."""
    longest = sorted(read_texts("sentences")[language], key=len)[-_TEXTS_EACH:]
    return Request(" ".join(longest), voice, language)


def _figures(hearing: Hearing, by_voice: Mapping[str, Hearing]) -> Row:
    errors = errors_of(hearing)
    distances = {voice: distance(hearing, other) for voice, other in by_voice.items() if other is not hearing}
    nearest = min(distances, key=lambda voice: distances[voice], default="")
    row: Row = {
        "LUFS": round(hearing.profile.loudness_lufs, 1),
        "peak dBFS": round(peak_dbfs(hearing.samples), 1),
        "pitch Hz": round(hearing.profile.pitch_hz),
        "voiced %": round(100 * hearing.profile.voiced_share),
        "character errors %": round(100 * errors.character_rate, 1),
        "nearest": nearest,
        "distinct": round(distances.get(nearest, 99.0), 1),
    }
    return {**row, "remark": "; ".join(_remarks(hearing, row))}


def distance(hearing: Hearing, other: Hearing) -> float:
    """Returns the distance between two voices, from the cepstrum in its units and the pitch in semitones; 0 for equal
    recordings.
    """
    timbre = np.linalg.norm(np.subtract(hearing.profile.timbre, other.profile.timbre))
    semitones = 12 * np.log2(max(1.0, hearing.profile.pitch_hz) / max(1.0, other.profile.pitch_hz))
    return float(np.hypot(timbre, semitones))


def _remarks(hearing: Hearing, row: Row) -> list[str]:
    """Returns a remark for each fault of a voice."""
    found = []
    voice = all_voices()[hearing.request.voice]
    if voice.id not in NO_ADULTS_PITCH and not _may_be(voice.gender, hearing.profile.pitch_hz):
        found.append(f"{row['pitch Hz']} Hz is not a {voice.gender} voice's pitch")
    if errors_of(hearing).character_rate > _MAX_ERRORS:
        found.append(f"not understood: {hearing.heard.text}")
    if float(row["distinct"] or 0) < _MIN_DISTANCE and not _are_one_person(voice.id, str(row["nearest"])):
        found.append(f"sounds as {row['nearest']}")
    return found


def _are_one_person(voice: str, other: str) -> bool:
    """Whether both voices are one speaker: Dora, Alex and Santa speak Spanish and Portuguese (`ef_dora`, `pf_dora`)."""
    return voice.partition("_")[2] == other.partition("_")[2]


def _may_be(gender: str, pitch_hz: float) -> bool:
    return pitch_hz >= MIN_FEMALE_HZ if gender == "female" else 0 < pitch_hz <= MAX_MALE_HZ


def _check_names(session: Session, by_voice: Mapping[str, Hearing]) -> list[str]:
    """Returns a sentence for each of OpenAI's names that does not sound like its voice."""
    known = {name: voice for name, voice in aliases().items() if voice in by_voice}
    requests = [request_for(voice, all_voices()[voice].language) for voice in known.values()]
    answers = session.hear([Request(r.text, name, r.language) for name, r in zip(known, requests, strict=True)])
    return [
        f"{name} does not sound as {voice}"
        for (name, voice), answer in zip(known.items(), answers, strict=True)
        if not np.array_equal(answer.samples, by_voice[voice].samples)
    ]


def _spread(levels: Mapping[str, float], hearings: Sequence[Hearing]) -> Row:
    values = np.array(list(levels.values()))
    return {
        "voices": len(values),
        "lowest LUFS": round(float(values.min()), 1),
        "median LUFS": round(float(np.median(values)), 1),
        "highest LUFS": round(float(values.max()), 1),
        "LUFS from median": round(float(np.abs(values - np.median(values)).max()), 1),
        "peak dBFS": round(max(peak_dbfs(hearing.samples) for hearing in hearings), 1),
    }


def _ranked(levels: Mapping[str, float]) -> str:
    return ", ".join(f"{voice} {level:.1f}" for voice, level in sorted(levels.items(), key=lambda pair: pair[1]))
