"""The items of a conversation, and which of their texts a response reads.

People ask a Realtime model in three ways to read a text word for word: they give the text as the input of a response; they add
it to the conversation and ask for a response; or they write it into the instructions, after a line that says so and a blank
line. All three are understood. Nothing else is spoken, so that no instruction is ever heard.

Why only the last messages of one role are read: a client that connects again sends the whole history of user and assistant, and
then the text that is new.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any, Final

import msgspec

from app.api.live.realtime.errors import RealtimeError, invalid_value, missing_parameter

_TEXTS: Final = ("text", "input_text", "output_text")
_AUDIO: Final = ("input_audio", "output_audio")
_READ_ROLES: Final = ("user", "assistant")
"""A message of the system is an instruction."""
_AFTER_BLANK_LINE: Final = re.compile(r"\n[^\S\n]*\n")
_MAX_ITEMS: Final = 256
"""Most items that are remembered; the oldest are forgotten first."""
_MAX_ITEM_BYTES: Final = 65_536
"""Most bytes of an item as JSON."""

Item = dict[str, Any]


class Conversation:
    """The items in order."""

    def __init__(self) -> None:
        self.id = f"conv_{secrets.token_hex(12)}"
        self._items: dict[str, Item] = {}
        self._unread: list[str] = []
        """Ids of items that were added since the last response."""

    def add(self, item: Any, previous_id: Any = None) -> tuple[Item, str | None]:
        """Adds an item of the client. Returns it as it is kept, and the id of the item before it. Raises RealtimeError."""
        kept = read_item(item)
        if kept["id"] in self._items:
            raise RealtimeError(
                "item_create_duplicate_item_id", f"Error adding item: an item with id '{kept['id']}' exists.", param="item.id"
            )
        before = self._insert(kept, previous_id)
        self._unread.append(kept["id"])
        return kept, before

    def append(self, item: Item) -> str | None:
        """Adds an item of a response. Returns the id of the item before it."""
        return self._insert(item, None)

    def get(self, item_id: Any, action: str) -> Item:
        """Returns an item. Raises RealtimeError for an id that is not there; `action` is in its code."""
        if item_id not in self._items:
            raise RealtimeError(
                f"item_{action}_invalid_item_id", f"Error: the item with id '{item_id}' does not exist.", param="item_id"
            )
        return self._items[item_id]

    def remove(self, item_id: str) -> None:
        """Removes an item. Raises RealtimeError for an id that is not there."""
        self.get(item_id, "delete")
        del self._items[item_id]
        self._unread = [other for other in self._unread if other != item_id]

    def take_unread(self) -> str:
        """Returns the text of the messages that were added since the last response: of a history, the last ones of one role."""
        unread, self._unread = self._unread, []
        added = (self._items[item_id] for item_id in unread if item_id in self._items)
        messages = [(item["role"], text) for item in added if (text := text_of(item)).strip()]
        last = list(takewhile(lambda message: message[0] == messages[-1][0], reversed(messages)))
        return _join(text for _, text in reversed(last))

    def text_of_input(self, items: Iterable[Any]) -> str:
        """Returns the text of the input of a response: items, and references to items. Raises RealtimeError."""
        found = (
            self.get(item.get("id"), "reference")
            if isinstance(item, dict) and item.get("type") == "item_reference"
            else read_item(item)
            for item in items
        )
        return _join(map(text_of, found))

    def _insert(self, item: Item, previous_id: Any) -> str | None:
        ids = list(self._items)
        if previous_id == "root":
            place = 0
        elif previous_id is None:
            place = len(ids)
        elif previous_id in self._items:
            place = ids.index(previous_id) + 1
        else:
            raise RealtimeError(
                "item_create_invalid_previous_item_id",
                f"Error: the previous item with id '{previous_id}' does not exist.",
                param="previous_item_id",
            )
        before = ids[place - 1] if place else None
        ids.insert(place, item["id"])
        items = self._items | {item["id"]: item}
        self._items = {item_id: items[item_id] for item_id in ids[-_MAX_ITEMS:]}
        return before


def read_item(item: Any) -> Item:
    """Returns an item of the client with an id. Raises RealtimeError."""
    if not isinstance(item, dict):
        raise missing_parameter("item")
    if len(msgspec.json.encode(item)) > _MAX_ITEM_BYTES:
        raise RealtimeError("string_above_max_length", f"An item has at most {_MAX_ITEM_BYTES} bytes.", param="item")
    kind = item.get("type")
    if kind is None:
        raise missing_parameter("item.type")
    kept = {"object": "realtime.item", "status": "completed", **item, "id": item.get("id") or new_item_id()}
    if kind == "message":
        if item.get("role") not in (*_READ_ROLES, "system"):
            raise invalid_value("Invalid role: supported values are 'system', 'user' and 'assistant'.", "item.role")
        if not isinstance(item.get("content"), list):
            raise missing_parameter("item.content")
    return kept


def unheard_item() -> Item:
    """Returns a message of the user that is audio, which nobody has heard."""
    return {"type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]}


def text_of(item: Mapping[str, Any]) -> str:
    """Returns the text of a message that can be read; empty for any other item."""
    if item.get("type") != "message" or item.get("role") not in _READ_ROLES:
        return ""
    return "".join(_text_of_part(part) for part in item["content"] if isinstance(part, dict))


def text_in_instructions(instructions: Any) -> str:
    """Returns the text after the first blank line of instructions; empty if they have none."""
    if not isinstance(instructions, str):
        return ""
    parts = _AFTER_BLANK_LINE.split(instructions, 1)
    return parts[1] if len(parts) > 1 else ""


def new_item_id() -> str:
    """Returns a new id of an item."""
    return f"item_{secrets.token_hex(12)}"


def _text_of_part(part: Mapping[str, Any]) -> str:
    name = "text" if part.get("type") in _TEXTS else "transcript" if part.get("type") in _AUDIO else ""
    found = part.get(name)
    return found if isinstance(found, str) else ""


def _join(texts: Iterable[str]) -> str:
    return "\n\n".join(text for text in texts if text.strip())
