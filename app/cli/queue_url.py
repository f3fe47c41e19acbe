"""The URL of the queue, for the commands that use it."""

from app.core.settings import Settings
from app.core.storage.embedded_server import embedded_url


def queue_url(settings: Settings) -> str:
    """The URL of the Redis that is set, or of the embedded server."""
    return settings.redis_url.reveal() if settings.redis_url else embedded_url(settings.data)
