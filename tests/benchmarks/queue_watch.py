"""Measures how long utterances wait in the queue for a slot, from RQ's own records, while a server is measured."""

import threading
from pathlib import Path
from typing import Final

from rq.job import Job

from app.core.queue.broker import QueueName, rq_queue
from app.core.storage.connections import connect
from app.core.storage.embedded_server import embedded_url

_EVERY_SECONDS: Final = 0.1


class QueueWatch:
    """Looks at the running jobs ten times a second; a shorter job may be missed."""

    def __init__(self, data: Path) -> None:
        """`data` is the folder of a running server with an embedded Valkey."""
        self.wait_seconds: dict[str, float] = {}
        """Waiting time by RQ job id."""
        self._data = data
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "QueueWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        with connect(embedded_url(self._data)) as redis:
            queue = rq_queue(redis, QueueName.INTERACTIVE)
            while not self._ended.wait(_EVERY_SECONDS):
                new = [name for name in queue.started_job_registry.get_job_ids(cleanup=False) if name not in self.wait_seconds]
                for job in Job.fetch_many(new, connection=redis, serializer=queue.serializer) if new else ():
                    if job is not None and job.started_at and job.enqueued_at:
                        self.wait_seconds[job.id] = (job.started_at - job.enqueued_at).total_seconds()
