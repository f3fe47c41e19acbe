"""The page at `/schema`: Swagger UI, with all its files served by this server.

Why not Litestar's page: it loads its scripts from a host on the internet. A user may have no access to that host, and its
scripts would run on a page where users type keys.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final

import msgspec
import yaml
from litestar import MediaType, Request, Response, Router, get
from litestar.di import Provide
from litestar.enums import OpenAPIMediaType
from litestar.handlers import HTTPRouteHandler

from app.api.dependencies import Given
from app.api.middleware.root_path import prefix_of
from app.api.openapi.describe import Described, Description

PATH: Final = "/schema"

_FILES: Final = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_START: Final = """\
const here = document.currentScript.src;
fetch(new URL("openapi.json", here)).then((answer) => answer.json()).then((spec) => {
  spec.servers = [{ url: new URL("..", here).href.replace(/\\/$/, "") }];
  SwaggerUIBundle({ spec, dom_id: "#reference", deepLinking: true, validatorUrl: null });
});
"""
"""Finds the API by the address of this script, so it works under any path of a proxy."""

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
<noscript><p>The page is drawn by a script, which this browser does not run. The files above say the same.</p></noscript>
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
"""With this policy the browser loads nothing from other hosts."""

_MAX_AGE_SECONDS: Final = 86_400

_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_Request = Request[Any, Any, Any]


@get("/", media_type=MediaType.HTML, sync_to_thread=False)
def show_swagger(request: _Request) -> bytes:
    """The page. Its links work below any path."""
    is_folder = request.scope["raw_path"].endswith(b"/")
    return _PAGE.format(folder="" if is_folder else f"{PATH.strip('/')}/").encode()


@get("/openapi.json", media_type=OpenAPIMediaType.OPENAPI_JSON, sync_to_thread=True)
def show_json(request: _Request, description: Given[Description]) -> bytes:
    """The description in JSON."""
    return msgspec.json.encode(_below(request, description.whole))


@get(["/openapi.yaml", "/openapi.yml"], media_type=OpenAPIMediaType.OPENAPI_YAML, sync_to_thread=True)
def show_yaml(request: _Request, description: Given[Description]) -> bytes:
    """The description in YAML."""
    text: str = yaml.dump(_below(request, description.whole), Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
    return text.encode()


def _below(request: _Request, whole: Described) -> Described:
    """The description with the path under which a proxy serves the API."""
    prefix = prefix_of(request.scope)
    return whole | {"servers": [{"url": prefix}]} if prefix else whole


def _serve(name: str, media_type: str, read: Callable[[], bytes]) -> HTTPRouteHandler:
    @get(f"/{name}", media_type=media_type, sync_to_thread=True)
    def serve() -> Response[bytes]:
        return Response(read(), media_type=media_type, headers={"cache-control": f"max-age={_MAX_AGE_SECONDS}"})

    return serve


def docs_router(description: Description) -> Router:
    """All routes under `/schema`, which serve this description."""
    folder = next(one for one in (files("swagger_ui_bundle") / "vendor").iterdir() if one.is_dir())
    served = [_serve(name, media_type, (folder / name).read_bytes) for name, media_type in _FILES.items()]
    start = _serve("start.js", "text/javascript", _START.encode)
    return Router(
        PATH,
        route_handlers=[show_swagger, show_json, show_yaml, start, *served],
        dependencies={"description": Provide(lambda: description, use_cache=True, sync_to_thread=False)},
        response_headers=_HEADERS,
    )
