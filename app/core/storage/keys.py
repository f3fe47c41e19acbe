"""Every key that Koe keeps in Redis, what it holds and how long it lives. RQ's own keys begin with `rq:`.

| key | type | holds | lives |
|---|---|---|---|
| `koe:workers` | sorted set | names of worker processes by the time of their last heartbeat | for ever; gone names are swept |
| `koe:worker:<name>` | string | the worker's card (JSON): engines, slots | `KOE_WORKER_TIMEOUT` |
| `koe:hand:<name>` | set | the attempts at utterances that a worker has in hand, written anew at every heartbeat | two hours |
| `koe:api:<name>` | string | that an API process lives; readers of one that does not are not counted | a few seconds |
| `koe:utterance:<id>` | hash | its record: take, state, readers, worker, claim, bytes | while wanted, then `KOE_CACHE_TTL` |
| `koe:audio:<id>:<take>` | stream | start · chunk … · stop or error | as the record |
| `koe:kept:<name>` | hash | digest → pcm of the segments of an unfinished order that are spoken | until it is finished |
| `koe:kept` | hash | name → bytes that are kept for it, and their sum | while there are any |
| `koe:segment:<name>` | string | the sound of a segment, for whatever text has it | `KOE_CACHE_TTL`, or until it makes room |
| `koe:segments` | sorted set | names of these segments by the time they were last asked for | swept as others are spoken |
| `koe:segments:sizes` | hash | name → bytes of the segment, and their sum | as above |
| `koe:parked` | set | id:take of utterances that wait for a slow reader | until it goes on or leaves |
| `koe:cache` | sorted set | ids of finished utterances by the time they were last asked for | swept as others finish |
| `koe:cache:sizes` | hash | id → bytes of the finished audio | as above |
| `koe:unheard` | sorted set | ids of utterances of which nothing has been heard by the time they were asked for | until it is |
| `koe:asked:<owner>` | sorted set | an owner's requests by their time in microseconds | as long as they count |
| `koe:open:<owner>` | set | an owner's requests that have not ended: API process and name | until they end |
| `koe:callers` | hash | id → who asked, of utterances and questions that wait in a lane | until they are claimed |
| `koe:phonemes:<id>` | string | the answer to a question, or the error (JSON) | seconds |
| `koe:phonemes:<id>:wanted` | string | that somebody waits for the answer | a few seconds after the last has left |
| `koe:bell` | channel | the id of an utterance whose stream has grown, or of a question that is answered | – |
| `koe:gone` | channel | the id of an utterance that nobody wants any more | – |
| `koe:job:<id>` | hash | what was asked, status, times, sums, file or error | until `KOE_JOB_TTL` after its end |
| `koe:job:<id>:text` | string | the text that is to be spoken | until the job has ended |
| `koe:job:<id>:plan` | string | the job's parts (JSON) | as above |
| `koe:job:<id>:progress` | hash | part → segments expected, segments spoken, seconds of audio | as above |
| `koe:job:<id>:results` | hash | part → what a finished part amounts to (JSON) | as above |
| `koe:job:<id>:attempts` | hash | part → how often it has failed | as above |
| `koe:jobs:of:<owner>` | sorted set | ids of an owner's jobs by the time of their creation | as the jobs |
| `koe:jobs:open` | sorted set | ids of jobs that have not ended by the time of their creation | until they end |
| `koe:jobs:open:<owner>` | set | ids of an owner's jobs that have not ended | until they end |
| `koe:probe` | string | nothing: that it could be written tells that Redis takes something in | a second |
| `koe:jobs:turns` | string | that the batch lane has just been put into turns | a second |
| `koe:jobs:ended` | sorted set | ids of ended jobs by the time when they and their files go | until then |
| `koe:jobs:bell` | channel | the id of a job that has changed | – |
| `koe:webhooks` | sorted set | ids of jobs whose end is to be told by the time it is due | until it is told or given up |
| `koe:webhooks:with:<owner>` | sorted set | jobs of an owner whose end is being told, by when it is due again | until then |
| `koe:webhooks:at:<host>` | sorted set | the same of the jobs whose end is told to a host | as above |
| `koe:webhook:<id>:tries` | string | how often a job's end could not be told | until it is told or given up |
"""

from typing import Final

WORKERS: Final = "koe:workers"
CACHE: Final = "koe:cache"
CACHE_SIZES: Final = "koe:cache:sizes"
KEPT: Final = "koe:kept"
SEGMENTS: Final = "koe:segments"
SEGMENT_SIZES: Final = "koe:segments:sizes"
PARKED: Final = "koe:parked"
CALLERS: Final = "koe:callers"
UNHEARD: Final = "koe:unheard"
BELL: Final = "koe:bell"
GONE: Final = "koe:gone"
JOBS_OPEN: Final = "koe:jobs:open"
JOBS_ENDED: Final = "koe:jobs:ended"
JOBS_BELL: Final = "koe:jobs:bell"
PROBE: Final = "koe:probe"
JOBS_TURNS: Final = "koe:jobs:turns"
WEBHOOKS: Final = "koe:webhooks"


def worker(name: str) -> str:
    """The card of a worker process."""
    return f"koe:worker:{name}"


def hand(name: str) -> str:
    """What a worker process has in hand."""
    return f"koe:hand:{name}"


def api(name: str) -> str:
    """The card of an API process."""
    return f"koe:api:{name}"


def kept(name: str) -> str:
    """The segments kept for an order."""
    return f"koe:kept:{name}"


def segment(name: str) -> str:
    """The sound of a segment."""
    return f"koe:segment:{name}"


def utterance(utterance_id: str) -> str:
    """The record of an utterance."""
    return f"koe:utterance:{utterance_id}"


def audio(utterance_id: str, take: str) -> str:
    """The stream of one take: an utterance is taken again after a failure or a cancellation, and streams never mix."""
    return f"koe:audio:{utterance_id}:{take}"


def phonemes(question_id: str) -> str:
    """What became of a question."""
    return f"koe:phonemes:{question_id}"


def phonemes_wanted(question_id: str) -> str:
    """That somebody waits for what becomes of it."""
    return f"koe:phonemes:{question_id}:wanted"


def asked(owner: str) -> str:
    """What an owner has asked lately."""
    return f"koe:asked:{owner}"


def open_requests(owner: str) -> str:
    """What an owner waits for or listens to now."""
    return f"koe:open:{owner}"


def job(job_id: str) -> str:
    """The record of a job."""
    return f"koe:job:{job_id}"


def job_text(job_id: str) -> str:
    """What the job is to speak."""
    return f"koe:job:{job_id}:text"


def job_plan(job_id: str) -> str:
    """The parts of the job."""
    return f"koe:job:{job_id}:plan"


def job_progress(job_id: str) -> str:
    """How far each part is."""
    return f"koe:job:{job_id}:progress"


def job_results(job_id: str) -> str:
    """What each finished part amounts to."""
    return f"koe:job:{job_id}:results"


def job_attempts(job_id: str) -> str:
    """How often each part has failed."""
    return f"koe:job:{job_id}:attempts"


def jobs_of(owner: str) -> str:
    """The jobs of one owner."""
    return f"koe:jobs:of:{owner}"


def open_jobs_of(owner: str) -> str:
    """The jobs of one owner that have not ended."""
    return f"koe:jobs:open:{owner}"


def webhook_tries(job_id: str) -> str:
    """How often it was tried in vain to tell the job's end."""
    return f"koe:webhook:{job_id}:tries"
