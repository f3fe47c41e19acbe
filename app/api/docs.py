"""The page at `/schema`: Swagger UI, every file of it served from here.

Why not the one of Litestar's: it loads its scripts from a host on the internet, which a server of one's own may not reach, and
which would run where a key is typed in.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

from litestar import Request, Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.types import ControllerRouterHandler

PATH: Final = "/schema"

_FILES: Final = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_START: Final = f"""\
SwaggerUIBundle({{
  url: "{PATH}/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
}});
"""
_PAGE: Final = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Koe: the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{PATH}/swagger-ui.css">
</head>
<body>
<p>The same for programs: <a href="{PATH}/openapi.json">openapi.json</a>, <a href="{PATH}/openapi.yaml">openapi.yaml</a>.</p>
<div id="reference"></div>
<noscript><p>The page is drawn by a script, which this browser does not run. The two files say all of it.</p></noscript>
<script src="{PATH}/swagger-ui-bundle.js"></script>
<script src="{PATH}/start.js"></script>
</body>
</html>
"""

_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
"""The browser itself sees to it that nothing is loaded from elsewhere."""

_MAX_AGE_SECONDS: Final = 86_400


class DocsRouter(Router):
    """What lives under `/schema`; an unknown address there is answered as everywhere else, and not by Litestar's page."""

    def __init__(self) -> None:
        super().__init__(PATH, route_handlers=[], include_in_schema=False, response_headers=_HEADERS)

    def register(self, value: ControllerRouterHandler) -> Any:
        """See Router."""
        return [] if "/{path:str}" in getattr(value, "paths", ()) else super().register(value)


class SwaggerPage(OpenAPIRenderPlugin):
    """The page, and the files that it loads."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The same page for every schema: it asks for it."""
        return _PAGE.encode()

    def receive_router(self, router: Router) -> None:
        """Adds the files."""
        folder = next(one for one in (files("swagger_ui_bundle") / "vendor").iterdir() if one.is_dir())
        router.register(_serve("start.js", "text/javascript", _START.encode))
        for name, media_type in _FILES.items():
            router.register(_serve(name, media_type, (folder / name).read_bytes))


def _serve(name: str, media_type: str, read: Callable[[], bytes]) -> HTTPRouteHandler:
    @get(f"/{name}", media_type=media_type, sync_to_thread=True)
    def serve() -> Response[bytes]:
        return Response(read(), media_type=media_type, headers={"cache-control": f"max-age={_MAX_AGE_SECONDS}"})

    return serve
