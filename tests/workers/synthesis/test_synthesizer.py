"""The synthesizer: it converts text to bytes. Whatever happens, no segment stays queued and no process stays alive."""

import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from app.core.errors import Cancelled, EngineFailed, EngineUnavailable, InvalidValue
from app.core.queue.broker import QueueName
from app.core.speech.boundaries import Ending
from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.pauses import PAUSE_SECONDS
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from app.core.speech.word_times import TimedWord
from app.core.tracing.spans import NO_SPAN
from tests.audio import decode, ffmpeg, pitch_hz, sounding_seconds
from tests.engines import FailingEngine, GatedEngine, PickyEngine, text_of
from tests.harness import wait_until
from workers.engines.base import ALONE, Engine, Segment, Turn, Waveform
from workers.engines.tone import SECONDS_PER_PHONEME, ToneEngine, frequency_hz
from workers.synthesis.audio import Sound
from workers.synthesis.encoder import Sink
from workers.synthesis.fair_queue import QueuedSegment
from workers.synthesis.joining import NOTHING_TO_SAY_SECONDS
from workers.synthesis.output import Spoken
from workers.synthesis.scheduler import Scheduler
from workers.synthesis.synthesizer import Synthesizer

VOICE = load_catalogue().parse("af_heart")[0]
SENTENCE = "This is the sentence that is said again and again, so long that it stands for itself and for nothing else at all."
BOOK = text_of(8)
"""All its segments are different."""


def an_utterance(text: str = SENTENCE, **changes: Any) -> Utterance:
    fields: dict[str, Any] = {"text": text, "engine": "tone", "voice": VOICE, "language": "en-US", "format": "pcm"}
    return Utterance(**(fields | changes))


class RecordedTask:
    """A task that records every call and stores all results."""

    def __init__(self, utterance: Utterance, speaker: "FakeSpeaker", sink: Sink | None, queue_name: QueueName) -> None:
        self.utterance = utterance
        self.queue_name = queue_name
        self.owner = "somebody"
        self.plays = speaker.plays
        self.span = NO_SPAN
        self.name = "a task"
        self.listening_seconds = speaker.listening_seconds
        self.heard_seconds = speaker.heard_seconds
        self._speaker = speaker
        self._sink = sink or speaker.receive

    def write(self, data: bytes) -> None:
        self._sink(data)

    def check(self, lead_seconds: float) -> None:
        self._speaker.leads.append(lead_seconds)
        if self._speaker.cancelled.is_set():
            raise Cancelled("Nobody listens.")

    def check_cancelled(self) -> None:
        self._speaker.n_checks += 1
        if self._speaker.n_checks > self._speaker.max_checks:
            raise Cancelled("Nobody listens.")

    def write_words(self, words: Sequence[TimedWord]) -> None:
        self._speaker.words.extend(words)

    def find(self, segment: Segment) -> Sound | None:
        return self._speaker.cached.get(segment.digest)

    def begin(self, segment: Segment) -> None:
        self._speaker.begun.append(segment)

    def cache_segment(self, segment: Segment, sound: Sound) -> None:
        assert segment in self._speaker.begun
        self._speaker.cached[segment.digest] = sound

    def on_spoken(self) -> None:
        self._speaker.all_spoken.set()


