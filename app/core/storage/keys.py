"""Every key that Koe stores in Redis: what it holds and how long it lives. RQ's own keys begin with `rq:`.

| key | type | holds | lives |
|---|---|---|---|
| `koe:workers` | sorted set | names of worker processes by the time of their last heartbeat | for ever; dead ones are removed |
| `koe:worker:<name>` | string | heartbeat record of the worker (JSON): engines, slots | `KOE_WORKER_TIMEOUT` |
| `koe:workers:announced` | set | names of workers that have sent a heartbeat | until they withdraw or have died |
| `koe:hand:<name>` | set | attempts that a worker has in flight, rewritten at every heartbeat | two hours |
| `koe:activities` | sorted set | names of worker processes by the time of their last report | a minute after the last |
| `koe:activity:<name>` | string | what the worker does now, without texts (JSON) | as the heartbeat |
| `koe:api:<name>` | string | heartbeat of an API process; without it the readers of the process do not count | a few seconds |
| `koe:utterance:<id>` | hash | record: take, state, owner, readers, worker, claim, bytes | while wanted, then `KOE_CACHE_TTL` |
| `koe:audio:<id>:<take>` | stream | start · chunk … · stop or error | as the record |
| `koe:kept:<name>` | hash | digest → pcm of the spoken segments of an unfinished task | until it is finished |
| `koe:kept` | hash | name → bytes of its cached segments, and their sum | while there are any |
| `koe:segment:<name>` | string | pcm of a segment, for every text that has it | `KOE_CACHE_TTL`, or until it is evicted |
| `koe:segments` | sorted set | names of these segments by the time of their last use | removed as others are spoken |
| `koe:segments:sizes` | hash | name → bytes of the segment, and their sum | as above |
| `koe:parked` | set | id:take of utterances that wait for a slow reader | until it continues or leaves |
| `koe:cache` | sorted set | ids of finished utterances by the time of their last use | removed as others finish |
| `koe:cache:sizes` | hash | id → bytes of the finished audio | as above |
| `koe:unheard` | sorted set | ids of utterances that wait for their first audio, by the time of the request | until it comes |
| `koe:asked:<owner>` | sorted set | an owner's requests by their time in microseconds | as long as they count |
| `koe:open:<owner>` | set | an owner's requests that have not ended: API process and name | until they end |
| `koe:callers` | hash | id → owner, of utterances and texts that wait in a queue | until a worker takes them |
| `koe:answer:<id>` | string | answer of a worker to a question, or the error (JSON) | seconds |
| `koe:answer:<id>:wanted` | string | set while somebody waits for it | a few seconds after the last one left |
| `koe:bell` | channel | id of an utterance whose stream has grown, or of a question whose answer is there | – |
| `koe:gone` | channel | id of an utterance that nobody wants any more | – |
| `koe:job:<id>` | hash | the request, status, times, sums, file or error | until `KOE_JOB_TTL` after its end |
| `koe:job:<id>:text` | string | the text to speak | until the job has ended |
| `koe:job:<id>:plan` | string | parts of the job (JSON) | as above |
| `koe:job:<id>:progress` | hash | part → segments expected, segments spoken, seconds of audio | as above |
| `koe:job:<id>:results` | hash | part → result of the finished part (JSON) | as above |
| `koe:job:<id>:attempts` | hash | part → number of its failures, -part → number of its starts | as above |
| `koe:jobs:of:<owner>` | sorted set | ids of an owner's jobs by the time of their creation | as the jobs |
| `koe:jobs:open` | sorted set | ids of jobs that have not ended by the time of their creation | until they end |
| `koe:jobs:open:<owner>` | set | ids of an owner's jobs that have not ended | until they end |
| `koe:secret:<digest>` | string | key and session that a client secret stands for (JSON) | 10 seconds to 2 hours |
| `koe:lexicon:<owner>` | hash | an owner's lexicon: language and word → phonemes, and its version | for ever |
| `koe:voices:of:<owner>` | hash | the voices that an owner has made: id → voice (JSON), and their version | for ever |
| `koe:voice:<id>` | string | the pack of a voice that a user has made; a blend has none | for ever |
| `koe:consents:of:<owner>` | hash | an owner's voice consents: id → consent (JSON) | for ever |
| `koe:metrics` | hash | counts of the fleet since the beginning: name of a sample → its value | for ever |
| `koe:metrics:<name>` | string | number of the last batch of counts that a worker has handed over | a day |
| `koe:probe` | string | nothing; a write to it shows that Redis accepts writes | a second |
| `koe:jobs:turns` | string | set when the batch queue has just been sorted by owners | a second |
| `koe:fleet:last` | string | what the last live workers could speak (JSON), with `KOE_WAIT_FOR_WORKER` | for ever |
| `koe:jobs:ended` | sorted set | ids of ended jobs by the time when they and their files are deleted | until then |
| `koe:jobs:bell` | channel | id of a job that has changed | – |
| `koe:job:<id>:chapters` | string | where the chapters of the text begin, if they are known (JSON) | as the text |
| `koe:document:<id>` | hash | what was sent, and what was read of it (JSON) | `KOE_DOCUMENT_TTL` |
| `koe:documents:of:<owner>` | sorted set | ids of an owner's documents by the time when they expire | as the documents |
| `koe:documents` | sorted set | ids of all documents by the time when their files are deleted | until then |
| `koe:webhooks` | sorted set | ids of jobs whose webhook is due, by that time | until it is delivered or given up |
| `koe:webhooks:with:<owner>` | sorted set | an owner's jobs with a delivery under way, by the next try | until then |
| `koe:webhooks:at:<host>` | sorted set | the same for the jobs of a host | as above |
| `koe:webhook:<id>:tries` | string | failed deliveries of the job's webhook | until it is delivered or given up |
"""

