"""The page at `/schema`: Swagger UI, every file of it served from here.

Why not the one of Litestar's: it loads its scripts from a host on the internet, which a server of one's own may not reach, and
which would run where a key is typed in.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

from litestar import Request, Response, Router, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin, YamlRenderPlugin
from litestar.types import ControllerRouterHandler

from app.api.middleware.root_path import prefix_of

PATH: Final = "/schema"

_FILES: Final = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_START: Final = """\
const here = document.currentScript.src;
fetch(new URL("openapi.json", here)).then((answer) => answer.json()).then((spec) => {
  spec.servers = [{ url: new URL("..", here).href.replace(/\\/$/, "") }];
  SwaggerUIBundle({ spec, dom_id: "#reference", deepLinking: true, validatorUrl: null });
});
"""
"""The address that this page came from is where the API is, whatever a proxy makes of its path."""

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Koe: the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{folder}swagger-ui.css">
</head>
<body>
<p>The same for programs: <a href="{folder}openapi.json">openapi.json</a>, <a href="{folder}openapi.yaml">openapi.yaml</a>.</p>
<div id="reference"></div>
<noscript><p>The page is drawn by a script, which this browser does not run. The two files say all of it.</p></noscript>
<script src="{folder}swagger-ui-bundle.js"></script>
<script src="{folder}start.js"></script>
</body>
</html>
"""

_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
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


class JsonDescription(JsonRenderPlugin):
    """The description in JSON, which says where the API is when a proxy has told it."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """See JsonRenderPlugin."""
        return super().render(request, _below(request, openapi_schema))


class YamlDescription(YamlRenderPlugin):
    """The same in YAML."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """See YamlRenderPlugin."""
        return super().render(request, _below(request, openapi_schema))


def _below(request: Request[Any, Any, Any], schema: dict[str, Any]) -> dict[str, Any]:
    prefix = prefix_of(request.scope)
    return schema | {"servers": [{"url": prefix}]} if prefix else schema


class SwaggerPage(OpenAPIRenderPlugin):
    """The page, and the files that it loads."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The same page for every schema: it asks for it, by links that hold below any path."""
        is_folder = request.scope["raw_path"].endswith(b"/")
        return _PAGE.format(folder="" if is_folder else f"{PATH.strip('/')}/").encode()

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
