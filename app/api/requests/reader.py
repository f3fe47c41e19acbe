"""Reads requests with the voices and the limits of one server, and the engines of its workers."""

from typing import Any

import msgspec

from app.api.requests.engines import resolve_engine
from app.api.requests.jobs import JobRequest, read_job
from app.api.requests.phonemize import PhonemizeRequest, read_phonemize, to_spoken_text
from app.api.requests.speech import SpeechRequest, read_speech, to_utterance
from app.core.custom_voices.custom_voices import CustomVoices
from app.core.errors import StringTooLong
from app.core.lexicons.lexicons import Lexicons
from app.core.queue.fleet import FleetView
from app.core.speech.lexicon import Lexicon
from app.core.speech.spoken_text import Code, Emoji, SpokenText, Think
from app.core.speech.utterance import Utterance
from app.core.speech.voices import CUSTOM_VOICE, Catalogue
from app.core.storage.connections import reachable


class RequestReader(msgspec.Struct, frozen=True, kw_only=True):
    """Reads requests, and turns them into work for the workers."""

    catalogue: Catalogue
    custom_voices: CustomVoices
    fleet: FleetView
    lexicon: Lexicon
    """The operator's."""
    lexicons: Lexicons
    """The users'."""
    max_input_chars: int
    max_job_chars: int
    mp3_bitrate: int
    """Bits per second."""
    emoji: Emoji
    code: Code
    think: Think
    is_cache_shared: bool
    """Whether one key may get audio that was made for another."""
    signs_webhooks: bool
    allows_private_webhooks: bool

    async def knowing(self, owner: str, *said: Any) -> "RequestReader":
        """A reader that knows the voices of `owner` too, if one of these texts names such a voice; else this one.

        `said`: values of fields, of any type. Redis is asked only if it must be. Raises the errors of `reachable`.
        """
        if not any(map(_names_custom_voice, said)):
            return self
        with reachable():
            return msgspec.structs.replace(self, catalogue=await self.custom_voices.catalogue_of(owner, self.catalogue))

    def read_speech(self, fields: dict[str, Any]) -> SpeechRequest:
        """The request for speech in `fields`. Raises the InvalidRequest of the first invalid field."""
        return read_speech(fields, catalogue=self.catalogue, max_input_chars=self.max_input_chars)

    def read_job(self, fields: dict[str, Any], text: str | None = None) -> JobRequest:
        """The request for a job in `fields`. Raises the InvalidRequest of the first invalid field.

        `text`: that of the document that the request names, once it has been read; until then it is empty.
        """
        return read_job(
            fields,
            document_text=text or "",
            catalogue=self.catalogue,
            max_job_chars=self.max_job_chars,
            signs_webhooks=self.signs_webhooks,
            private_webhooks=self.allows_private_webhooks,
        )

    def check_job_chars(self, n_chars: int) -> None:
        """Raises StringTooLong for a document whose chosen chapters are longer than a job may be."""
        if n_chars > self.max_job_chars:
            raise StringTooLong("document", self.max_job_chars, n_chars)

    def read_phonemize(self, fields: dict[str, Any]) -> PhonemizeRequest:
        """The request for phonemes in `fields`. Raises the InvalidRequest of the first invalid field."""
        return read_phonemize(fields, catalogue=self.catalogue, max_input_chars=self.max_input_chars)

    async def to_utterance(self, asked: SpeechRequest, owner: str) -> Utterance:
        """The utterance that `owner` requests, for an engine that the workers have.

        Raises NoWorker or EngineUnavailable where they have none for the model, and the errors of `reachable`.
        """
        fleet = await self.fleet.now()
        engine = resolve_engine(asked.model, fleet)
        return to_utterance(
            asked,
            engine=engine,
            identities=fleet.identities_of(engine),
            mp3_bitrate=self.mp3_bitrate,
            lexicons=await self._lexicons_of(owner),
            emoji=self.emoji,
            code=self.code,
            think=self.think,
            owner=self._cache_owner(owner),
        )

    async def to_spoken_text(self, asked: PhonemizeRequest, owner: str) -> SpokenText:
        """The text whose phonemes `owner` asks the workers for. Raises as `to_utterance` does."""
        engine = resolve_engine(asked.model, await self.fleet.now())
        return to_spoken_text(
            asked,
            engine=engine,
            lexicons=await self._lexicons_of(owner),
            emoji=self.emoji,
            code=self.code,
            think=self.think,
            owner=self._cache_owner(owner),
        )

    async def _lexicons_of(self, owner: str) -> tuple[Lexicon, Lexicon]:
        """The lexicon of the owner, and the operator's, which it overrides."""
        with reachable():
            return await self.lexicons.of(owner), self.lexicon

    def _cache_owner(self, owner: str) -> str:
        return "" if self.is_cache_shared else owner


def _names_custom_voice(said: Any) -> bool:
    text = said.get("id") if isinstance(said, dict) else said
    return isinstance(text, str) and CUSTOM_VOICE.search(text) is not None