class FakeSpeaker:
    """A synthesizer with one engine, which speaks in a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.scheduler = Scheduler(n_threads=1)
        self.synthesizer = Synthesizer(engines={"tone": engine}, scheduler=self.scheduler, ffmpeg_path=ffmpeg())
        self.cancelled = threading.Event()
        self.chunks: list[bytes] = []
        self.has_audio = threading.Event()
        self.leads: list[float] = []
        self.cached: dict[bytes, Sound] = {}
        self.words: list[TimedWord] = []
        self.begun: list[Segment] = []
        self.n_checks = 0
        self.max_checks = 10**9
        """After this many calls of `check_cancelled`, nobody wants the text any more."""
        self.listening_seconds = 0.0
        self.heard_seconds = 0.0
        self.plays = False
        self.spoken: Spoken | None = None
        self.error: BaseException | None = None
        self.all_spoken = threading.Event()
        self._thread: threading.Thread | None = None

    def speak(self, utterance: Utterance, sink: Sink | None = None, queue_name: QueueName = QueueName.INTERACTIVE) -> Spoken:
        return self.synthesizer.speak(RecordedTask(utterance, self, sink, queue_name))

    def receive(self, data: bytes) -> None:
        self.chunks.append(data)
        self.has_audio.set()

    def queued(self) -> list[QueuedSegment]:
        """Returns a list of the segments that are submitted to its scheduler from now on."""
        queued: list[QueuedSegment] = []
        submit = self.scheduler.submit

        def watch(segment: QueuedSegment) -> Any:
            queued.append(segment)
            return submit(segment)

        self.scheduler.submit = watch  # type: ignore[method-assign]
        return queued

    def begin(self, utterance: Utterance) -> None:
        self._thread = threading.Thread(target=self._run, args=(utterance,))
        self._thread.start()

    def end(self) -> None:
        assert self._thread is not None
        self._thread.join(60)
        assert not self._thread.is_alive()

    def _run(self, utterance: Utterance) -> None:
        try:
            self.spoken = self.speak(utterance)
        except Exception as error:  # noqa: BLE001 - checked by the test
            self.error = error


@pytest.fixture
def a_speaker() -> Iterator[Callable[[Engine], FakeSpeaker]]:
    speakers: list[FakeSpeaker] = []

    def make(engine: Engine) -> FakeSpeaker:
        speakers.append(FakeSpeaker(engine))
        return speakers[-1]

    yield make
    for speaker in speakers:
        if isinstance(speaker.engine, GatedEngine):
            speaker.engine.release(1000)
        speaker.scheduler.close()


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Returns a list of the processes that are started from now on."""
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    return started


