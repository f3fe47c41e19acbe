"""`GET /`: the page that a person opens."""

from litestar import MediaType, Response, get

from app.api.dependencies import Given
from app.web.page import Page


@get("/", media_type=MediaType.HTML)
async def show_page(page: Given[Page]) -> Response[str]:
    """The same for everybody: a key is asked for by the routes that the page calls, not by the page."""
    return Response(page.html, headers=page.headers, media_type=MediaType.HTML)
