"""The functions a client offers: names and schemas, passed on as they came."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from vivavoce.protocols.fields import Refused

MOST_TOOLS: Final = 128
_LONGEST_DESCRIPTION: Final = 10_000
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionTool:
    """A function that the client can call.

    Attributes:
        parameters: JSON schema of its arguments, as the client wrote it; None: it takes none.
    """

    name: str
    description: str = ""
    parameters: dict[str, object] | None = None

    def to_wire(self) -> dict[str, object]:
        """As OpenAI writes it, flat."""
        wire: dict[str, object] = {"type": "function", "name": self.name, "description": self.description}
        return wire if self.parameters is None else wire | {"parameters": self.parameters}


@dataclass(frozen=True, slots=True)
class NamedTool:
    """The model has to call this function."""

    name: str


ToolChoice = Literal["auto", "none", "required"] | NamedTool


def read_tools(value: object) -> tuple[FunctionTool, ...]:
    """A list of functions.

    Raises:
        Refused: If it holds anything else: this server calls no other servers.
    """
    if not isinstance(value, list) or len(value) > MOST_TOOLS:
        raise Refused(f"an array of at most {MOST_TOOLS} functions")
    tools = tuple(_read_tool(each, f"[{index}]") for index, each in enumerate(value))
    if len({tool.name for tool in tools}) < len(tools):
        raise Refused("functions with different names")
    return tools


def _read_tool(value: object, where: str) -> FunctionTool:
    if not isinstance(value, dict) or value.get("type") != "function":
        raise Refused("a tool of type 'function'", where)
    name, parameters = value.get("name"), value.get("parameters")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Refused("1 to 64 letters, digits, _ and -", f"{where}.name")
    if parameters is not None and not isinstance(parameters, dict):
        raise Refused("an object", f"{where}.parameters")
    description = value.get("description")
    if description is not None and not (isinstance(description, str) and len(description) <= _LONGEST_DESCRIPTION):
        raise Refused(f"a string of at most {_LONGEST_DESCRIPTION} characters", f"{where}.description")
    return FunctionTool(name=name, description=description or "", parameters=parameters)


def read_tool_choice(value: object) -> ToolChoice:
    """A word, or `{"type": "function", "name": ...}`."""
    if value in ("auto", "none", "required"):
        return value
    if isinstance(value, dict) and value.get("type") == "function" and isinstance(value.get("name"), str):
        return NamedTool(value["name"][:64])
    raise Refused("one of auto, none, required, or a function")


def write_tool_choice(choice: ToolChoice) -> object:
    """A tool choice as it goes over the wire: the opposite of reading it."""
    return {"type": "function", "name": choice.name} if isinstance(choice, NamedTool) else choice
