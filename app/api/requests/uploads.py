"""A file that a client sends, as the part `file` of a form (`multipart/form-data`).

Why a form: browsers, curl and every HTTP library send files in this way, with the name of the file.
"""

from pathlib import PurePath
from typing import Any, BinaryIO, Final, cast

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile

from app.core.errors import InvalidRequest, InvalidValue, MissingParameter, UnsupportedContentType, WrongType
from app.core.speech.titles import show_title

MEDIA_TYPE: Final = "multipart/form-data"
PARAM: Final = "file"
_MAX_NAME_CHARS: Final = 255
_MAX_SHOWN_CHARS: Final = 100
_DEFAULT_NAME: Final = "document"


class SentFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent, which is open until the request ends."""

    file: BinaryIO
    name: str
    media_type: str


async def read_file(request: Request[Any, Any, Any]) -> SentFile:
    """The file of the request. Raises UnsupportedContentType, MissingParameter, WrongType, InvalidValue, and InvalidRequest for
    a body that is no form.
    """
    media_type = (request.headers.get("content-type") or "").partition(";")[0].strip()
    if media_type.lower() != MEDIA_TYPE:
        raise UnsupportedContentType(media_type[:_MAX_SHOWN_CHARS], MEDIA_TYPE)
    try:
        form = await request.form()
    except (UnicodeError, LookupError):
        raise InvalidRequest("We could not parse the form in the body of your request: its text is not UTF-8.") from None
    found = form.getall(PARAM, [])
    if not found:
        raise MissingParameter(PARAM)
    if len(found) > 1:
        raise InvalidValue(f"Invalid '{PARAM}': expected one file, but got {len(found)}. Send each by itself.", param=PARAM)
    if not isinstance(found[0], UploadFile):
        raise WrongType(PARAM, "a file with a name", "text")
    sent = found[0]
    media_type = sent.content_type[:_MAX_SHOWN_CHARS]
    return SentFile(file=cast("BinaryIO", sent.file), name=_name_of(sent.filename), media_type=media_type)


def _name_of(filename: str) -> str:
    """The name without its folders, in one line."""
    name = show_title(PurePath(filename.replace("\\", "/")).name)
    if len(name) > _MAX_NAME_CHARS:
        path = PurePath(name)
        name = path.stem[: _MAX_NAME_CHARS - len(path.suffix[:20])] + path.suffix[:20]
    return name or _DEFAULT_NAME