from typing import Final

WORKERS: Final = "koe:workers"
ACTIVITIES: Final = "koe:activities"
ANNOUNCED: Final = "koe:workers:announced"
METRICS: Final = "koe:metrics"
CACHE: Final = "koe:cache"
CACHE_SIZES: Final = "koe:cache:sizes"
CACHED_SEGMENTS: Final = "koe:kept"
SEGMENTS: Final = "koe:segments"
SEGMENT_SIZES: Final = "koe:segments:sizes"
PAUSED: Final = "koe:parked"
OWNERS: Final = "koe:callers"
WAITING_FOR_FIRST_AUDIO: Final = "koe:unheard"
NOTIFICATIONS: Final = "koe:bell"
CANCELLED: Final = "koe:gone"
JOBS_OPEN: Final = "koe:jobs:open"
JOBS_ENDED: Final = "koe:jobs:ended"
JOB_NOTIFICATIONS: Final = "koe:jobs:bell"
PROBE: Final = "koe:probe"
LAST_FLEET: Final = "koe:fleet:last"
JOBS_TURNS: Final = "koe:jobs:turns"
WEBHOOKS: Final = "koe:webhooks"
DOCUMENTS: Final = "koe:documents"


def client_secret(digest: str) -> str:
    """What a client secret stands for."""
    return f"koe:secret:{digest}"


def worker(name: str) -> str:
    """The heartbeat record of a worker process."""
    return f"koe:worker:{name}"


def activity(name: str) -> str:
    """What a worker process does now."""
    return f"koe:activity:{name}"


def handed_over(name: str) -> str:
    """The number of the last batch of counts that a worker process has handed over."""
    return f"koe:metrics:{name}"


def in_flight(name: str) -> str:
    """The attempts that a worker process has in flight."""
    return f"koe:hand:{name}"


def api(name: str) -> str:
    """The heartbeat of an API process."""
    return f"koe:api:{name}"


def cached_segments(name: str) -> str:
    """The segments cached for one task."""
    return f"koe:kept:{name}"


def segment(name: str) -> str:
    """The pcm of a segment."""
    return f"koe:segment:{name}"


def utterance(utterance_id: str) -> str:
    """The record of an utterance."""
    return f"koe:utterance:{utterance_id}"


def audio(utterance_id: str, attempt: str) -> str:
    """The stream of one attempt. Each attempt has its own, so that streams never mix."""
    return f"koe:audio:{utterance_id}:{attempt}"


def answer(question_id: str) -> str:
    """The answer of a worker to a question, or the error."""
    return f"koe:answer:{question_id}"


def answer_wanted(question_id: str) -> str:
    """Set while somebody waits for the answer to a question."""
    return f"koe:answer:{question_id}:wanted"


def asked(owner: str) -> str:
    """Times of an owner's recent requests."""
    return f"koe:asked:{owner}"


def open_requests(owner: str) -> str:
    """The requests of an owner that have not ended."""
    return f"koe:open:{owner}"


def job(job_id: str) -> str:
    """The record of a job."""
    return f"koe:job:{job_id}"


def job_text(job_id: str) -> str:
    """The text of the job."""
    return f"koe:job:{job_id}:text"


def job_chapters(job_id: str) -> str:
    """Where the chapters of the text begin, if they are known."""
    return f"koe:job:{job_id}:chapters"


def job_plan(job_id: str) -> str:
    """The parts of the job."""
    return f"koe:job:{job_id}:plan"


def job_progress(job_id: str) -> str:
    """The progress of each part."""
    return f"koe:job:{job_id}:progress"


def job_results(job_id: str) -> str:
    """The result of each finished part."""
    return f"koe:job:{job_id}:results"


def job_attempts(job_id: str) -> str:
    """How often each part has failed and was started."""
    return f"koe:job:{job_id}:attempts"


def jobs_of(owner: str) -> str:
    """The jobs of one owner."""
    return f"koe:jobs:of:{owner}"


def open_jobs_of(owner: str) -> str:
    """The jobs of one owner that have not ended."""
    return f"koe:jobs:open:{owner}"


def lexicon(owner: str) -> str:
    """The lexicon of one owner."""
    return f"koe:lexicon:{owner}"


def voices_of(owner: str) -> str:
    """The voices that one owner has made."""
    return f"koe:voices:of:{owner}"


def voice(voice_id: str) -> str:
    """The pack of a voice that a user has made."""
    return f"koe:voice:{voice_id}"


def consents_of(owner: str) -> str:
    """The voice consents of one owner."""
    return f"koe:consents:of:{owner}"


def document(document_id: str) -> str:
    """The record of a document."""
    return f"koe:document:{document_id}"


def documents_of(owner: str) -> str:
    """The documents of one owner."""
    return f"koe:documents:of:{owner}"


def webhook_tries(job_id: str) -> str:
    """How many deliveries of the job's webhook have failed."""
    return f"koe:webhook:{job_id}:tries"
