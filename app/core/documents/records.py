"""The form of a document's record in Redis. Both sides use it."""

import msgspec

from app.core.documents.document import Content, Document, Upload

DELETED_TTL_SECONDS = 600
"""Seconds after its deletion when a document's folder is emptied once more: a worker may still be writing one of its files."""


def read_upload(fields: dict[bytes, bytes]) -> Upload | None:
    """What was sent; None when there is no record."""
    return msgspec.json.decode(fields[b"upload"], type=Upload) if b"upload" in fields else None


def read_document(fields: dict[bytes, bytes]) -> Document | None:
    """The document; None when there is no record, or nobody has read the file yet."""
    upload = read_upload(fields)
    if upload is None or b"content" not in fields:
        return None
    return Document(upload=upload, content=msgspec.json.decode(fields[b"content"], type=Content))
