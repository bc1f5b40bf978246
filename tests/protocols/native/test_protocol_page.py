"""`docs/protocol.md` names every message, every limit and every setting there is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from vivavoce.protocols.native.client_messages import ClientMessage, SessionConfig
from vivavoce.protocols.native.server_messages import PROTOCOL_VERSION, Limits, ServerMessage

PAGE = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
TYPES = [kind.type for kind in (*ClientMessage.__args__, *ServerMessage.__args__)]
FIELDS = [field.name for kind in (Limits, SessionConfig, *ServerMessage.__args__) for field in dataclasses.fields(kind)]


@pytest.mark.parametrize("name", sorted({*TYPES, *FIELDS}))
def test_the_page_names_it(name: str) -> None:
    assert f"`{name}`" in PAGE or f"`{name} " in PAGE


def test_the_page_is_of_this_version() -> None:
    assert PAGE.startswith(f"# The native stream, protocol {PROTOCOL_VERSION}\n")
