"""The objects that the handlers of the API receive: each is a parameter with the name of a field of `Dependencies`.

A handler writes `catalogue: Given[Catalogue]`. Litestar finds the value by the parameter's name when it starts, and refuses a
name that is not here.
"""

from typing import Any, TypeVar

import msgspec
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from app.access.client_secrets import ClientSecrets
from app.access.limiter import Limiter
from app.api.measures import Metrics, SharedView
from app.api.requests.reader import RequestReader
from app.core.custom_voices.custom_voices import CustomVoices
from app.core.custom_voices.voice_consents import VoiceConsents
from app.core.documents.documents import Documents
from app.core.jobs.files import Store
from app.core.jobs.jobs import Jobs
from app.core.lexicons.lexicons import Lexicons
from app.core.queue.answers import Asker
from app.core.queue.broker import Broker
from app.core.queue.fleet import FleetView
from app.core.speech.voices import Catalogue
from app.delivery.delivery import Delivery
from app.web.page import Site

_Type = TypeVar("_Type")

Given = NamedDependency[SkipValidation[_Type]]
"""The type of a handler's parameter whose value comes from `Dependencies`."""


class Dependencies(msgspec.Struct, frozen=True, kw_only=True):
    """One object of each kind for the whole application."""

    asker: Asker
    broker: Broker
    catalogue: Catalogue
    client_secrets: ClientSecrets
    custom_voices: CustomVoices
    delivery: Delivery
    documents: Documents
    expected: FleetView
    """The workers that requests are made for."""
    fleet: FleetView
    """The live workers."""
    jobs: Jobs
    lexicons: Lexicons
    limiter: Limiter
    metrics: Metrics
    reader: RequestReader
    shared: SharedView
    site: Site
    store: Store
    voice_consents: VoiceConsents

    def providers(self) -> dict[str, Provide]:
        """Litestar's provider of each object, by name."""
        return {name: _provide(getattr(self, name)) for name in self.__struct_fields__}


def _provide(value: Any) -> Provide:
    return Provide(lambda: value, use_cache=True, sync_to_thread=False)
