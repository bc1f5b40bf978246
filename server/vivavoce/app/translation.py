"""Whoever translates what is heard: the chat model at the configured address, then the models of this machine."""

from __future__ import annotations

from collections.abc import Sequence

from vivavoce.app.machine import Machine
from vivavoce.assistant.chat_model import ChatModel
from vivavoce.assistant.embedded_chat import EmbeddedChat
from vivavoce.engines.fast_translate import FastTranslate
from vivavoce.translation.chat_translator import ChatTranslator
from vivavoce.translation.pool_translator import PoolTranslator
from vivavoce.translation.translator import Translator


def local_translators(machine: Machine) -> tuple[Translator, ...]:
    """Those that compute here; what is not installed has no pairs."""
    return (PoolTranslator(FastTranslate(), machine.pool, machine.residents),)


def all_translators(chat: ChatModel | None, local: Sequence[Translator]) -> tuple[Translator, ...]:
    """In order of preference. The embedded demo brain is none: asked for French it writes what is none."""
    if chat is None or isinstance(chat, EmbeddedChat):
        return tuple(local)
    return (ChatTranslator(chat), *local)