def test_a_sentence_is_its_beep_in_the_voice_that_was_asked_for(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    speaker = a_speaker(ToneEngine())

    spoken = speaker.speak(an_utterance("Hello there."))

    samples = decode(b"".join(speaker.chunks), "pcm")
    assert spoken == Spoken(n_segments=1, n_phonemes=12, audio_seconds=12 * SECONDS_PER_PHONEME, lead_seconds=0.0)
    assert len(samples) == 12 * SECONDS_PER_PHONEME * SAMPLE_RATE_HZ
    assert pitch_hz(samples) == pytest.approx(frequency_hz(VOICE), rel=0.01)


def test_a_book_is_all_of_its_segments_and_their_pauses(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    speaker = a_speaker(ToneEngine())

    spoken = speaker.speak(an_utterance(BOOK))

    assert spoken.n_segments > 4
    assert len(b"".join(speaker.chunks)) == 2 * round(spoken.audio_seconds * SAMPLE_RATE_HZ)
    assert speaker.all_spoken.is_set()


def test_speed_changes_length_and_pauses_and_not_the_pitch(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    text = "One sentence.\n\nAnother sentence."
    plain, fast = (a_speaker(ToneEngine()).speak(an_utterance(text, speed=speed)) for speed in (1.0, 2.0))

    assert plain.audio_seconds == pytest.approx(30 * SECONDS_PER_PHONEME + PAUSE_SECONDS[Ending.PARAGRAPH], abs=0.001)
    assert fast.audio_seconds == pytest.approx(plain.audio_seconds / 2, abs=0.001)


def test_the_same_utterance_gives_the_same_bytes(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    first, second = a_speaker(ToneEngine()), a_speaker(ToneEngine())

    first.speak(an_utterance(BOOK, format="mp3", bitrate_bps=64_000))
    second.speak(an_utterance(BOOK, format="mp3", bitrate_bps=64_000))

    assert b"".join(first.chunks) == b"".join(second.chunks)


@pytest.mark.parametrize("text", ["", " \n ", ".", "…"])
@pytest.mark.parametrize("format_name", ["pcm", "mp3"])
def test_a_text_with_nothing_to_say_is_a_short_silence(
    text: str, format_name: str, a_speaker: Callable[[Engine], FakeSpeaker]
) -> None:
    speaker = a_speaker(ToneEngine())

    spoken = speaker.speak(an_utterance(text, format=format_name))

    samples = decode(b"".join(speaker.chunks), format_name)
    assert spoken == Spoken(n_segments=0, n_phonemes=0, audio_seconds=NOTHING_TO_SAY_SECONDS)
    assert len(samples) >= NOTHING_TO_SAY_SECONDS * SAMPLE_RATE_HZ
    assert sounding_seconds(samples) == 0


@pytest.mark.parametrize(("normalize", "said"), [(True, "it's fine"), (False, "it’s  fine")])
def test_the_text_is_made_plain_unless_it_is_wanted_as_it_is(
    normalize: bool, said: str, a_speaker: Callable[[Engine], FakeSpeaker]
) -> None:
    engine = GatedEngine()
    engine.release(1)

    a_speaker(engine).speak(an_utterance("it’s  fine", normalize=normalize))

    assert [segment.text for segment in engine.spoken] == [said]


def test_bytes_leave_while_later_segments_wait_and_only_a_few_are_in_line(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    engine = GatedEngine()
    speaker = a_speaker(engine)
    speaker.begin(an_utterance(BOOK))

    engine.release(1)
    engine.wait_begun(2)

    assert speaker.has_audio.wait(30)
    assert speaker.scheduler.n_waiting <= 2
    assert not speaker.all_spoken.is_set()
    engine.release(100)
    speaker.end()
    assert speaker.spoken is not None
    assert speaker.spoken.n_segments == len(engine.spoken)


def test_segments_are_spoken_in_the_order_of_the_text(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    engine = GatedEngine()
    engine.release(1000)

    a_speaker(engine).speak(an_utterance(BOOK))

    assert " ".join(segment.text for segment in engine.spoken) == BOOK


def test_a_later_segment_is_due_when_what_was_spoken_has_been_heard(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    speaker = a_speaker(ToneEngine())
    queued = speaker.queued()

    speaker.speak(an_utterance(BOOK))

    deadlines = [one.deadline for one in queued]
    assert deadlines == sorted(deadlines)
    assert deadlines[-1] - deadlines[0] > 20
    assert [one.is_first for one in queued] == [True] + [False] * (len(queued) - 1)
    assert {one.owner for one in queued} == {"somebody"}


def test_a_resumed_utterance_is_due_sooner_by_the_time_already_played(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    new, resumed = a_speaker(ToneEngine()), a_speaker(ToneEngine())
    resumed.listening_seconds = 1000.0
    new_queued, resumed_queued = new.queued(), resumed.queued()

    new.speak(an_utterance(BOOK))
    resumed.speak(an_utterance(BOOK))

    assert new_queued[-1].deadline - resumed_queued[-1].deadline == pytest.approx(1000.0, abs=60)


def test_speech_whose_listener_hears_something_else_is_due_when_that_ends(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    new, later = a_speaker(ToneEngine()), a_speaker(ToneEngine())
    later.heard_seconds = 1000.0
    new_queued, later_queued = new.queued(), later.queued()

    new.speak(an_utterance(BOOK))
    later.speak(an_utterance(BOOK))

    assert (new_queued[0].is_first, later_queued[0].is_first) == (True, False)
    assert later_queued[0].deadline - new_queued[0].deadline == pytest.approx(1000.0, abs=60)


def test_the_task_learns_between_segments_how_much_audio_its_listener_has_left(
    a_speaker: Callable[[Engine], FakeSpeaker],
) -> None:
    speaker = a_speaker(ToneEngine())

    spoken = speaker.speak(an_utterance(BOOK))

    assert len(speaker.leads) == spoken.n_segments + 1
    assert speaker.leads[:2] == [0.0, 0.0]
    assert speaker.leads[2:] == sorted(speaker.leads[2:])
    assert 20 < speaker.leads[-1] < spoken.audio_seconds


@pytest.mark.parametrize("format_name", ["pcm", "mp3"])
def test_what_was_kept_is_not_spoken_again_and_sounds_the_same(
    format_name: str, a_speaker: Callable[[Engine], FakeSpeaker]
) -> None:
    utterance = an_utterance(BOOK, format=format_name)
    first = a_speaker(ToneEngine())
    plain = first.speak(utterance)
    second = a_speaker(ToneEngine())
    second.cached = dict(list(first.cached.items())[:3])

    spoken = second.speak(utterance)

    assert spoken == plain
    assert b"".join(second.chunks) == b"".join(first.chunks)
    assert [segment.text for segment in second.begun] == [segment.text for segment in first.begun][3:]


def test_where_all_was_kept_nothing_is_spoken(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    first = a_speaker(ToneEngine())
    first.speak(an_utterance(BOOK))
    second = a_speaker(FailingEngine(fail_at=0))
    second.cached = first.cached

    second.speak(an_utterance(BOOK))

    assert b"".join(second.chunks) == b"".join(first.chunks)
    assert second.all_spoken.is_set()


def test_what_is_said_twice_is_spoken_once(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    speaker = a_speaker(ToneEngine())

    spoken = speaker.speak(an_utterance(" ".join([SENTENCE] * 8)))

    assert len(speaker.begun) < spoken.n_segments
    assert speaker.chunks.count(speaker.chunks[-1]) > 2


def test_a_segment_is_kept_before_any_of_it_is_heard(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    speaker = a_speaker(ToneEngine())
    n_cached: list[int] = []

    speaker.speak(an_utterance(BOOK), lambda _: n_cached.append(len(speaker.cached)))

    # The writes are: a segment, a pause, a segment, a pause, …
    assert all(n >= 1 + (number + 1) // 2 for number, n in enumerate(n_cached))


def test_a_failing_engine_fails_the_utterance_and_leaves_nothing(
    a_speaker: Callable[[Engine], FakeSpeaker], processes: list[subprocess.Popen[bytes]]
) -> None:
    speaker = a_speaker(FailingEngine(fail_at=2))

    with pytest.raises(EngineFailed):
        speaker.speak(an_utterance(BOOK, format="mp3"))

    assert speaker.scheduler.n_waiting == 0
    assert [process.returncode is None for process in processes] == [False]


def test_a_cancelled_utterance_ends_while_it_waits_and_leaves_nothing(
    a_speaker: Callable[[Engine], FakeSpeaker], processes: list[subprocess.Popen[bytes]]
) -> None:
    engine = GatedEngine()
    speaker = a_speaker(engine)
    utterance = an_utterance(BOOK, format="mp3")
    speaker.begin(utterance)
    engine.wait_begun(1)
    engine.release(1)
    engine.wait_begun(2)

    speaker.cancelled.set()
    speaker.synthesizer.cancel("a task")
    engine.release(1)
    speaker.end()

    assert isinstance(speaker.error, Cancelled)
    assert speaker.scheduler.n_waiting == 0
    wait_until(lambda: len(engine.spoken) == 2)
    assert [process.returncode is None for process in processes] == [False]


def test_what_is_cancelled_before_it_begins_says_nothing(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    engine = GatedEngine()
    engine.release(10)
    speaker = a_speaker(engine)
    speaker.cancelled.set()

    with pytest.raises(Cancelled):
        speaker.speak(an_utterance(BOOK))

    assert speaker.chunks == []
    assert speaker.scheduler.n_waiting == 0


@pytest.mark.parametrize("format_name", ["mp3", "wav"])
def test_a_sink_that_raises_ends_it_with_that(
    format_name: str, a_speaker: Callable[[Engine], FakeSpeaker], processes: list[subprocess.Popen[bytes]]
) -> None:
    speaker = a_speaker(ToneEngine())

    def sink(data: bytes) -> None:
        raise InterruptedError("nobody listens")

    with pytest.raises(InterruptedError):
        speaker.speak(an_utterance(BOOK, format=format_name), sink)

    assert speaker.scheduler.n_waiting == 0
    assert not any(process.returncode is None for process in processes)


def test_an_engine_that_is_not_there_is_told_by_name(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    with pytest.raises(EngineUnavailable, match="kokoro"):
        a_speaker(ToneEngine()).speak(an_utterance(engine="kokoro"))


def test_what_an_engine_cannot_prepare_is_told_as_it_says_it(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    speaker = a_speaker(PickyEngine())

    with pytest.raises(InvalidValue, match="cannot be said"):
        speaker.speak(an_utterance(BOOK))

    assert speaker.scheduler.n_waiting == 0


def test_a_text_that_nobody_wants_is_not_read_on_even_before_its_first_sound(
    a_speaker: Callable[[Engine], FakeSpeaker],
) -> None:
    speaker = a_speaker(ToneEngine())
    speaker.max_checks = 50

    with pytest.raises(Cancelled):
        speaker.speak(an_utterance("It costs $5. " * 5_000))

    assert speaker.n_checks == 51
    assert not speaker.begun
    assert not speaker.chunks


def test_silence_that_is_asked_for_is_written_a_second_at_a_time_and_watched(
    a_speaker: Callable[[Engine], FakeSpeaker],
) -> None:
    speaker = a_speaker(ToneEngine())

    spoken = speaker.speak(an_utterance(f"One.{'[pause:60s]' * 5} Two.{'[pause:60s]' * 5}"))

    assert spoken.audio_seconds > 600
    assert max(map(len, speaker.chunks)) <= 2 * SAMPLE_RATE_HZ
    assert len(speaker.leads) > 590


def test_a_listener_that_leaves_within_a_pause_ends_it(a_speaker: Callable[[Engine], FakeSpeaker]) -> None:
    speaker = a_speaker(ToneEngine())

    def leave(data: bytes) -> None:
        speaker.receive(data)
        if len(speaker.chunks) == 10:
            speaker.cancelled.set()

    with pytest.raises(Cancelled):
        speaker.speak(an_utterance("One.[pause:60s] Two."), leave)

    assert len(speaker.chunks) == 10


class PiecewiseEngine(GatedEngine):
    """Gives two beginnings of each segment that is spoken in pieces. The rest of it waits for `release`."""

    def __init__(self) -> None:
        super().__init__()
        self.beginnings: list[int] = []

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        whole = ToneEngine.synthesize(self, segments)
        for segment, waveform in zip(segments, whole, strict=True):
            for share in (0.3, 0.6) if segment.in_pieces else ():
                n = round(share * len(waveform.samples))
                words = tuple(word for word in waveform.words if word.end * SAMPLE_RATE_HZ <= n)
                turn.on_beginning(Waveform(waveform.samples[:n], words))
                self.beginnings.append(n)
        return super().synthesize(segments, turn)


@pytest.fixture
def piecewise(a_speaker: Callable[[Engine], FakeSpeaker]) -> FakeSpeaker:
    speaker = a_speaker(PiecewiseEngine())
    speaker.plays = True
    return speaker


def test_a_listener_has_the_beginning_before_the_segment_is_spoken(piecewise: FakeSpeaker) -> None:
    piecewise.begin(an_utterance())
    assert piecewise.has_audio.wait(30)
    assert isinstance(piecewise.engine, PiecewiseEngine)
    assert piecewise.engine.spoken == []
    piecewise.engine.release(100)
    piecewise.end()


def test_in_pieces_every_sample_and_every_word_is_the_same(
    piecewise: FakeSpeaker, a_speaker: Callable[[Engine], FakeSpeaker]
) -> None:
    whole = a_speaker(ToneEngine())
    assert isinstance(piecewise.engine, PiecewiseEngine)
    piecewise.engine.release(100)
    totals = [speaker.speak(an_utterance(BOOK)) for speaker in (whole, piecewise)]

    assert b"".join(piecewise.chunks) == b"".join(whole.chunks)
    assert piecewise.words == whole.words
    assert totals[0] == totals[1]
    assert len(piecewise.engine.beginnings) == 4


def test_a_cached_segment_in_pieces_is_what_was_heard(piecewise: FakeSpeaker) -> None:
    assert isinstance(piecewise.engine, PiecewiseEngine)
    piecewise.engine.release(100)
    piecewise.speak(an_utterance(BOOK))
    first = b"".join(piecewise.chunks)
    piecewise.chunks.clear()
    piecewise.speak(an_utterance(BOOK))

    assert b"".join(piecewise.chunks) == first
    assert len(piecewise.engine.beginnings) == 4


def test_nobody_hears_a_job_in_pieces(piecewise: FakeSpeaker) -> None:
    assert isinstance(piecewise.engine, PiecewiseEngine)
    piecewise.plays = False
    piecewise.engine.release(100)
    piecewise.speak(an_utterance(BOOK))
    assert piecewise.engine.beginnings == []
