"""`GET /`: the page that a person opens."""

from litestar import MediaType, Response, get

from app.api.dependencies import Given
from app.web.page import Page


@get("/", media_type=MediaType.HTML)
async def show_page(page: Given[Page]) -> Response[str]:
    """The page. It needs no key: the routes that it calls do."""
    return Response(page.html, headers=page.headers, media_type=MediaType.HTML)
