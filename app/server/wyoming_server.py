"""Accepts the connections of Wyoming clients, on sockets that the API process has or inherits like those for HTTP.

`app.api.live.wyoming` speaks with a client; nothing here knows an event.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import Final

from app.api.live.open_wyoming import MakeSession, Session
from app.core.errors import ServerFull
from app.core.request_limits import WYOMING_CONNECTIONS, WYOMING_LINE_BYTES
from app.core.settings import OFF
from app.server.announcement import Announcement

_BACKLOG: Final = 128
_CLOSING_SECONDS: Final = 0.01
"""Most connections that wait to be accepted."""
_SHARE: Final = 4
"""The connections for HTTP may be this many times as many."""


class WyomingServer:
    """Serves Wyoming clients in the event loop of the HTTP server, which calls everything here."""

    def __init__(
        self, make_session: MakeSession, sockets: Sequence[socket.socket], announcement: Announcement | None = None
    ) -> None:
        """`sockets` are listening. `announcement` tells the local network about them."""
        self._make_session = make_session
        self._sockets = sockets
        self._announcement = announcement
        self._servers: list[asyncio.Server] = []
        self._sessions: dict[Session, asyncio.Task[None]] = {}
        self._n_most = WYOMING_CONNECTIONS

    @property
    def sockets(self) -> Sequence[socket.socket]:
        """The sockets that it listens on."""
        return self._sockets

    @property
    def is_empty(self) -> bool:
        """Whether it has no connection."""
        return not self._sessions

    async def start(self, *, n_most_http: int) -> None:
        """Accepts connections from now on. `n_most_http`: most connections for HTTP."""
        self._n_most = min(WYOMING_CONNECTIONS, max(1, n_most_http // _SHARE))
        for listener in self._sockets:
            self._servers.append(
                await asyncio.start_server(self._accept, sock=listener, limit=WYOMING_LINE_BYTES, backlog=_BACKLOG)
            )
        if self._announcement is not None:
            self._announcement.start()

    def check(self, now: float) -> None:
        """Closes connections whose clients have taken too long. Must be called about once a second."""
        for session in list(self._sessions):
            session.check(now)

    def leave(self) -> None:
        """Accepts no more connections; closes each when its client's text is spoken."""
        for server in self._servers:
            server.close()
        for session in list(self._sessions):
            session.leave()

    async def stop(self) -> None:
        """Ends the connections that are left, and what is spoken for them. Must be called after `leave`."""
        tasks = list(self._sessions.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # The loop cannot be closed before it has closed what was broken off.
        await asyncio.sleep(_CLOSING_SECONDS)
        if self._announcement is not None:
            await self._announcement.stop()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = self._make_session(reader, writer)
        is_full = len(self._sessions) >= self._n_most and not self._close_longest_idle()
        serving = session.refuse(ServerFull(self._n_most)) if is_full else session.run()
        task = asyncio.get_running_loop().create_task(serving, name="wyoming client")
        self._sessions[session] = task
        task.add_done_callback(lambda _: self._sessions.pop(session, None))

    def _close_longest_idle(self) -> bool:
        """Closes the connection that has waited longest for a request. False if none waits for one."""
        idle = {session: session.idle_since for session in self._sessions if session.idle_since is not None}
        if not idle:
            return False
        longest = min(idle, key=lambda session: idle[session])
        longest.close()
        return True


def open_wyoming_server(
    make_session: MakeSession | None, sockets: Sequence[socket.socket], *, name: str = OFF
) -> WyomingServer | None:
    """Returns the server for `sockets`, announced to the local network under `name`; None without `make_session`."""
    if make_session is None:
        return None
    return WyomingServer(make_session, sockets, None if name == OFF else Announcement(name, sockets))
