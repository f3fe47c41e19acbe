"""`OPTIONS` on every path: the methods that it accepts.

Why not Litestar's own answers: where several handlers share a path, each answer lacks the methods that were added later.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from litestar import HttpMethod, Response, route
from litestar.handlers import HTTPRouteHandler

from app.api.responses.errors import with_head


def answer_options(routes: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """A handler for each path of `routes`. Register them before `routes`."""
    taken = sorted((path, method) for handler in routes for path in handler.paths for method in handler.http_methods)
    return [_answer(path, [method for _, method in pairs]) for path, pairs in groupby(taken, key=itemgetter(0))]


def _answer(path: str, methods: list[str]) -> HTTPRouteHandler:
    allowed = ", ".join(with_head([*methods, HttpMethod.OPTIONS.value]))

    @route(path, http_method=HttpMethod.OPTIONS, status_code=204, sync_to_thread=False)
    def options() -> Response[None]:
        return Response(None, status_code=204, headers={"Allow": allowed})

    return options
