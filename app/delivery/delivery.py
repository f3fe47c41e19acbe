"""Opens the audio of an utterance. Finished, running and new work take the same path."""

import asyncio
from contextlib import suppress

from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from app.core.errors import KoeError, TimedOut, Unavailable
from app.core.queue.broker import Broker, QueueName
from app.core.queue.fleet import FleetView, no_worker
from app.core.queue.registry import Registry
from app.core.speech.utterance import Utterance
from app.core.storage.connections import reachable
from app.core.storage.notifier import Notifier
from app.core.tracing.spans import NO_CONTEXT, Context
from app.delivery.listener import Backend, Listener
from app.delivery.readers import Readers
from app.delivery.submitter import Origin, Submitter


class Delivery:
    """The API's source of audio."""

    def __init__(
        self,
        *,
        redis: AsyncRedis,
        notifier: Notifier,
        registry: Registry,
        broker: Broker,
        fleet: FleetView,
        max_wait_seconds: float,
    ) -> None:
        self.registry = registry
        self.max_wait_seconds = max_wait_seconds
        self._broker = broker
        self._fleet = fleet
        self._readers = Readers(registry)
        self._backend = Backend(
            redis=redis,
            notifier=notifier,
            registry=registry,
            fleet=fleet,
            submitter=Submitter(registry, broker, max_wait_seconds=max_wait_seconds),
            readers=self._readers,
            max_wait_seconds=max_wait_seconds,
        )

    async def start(self) -> None:
        """Starts the heartbeats of this process. Without them its readers do not count."""
        await self._readers.start()

    async def stop(self) -> None:
        """Ends the heartbeats. Must be called after the last reader has closed."""
        await self._readers.stop()

    async def open(
        self,
        utterance: Utterance,
        *,
        request_id: str,
        queue_name: QueueName = QueueName.INTERACTIVE,
        owner: str = "",
        heard_seconds: float = 0.0,
        wants_words: bool = False,
        trace: Context = NO_CONTEXT,
    ) -> Listener:
        """Returns a listener that has the first chunk; with `wants_words` it also gives the words of the utterance. The caller
        closes it.

        `owner`: the key whose share of the machine the work uses. `heard_seconds`: how long its listener still hears something
        else: the work is then less urgent, and not refused for a full queue. `trace`: the context of the request's trace.

        Raises QueueFull, NoWorker, TimedOut after the longest wait, or the error that the worker raised before its first chunk.
        A cancelled call removes its reader, and the last reader cancels the work.
        """
        origin = Origin(request_id=request_id, queue_name=queue_name, owner=owner, heard_seconds=heard_seconds, trace=trace)
        listener = Listener(self._backend, utterance, origin, wants_words=wants_words)
        try:
            async with asyncio.timeout(self.max_wait_seconds + heard_seconds):
                with reachable():
                    await listener.start()
        except TimeoutError:
            try:
                raise await self._why_nothing_came(listener) from None
            finally:
                await listener.close()
        except BaseException:
            await asyncio.shield(listener.close())
            raise
        return listener

    async def trace_of_work(self, utterance: Utterance) -> Context:
        """The context of the trace of an utterance that is being spoken; empty when it has ended or Redis is unreachable."""
        with suppress(RedisError):
            return await asyncio.to_thread(self._broker.trace_of_task, utterance.id)
        return NO_CONTEXT

    async def _why_nothing_came(self, listener: Listener) -> KoeError:
        """Returns the error for the client. It is QueueFull when more utterances wait than the fleet speaks at a time: the
        queue was longer than it looked.
        """
        try:
            fleet = await self._fleet.now()
        except Unavailable as error:
            return error
        if not fleet.registrations:
            return no_worker()
        with reachable():
            n_waiting = max(listener.n_before, await self.registry.n_waiting_for_first_audio())
        if n_waiting > fleet.n_threads:
            return fleet.queue_full(n_waiting, self.max_wait_seconds)
        return TimedOut(f"No audio came within {self.max_wait_seconds:g} s: the server is busy. Please try again.")
