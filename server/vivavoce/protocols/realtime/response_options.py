"""How one response is to be made: the session's settings, and over them what `response.create` wishes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeGuard

from vivavoce.protocols.fields import Refused
from vivavoce.protocols.realtime.items import Item, read_item
from vivavoce.protocols.realtime.response import ResponseOptions
from vivavoce.protocols.realtime.session_config import SessionConfig

_MOST_INPUT = 200  # items
_MOST_METADATA = 16  # pairs, as OpenAI has it
_LONGEST_NAME = 64  # characters
_LONGEST_VALUE = 512


def read_options(
    wishes: Mapping[str, object],
    config: SessionConfig,
    new_id: Callable[[str], str],
    find: Callable[[str], Item | None],
) -> ResponseOptions:
    """The options of a new response. Null counts as absent.

    Args:
        wishes: the `response` object of a client.
        config: what it does not wish otherwise.
        find: an item of the conversation, for references.

    Raises:
        Refused: If a wish cannot be used.
    """
    config = config.updated({name: value for name, value in wishes.items() if name not in _UNLIKE_A_SESSION})
    wanted, conversation = wishes.get("input"), wishes.get("conversation")
    if conversation not in (None, "auto", "none"):
        raise Refused("one of auto, none", "conversation")
    return ResponseOptions(
        id=new_id("resp"),
        in_conversation=conversation != "none",
        input=None if wanted is None else _read_input(wanted, new_id, find),
        referred=frozenset() if wanted is None else _referred(wanted),
        instructions=config.instructions,
        modalities=config.output_modalities,
        tools=config.tools,
        tool_choice=config.tool_choice,
        max_output_tokens=config.max_output_tokens,
        output_format=config.output_format,
        voice=config.voice,
        speed=config.speed,
        metadata=_read_metadata(wishes.get("metadata")),
    )


_UNLIKE_A_SESSION = frozenset({"type", "include", "vivavoce"})  # these cannot be another way for one response


def _read_input(value: object, new_id: Callable[[str], str], find: Callable[[str], Item | None]) -> tuple[Item, ...]:
    if not isinstance(value, list) or len(value) > _MOST_INPUT:
        raise Refused(f"an array of at most {_MOST_INPUT} items", "input")
    return tuple(_read_one(each, f"input[{index}]", new_id, find) for index, each in enumerate(value))


def _referred(value: object) -> frozenset[str]:
    items = value if isinstance(value, list) else []
    return frozenset(str(each.get("id")) for each in items if _is_reference(each))


def _is_reference(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict) and value.get("type") == "item_reference"


def _read_one(value: object, where: str, new_id: Callable[[str], str], find: Callable[[str], Item | None]) -> Item:
    if _is_reference(value):
        item = find(str(value.get("id")))
        if item is None:
            raise Refused("the id of an item of the conversation", f"{where}.id")
        return item
    try:
        item = read_item(value, new_id("item"))
    except Refused as refused:
        raise Refused(refused.expected, f"{where}.{refused.where}" if refused.where else where) from None
    for index, part in enumerate(item.content):
        if part.audio and part.text is None:
            wanted = "in an item of the conversation, which an item_reference names: only there sound is understood"
            raise Refused(wanted, f"{where}.content[{index}].audio")
    return item


def _read_metadata(value: object) -> Mapping[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) > _MOST_METADATA:
        raise Refused(f"an object of at most {_MOST_METADATA} strings", "metadata")
    for name, text in value.items():
        if len(name) > _LONGEST_NAME or not isinstance(text, str) or len(text) > _LONGEST_VALUE:
            rule = f"strings of at most {_LONGEST_VALUE} characters by names of at most {_LONGEST_NAME}"
            raise Refused(rule, "metadata")
    return value
