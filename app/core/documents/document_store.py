"""The workers' side of documents: what was sent, what was read, and what has expired."""

import time
from typing import cast

import msgspec
from redis import Redis

from app.core.documents.document import Content, Upload
from app.core.documents.records import read_upload
from app.core.storage import keys
from app.core.storage.lua import load_script


class DocumentStore:
    """The workers' side of documents."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._finish = redis.register_script(load_script(__file__, "finish"))

    def upload(self, document_id: str) -> Upload | None:
        """What was sent; None when it has been deleted or has expired."""
        return read_upload(cast("dict[bytes, bytes]", self._redis.hgetall(keys.document(document_id))))

    def finish(self, upload: Upload, content: Content) -> bool:
        """Stores what was read. False when the document has been deleted meanwhile."""
        redis_keys = [keys.document(upload.id), keys.documents_of(upload.owner)]
        return bool(self._finish(keys=redis_keys, args=[upload.id, msgspec.json.encode(content), upload.expires_ms]))

    def expired(self, limit: int = 100) -> list[str]:
        """Documents whose files are due for deletion; `forget` follows."""
        found = self._redis.zrangebyscore(keys.DOCUMENTS, "-inf", int(time.time()), start=0, num=limit)
        return [document_id.decode() for document_id in cast("list[bytes]", found)]

    def forget(self, document_id: str) -> None:
        """Deletes all data of the document in Redis."""
        upload = self.upload(document_id)
        pipe = self._redis.pipeline()
        pipe.zrem(keys.DOCUMENTS, document_id)
        if upload is not None:
            pipe.zrem(keys.documents_of(upload.owner), document_id)
        pipe.delete(keys.document(document_id))
        pipe.execute()
