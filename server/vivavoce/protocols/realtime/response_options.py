"""How one response is to be made: the session's settings, and over them what `response.create` wishes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vivavoce.protocols.fields import Refused, Text
from vivavoce.protocols.realtime.items import Item, read_item
from vivavoce.protocols.realtime.response import ResponseOptions
from vivavoce.protocols.realtime.session_config import SessionConfig

_MOST_INPUT = 200  # items
_MOST_METADATA = 16  # pairs, as OpenAI has it


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
    config = config.updated({name: value for name, value in wishes.items() if name in _LIKE_A_SESSION})
    wanted = wishes.get("input")
    return ResponseOptions(
        id=new_id("resp"),
        in_conversation=wishes.get("conversation") != "none",
        input=None if wanted is None else _read_input(wanted, new_id, find),
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


_LIKE_A_SESSION = frozenset({"instructions", "output_modalities", "tools", "tool_choice", "max_output_tokens", "audio"})


def _read_input(value: object, new_id: Callable[[str], str], find: Callable[[str], Item | None]) -> tuple[Item, ...]:
    if not isinstance(value, list) or len(value) > _MOST_INPUT:
        raise Refused(f"an array of at most {_MOST_INPUT} items", "input")
    return tuple(_read_one(each, f"input[{index}]", new_id, find) for index, each in enumerate(value))


def _read_one(value: object, where: str, new_id: Callable[[str], str], find: Callable[[str], Item | None]) -> Item:
    if isinstance(value, dict) and value.get("type") == "item_reference":
        item = find(str(value.get("id")))
        if item is None:
            raise Refused("the id of an item of the conversation", f"{where}.id")
        return item
    try:
        return read_item(value, new_id("item"))
    except Refused as refused:
        raise Refused(refused.expected, f"{where}.{refused.where}" if refused.where else where) from None


def _read_metadata(value: object) -> Mapping[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) > _MOST_METADATA:
        raise Refused(f"an object of at most {_MOST_METADATA} strings", "metadata")
    return {Text(64).read(name): Text(512).read(text) for name, text in value.items()}
