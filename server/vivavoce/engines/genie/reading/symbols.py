"""The 732 symbols GPT-SoVITS v2 voices were trained on, and their ids.

The list is Genie's; its order is what the voices know, so its length and hash are checked when it is read. Knows no
language. Used by `phonemes.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from types import MappingProxyType

from vivavoce.engines.genie.reading.genie_modules import genie_module
from vivavoce.errors import VoiceUnavailable

PAUSES = frozenset("!?…,.-")
"""Symbols that are heard as a pause or an ending, in every language."""

SENTENCE_ENDS = frozenset("!?….")

_SYMBOLS_SHA256 = "0771f6cd6f6201e8"  # first 16 digits, of the symbols joined by newlines


@cache
def symbol_ids() -> MappingProxyType[str, int]:
    """Symbol -> id, 0..731.

    Raises:
        VoiceUnavailable: If genie_tts is missing, or has another list than the voices know.
    """
    symbols: list[str] = genie_module("G2P.SymbolsV2").symbols_v2
    if hashlib.sha256("\n".join(symbols).encode()).hexdigest()[:16] != _SYMBOLS_SHA256:
        raise VoiceUnavailable("this version of genie-tts has another symbol table than the voices were trained on")
    return MappingProxyType({symbol: number for number, symbol in enumerate(symbols)})


def known(symbols: Iterable[str]) -> list[str]:
    """Those that are in the table, in order."""
    ids = symbol_ids()
    return [symbol for symbol in symbols if symbol in ids]
