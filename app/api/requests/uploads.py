"""A file that a client sends, as a part of a form (`multipart/form-data`).

Why a form: browsers, curl and every HTTP library send files in this way, with the name of the file.
"""

from collections.abc import Mapping, Sequence
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

Form = Mapping[str, Sequence[Any]]
"""Name of a part → all parts with this name: texts, and files of Litestar's."""


class SentFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was sent, which is open until the request ends."""

    file: BinaryIO
    name: str
    media_type: str


async def read_file(request: Request[Any, Any, Any]) -> SentFile:
    """The file of the request, its part `file`. Raises as `read_form` and `file_in` do, and MissingParameter."""
    sent = file_in(await read_form(request), PARAM)
    if sent is None:
        raise MissingParameter(PARAM)
    return sent


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """The parts of the request. Raises UnsupportedContentType, and InvalidRequest for a body that is no form."""
    media_type = media_type_of(request)
    if media_type != MEDIA_TYPE:
        raise UnsupportedContentType(media_type[:_MAX_SHOWN_CHARS], MEDIA_TYPE)
    try:
        form = await request.form()
    except (UnicodeError, LookupError):
        raise InvalidRequest("We could not parse the form in the body of your request: its text is not UTF-8.") from None
    return {name: form.getall(name, []) for name in form}


def media_type_of(request: Request[Any, Any, Any]) -> str:
    """The media type of the body in lower case, without its parameters."""
    return (request.headers.get("content-type") or "").partition(";")[0].strip().lower()


def file_in(form: Form, param: str) -> SentFile | None:
    """The file in a part of a form; None without that part. Raises WrongType, and InvalidValue for several files."""
    found = form.get(param, [])
    if not found:
        return None
    if len(found) > 1:
        raise InvalidValue(f"Invalid '{param}': expected one file, but got {len(found)}. Send each by itself.", param=param)
    sent = found[0]
    if not isinstance(sent, UploadFile):
        raise WrongType(param, "a file with a name", "text")
    media_type = sent.content_type[:_MAX_SHOWN_CHARS]
    return SentFile(file=cast("BinaryIO", sent.file), name=_name_of(sent.filename), media_type=media_type)


def texts_in(form: Form) -> dict[str, Any]:
    """The parts that are texts; of several with one name, the last."""
    return {name: parts[-1] for name, parts in form.items() if parts and not isinstance(parts[-1], UploadFile)}


def _name_of(filename: str) -> str:
    """The name without its folders, in one line."""
    name = show_title(PurePath(filename.replace("\\", "/")).name)
    if len(name) > _MAX_NAME_CHARS:
        path = PurePath(name)
        name = path.stem[: _MAX_NAME_CHARS - len(path.suffix[:20])] + path.suffix[:20]
    return name or _DEFAULT_NAME
