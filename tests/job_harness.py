"""A worker for tests, which run its jobs by hand, task by task."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue
from rq.job import Job as RqJob
from rq.job import JobStatus as RqStatus
from rq.serializers import JSONSerializer

from app.core.errors import from_wire
from app.core.jobs.files import Store
from app.core.jobs.job import Job, JobStatus, new_job_id
from app.core.jobs.job_store import JobStore
from app.core.jobs.jobs import Jobs
from app.core.queue.broker import Broker, QueueName, rq_queue
from app.core.queue.segment_cache import Budget
from app.core.queue.task import Task
from app.core.speech.utterance import Utterance
from app.core.speech.voices import BlendPart
from app.core.storage import keys
from tests import replies
from tests.audio import ffmpeg
from tests.engines import RelayEngine, text_of
from workers.engines.base import ALONE, Turn
from workers.engines.tone import ToneEngine
from workers.jobs.runner import JobRunner
from workers.synthesis.scheduler import Scheduler
from workers.synthesis.synthesizer import Synthesizer

VOICE = (BlendPart("af_heart", 1.0),)


def chapters(n_chapters: int, n_segments: int = 2) -> str:
    return "".join(f"Chapter {number}\n\n{text_of(n_segments)}\n\n" for number in range(1, n_chapters + 1))


class CountingEngine(ToneEngine):
    """Remembers the texts that it spoke."""

    def __init__(self) -> None:
        super().__init__()
        self.spoken: list[str] = []

    def synthesize(self, segments: Any, turn: Turn = ALONE) -> Any:
        self.spoken.extend(segment.text for segment in segments)
        return super().synthesize(segments, turn)


class JobHarness:
    """A job runner and the batch queue. A test runs the tasks by hand."""

    def __init__(self, redis: Redis, jobs: Jobs, folder: Path) -> None:
        self.redis = redis
        self.jobs = jobs
        self.job_store = JobStore(redis, job_ttl=60)
        self.store = Store(str(folder))
        self.engine = RelayEngine()
        self.scheduler = Scheduler(n_threads=1)
        self.broker = Broker(redis, max_queue=100)
        self.segment_bytes = 0
        self.max_seconds = math.inf
        self.runner = self.open_runner()

    def open_runner(self) -> JobRunner:
        synthesizer = Synthesizer(engines={"tone": self.engine}, scheduler=self.scheduler, ffmpeg_path=ffmpeg())
        return JobRunner(
            redis=self.redis,
            jobs=self.job_store,
            store=self.store,
            synthesizer=synthesizer,
            ffmpeg_path=ffmpeg(),
            cache_budget=Budget(task_bytes=10**8, segment_bytes=self.segment_bytes),
            max_seconds=self.max_seconds,
        )

    async def create_job(self, text: str, **fields: Any) -> str:
        """Creates a job and submits it. Returns its id."""
        utterance: dict[str, Any] = {
            "engine": "tone",
            "voice": VOICE,
            "language": "en-US",
            "format": "mp3",
            "speed": 4.0,
        }
        sound = {name: fields.pop(name) for name in list(fields) if name in Utterance.__struct_fields__}
        job = Job(
            id=new_job_id(),
            owner="me",
            status=JobStatus.QUEUED,
            utterance=Utterance(text="", **(utterance | sound)),
            model="tts-1",
            voice="alloy",
            request_id="req_1",
            created_at=int(time.time()),
            **fields,
        )
        await self.jobs.create(job, text)
        self.broker.submit_job(job.id)
        return job.id

    @property
    def queue(self) -> Queue:
        return rq_queue(self.redis, QueueName.BATCH)

    def work(self, *, until: Callable[[], bool] = lambda: False) -> list[str]:
        """Runs the tasks in the queue, and those added meanwhile, as a worker would. Returns the names of these tasks."""
        done = []
        while not until() and self.queue.count:
            rq_id = self.queue.pop_job_id()
            assert rq_id is not None
            job = RqJob.fetch(rq_id, connection=self.redis, serializer=JSONSerializer)
            done.append(rq_id.rpartition("job_")[2].partition("-")[2])
            if self.task(job):
                job.set_status(RqStatus.FINISHED)
                self.queue.enqueue_dependents(job)
            else:
                self.queue.push_job_id(rq_id)
        return done

    def sweep_later(self) -> list[str]:
        """Makes all open jobs old enough for the sweep, sweeps twice, and runs the tasks that are then in the queue."""
        for job_id in replies.members(self.redis, keys.JOBS_OPEN):
            self.redis.zadd(keys.JOBS_OPEN, {job_id: (time.time() - 120) * 1000})
        self.runner.sweep()
        self.runner.sweep()
        return self.work()

    def task(self, job: RqJob) -> bool:
        tasks: dict[Task, Callable[..., bool]] = {
            Task.PLAN: self.runner.plan,
            Task.PART: self.runner.speak_part,
            Task.JOIN: self.runner.join,
        }
        assert job.func_name is not None
        return tasks[Task(job.func_name)](*job.args)

    def job(self, job_id: str) -> Job:
        job = self.job_store.load(job_id)
        assert job is not None
        return job

    def error(self, job_id: str) -> Exception:
        error = self.job(job_id).error
        assert error is not None
        return from_wire(error)

    def read(self, path: str) -> bytes:
        with self.store.open(path) as file:
            return file.read(-1)
