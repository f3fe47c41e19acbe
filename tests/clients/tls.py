"""TLS before a server that speaks none: every byte is passed on.

Why: some clients refuse an address without TLS, and Koe leaves TLS to a proxy.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.certificates import HOST, make_certificate


@contextmanager
def tls_front(url: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Runs TLS before `url`. Yields its address and the certificate that a client must trust."""
    certificate, key = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    parts = urlsplit(url)
    loop, front = asyncio.new_event_loop(), _Front(parts.hostname or "", parts.port or 0)
    server = loop.run_until_complete(asyncio.start_server(front.serve, HOST, 0, family=socket.AF_INET, ssl=context))
    thread = threading.Thread(target=loop.run_forever, name="tls", daemon=True)
    thread.start()
    try:
        yield f"https://{HOST}:{server.sockets[0].getsockname()[1]}{parts.path}", certificate
    finally:
        asyncio.run_coroutine_threadsafe(front.stop(server), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Front:
    """The connections that are open."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self._open: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Passes the bytes of a client on, and those of the server back, until one of them leaves."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._place)
            directions = [asyncio.create_task(_pass(*pair)) for pair in ((reader, far_writer), (far_reader, writer))]
            try:
                await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for direction in directions:
                    direction.cancel()
                await asyncio.gather(*directions, return_exceptions=True)
                for end in (writer, far_writer):
                    end.transport.abort()
        finally:
            self._open.discard(task)

    async def stop(self, server: asyncio.Server) -> None:
        """Ends all connections."""
        server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
