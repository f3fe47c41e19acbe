"""`GET /`: the page that a person opens, and its files. They need no key: the routes that the page calls do."""

from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from app.api.dependencies import Given
from app.api.responses.files import is_known
from app.web.page import FOLDER, Site


@get("/")
async def show_page(request: Request[Any, Any, Any], site: Given[Site]) -> Response[bytes]:
    """The page."""
    if is_known(request.headers, site.digest):
        return Response(b"", status_code=304, headers=site.page_headers)
    return Response(site.page.data, headers=site.page_headers, media_type=site.page.media_type)


@get(f"/{FOLDER}/{{digest:str}}/{{name:path}}")
async def show_web_file(digest: FromPath[str], name: FromPath[str], site: Given[Site]) -> Response[bytes]:
    """A file of the page."""
    file = site.files.get(name.removeprefix("/"))
    if file is None:
        raise NotFoundException
    return Response(file.data, headers=site.file_headers(digest), media_type=file.media_type)
