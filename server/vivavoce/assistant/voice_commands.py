"""Voice commands: what is said, matched against phrases with slots in several languages, becomes a function's call.

Asked before the chat model, so that a timer needs none. The whole of what was said has to match, but for politeness
around it: half a match is left to the chat model. Pure; the phrases come from a file (`commands.toml` is the one that
is shipped, and says how they are written).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

from vivavoce.assistant.chat_model import ChatFunction
from vivavoce.assistant.spoken_numbers import SpokenNumbers, TimeWords, Tokens, tokens
from vivavoce.errors import ConfigError

SlotType = Literal["duration", "number", "text"] | tuple[str, ...]

_MOST_TOKENS: Final = 40  # of what was said: longer sentences are no commands
_CHOICE: Final = re.compile(r"([\[(])([^][(){}]*\|[^][(){}]*)(?=[\])])")
_PIECE: Final = re.compile(r"\[|\]|\(|\)|\||\{[a-z_]+\}|[^][(){}|]+")


@dataclass(frozen=True, slots=True)
class CommandCall:
    """A voice command found in what was said: the function, its arguments, what to answer.

    Attributes:
        function: to be called.
        arguments: JSON.
        confirmation: to be spoken, in the language of the command.
        language: ISO 639-1 code.
    """

    function: str
    arguments: str
    confirmation: str
    language: str


@dataclass(frozen=True, slots=True)
class _Phrase:
    pattern: re.Pattern[str]  # over tokens, each followed by a blank
    function: str
    slots: Mapping[str, SlotType]
    confirmation: str
    language: str


@dataclass(frozen=True, slots=True)
class _Language:
    polite: frozenset[Tokens]
    numbers: SpokenNumbers
    time: TimeWords


class VoiceCommands:
    """The voice commands of one file of patterns.

    Attributes:
        functions: what the commands call, described as for a chat model.
    """

    def __init__(self, table: Mapping[str, Any], source: str) -> None:
        """Read what `tomllib` made of a file; takes some tens of milliseconds for each language.

        Raises:
            ConfigError: If it is not written as it should be; the sentence says where.
        """
        self._source = source
        commands, languages = table.get("command", []), table.get("language", {})
        if not isinstance(commands, list) or not isinstance(languages, dict):
            raise self._wrong("`command` is written [[command]], `language` [language.en]")
        self._phrases: list[_Phrase] = []
        self.functions: tuple[ChatFunction, ...] = tuple(self._read_command(each) for each in commands)
        spoken = {phrase.language for phrase in self._phrases}
        self._languages = {code: self._read_language(code, languages.get(code, {})) for code in sorted(spoken)}

    @classmethod
    def load(cls, file: Path | None = None) -> VoiceCommands:
        """The commands of a file; None: those that are shipped.

        Raises:
            ConfigError: If it cannot be read, or is not written as it should be.
        """
        source = str(file) if file is not None else "commands.toml"
        try:
            text = (file or resources.files(__package__) / "commands.toml").read_text(encoding="utf-8")
            return cls(tomllib.loads(text), source)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"cannot read {source}: {error}") from error

    def match(self, said: str, language: str | None = None) -> CommandCall | None:
        """The command that was said; None where it was none.

        Args:
            said: a whole turn.
            language: ISO 639-1 code where it is known: its phrases are tried first.
        """
        words = tokens(said[:400])
        if not words or len(words) > _MOST_TOKENS:
            return None
        ordered = sorted(self._languages, key=lambda code: code != language)
        for code in ordered:
            polite = self._languages[code].polite
            around = _without(words, polite)
            for plain in dict.fromkeys((around, _without(around, polite, everywhere=True))):
                call = self._find(code, "".join(f"{word} " for word in plain))
                if call is not None:
                    return call
        return None

    def _find(self, language: str, line: str) -> CommandCall | None:
        calls = (self._call(phrase, line) for phrase in self._phrases if phrase.language == language)
        return next((call for call in calls if call is not None), None)

    def _call(self, phrase: _Phrase, line: str) -> CommandCall | None:
        found = phrase.pattern.fullmatch(line)
        if found is None:
            return None
        arguments: dict[str, object] = {}
        heard: dict[str, str] = {}
        for name, words in found.groupdict().items():
            if words is None:
                continue
            value = self._value(tuple(words.split()), phrase.slots[name], self._languages[phrase.language])
            if value is None:
                return None
            arguments[name], heard[name] = value, _as_said(words)
        text = json.dumps(arguments, ensure_ascii=False)
        confirmation = re.sub(r"\{([a-z_]+)\}", lambda slot: heard.get(slot[1], ""), phrase.confirmation)
        return CommandCall(phrase.function, text, confirmation, phrase.language)

    @staticmethod
    def _value(words: Tokens, kind: SlotType, language: _Language) -> object:
        match kind:
            case "duration":
                value = language.numbers.duration_s(words, language.time)
            case "number":
                value = language.numbers.read(words)
            case "text":
                return _as_said(" ".join(words))
            case _:
                return next((word for word in kind if tokens(word) == words), None)
        return int(value) if value is not None and value == int(value) else value

    # -- the file ------------------------------------------------------------------------------------------------------

    def _read_command(self, command: object) -> ChatFunction:
        if not isinstance(command, dict) or not isinstance(command.get("function"), str):
            raise self._wrong("a [[command]] has no `function`")
        name = command["function"]
        slots = {slot: self._read_slot(name, slot, kind) for slot, kind in command.get("slots", {}).items()}
        phrases, confirmations = command.get("phrases", {}), command.get("confirmation", {})
        if not isinstance(phrases, dict) or not isinstance(confirmations, dict):
            raise self._wrong(f"the phrases and the confirmation of '{name}' are tables by language")
        for language, written in phrases.items():
            for phrase in written if isinstance(written, list) else [written]:
                pattern = self._compile(str(phrase), slots, name)
                said = str(confirmations.get(language, ""))
                self._phrases.append(_Phrase(pattern, name, slots, said, language))
        return ChatFunction(name, str(command.get("description", "")), _schema(slots))

    def _read_slot(self, command: str, slot: str, kind: object) -> SlotType:
        if kind in ("duration", "number", "text"):
            return kind
        if isinstance(kind, list) and kind and all(isinstance(word, str) for word in kind):
            return tuple(kind)
        raise self._wrong(f"slot '{slot}' of '{command}' is none of duration, number, text, or a list of words")

    def _read_language(self, code: str, table: Mapping[str, Any]) -> _Language:
        try:
            time = TimeWords(
                units={tokens(word): float(length) for word, length in table.get("seconds", {}).items()},
                halves=frozenset(map(tokens, table.get("halves", []))),
                joins=frozenset(map(tokens, table.get("joins", []))),
            )
            polite = frozenset(map(tokens, table.get("polite", [])))
            return _Language(polite, SpokenNumbers(code, table.get("numbers", {})), time)
        except (AttributeError, TypeError, ValueError):
            raise self._wrong(f"[language.{code}] has something that is not of its kind") from None

    def _compile(self, phrase: str, slots: Mapping[str, SlotType], command: str) -> re.Pattern[str]:
        """A phrase as a pattern over tokens that are each followed by a blank."""
        parts: list[str] = []
        for piece in _PIECE.findall(_CHOICE.sub(_longest_first, phrase)):
            match piece[0]:
                case "[" | "(":
                    parts.append("(?:")
                case "]":
                    parts.append(")?")
                case ")" | "|":
                    parts.append(piece)
                case "{":
                    if piece[1:-1] not in slots:
                        raise self._wrong(f"'{command}' has no slot {piece}")
                    parts.append(f"(?P<{piece[1:-1]}>(?:\\S+ )+?)")
                case _:
                    parts.append("".join(f"{re.escape(word)} " for word in tokens(piece)))
        try:
            return re.compile("".join(parts))
        except re.error:
            raise self._wrong(f"a phrase of '{command}' is not closed: {phrase}") from None

    def _wrong(self, sentence: str) -> ConfigError:
        return ConfigError(f"{self._source}: {sentence}")


def _longest_first(choice: re.Match[str]) -> str:
    """ "设|设置" as "设置|设": where one word begins another, the rest of the longer one is no slot."""
    return choice[1] + "|".join(sorted(choice[2].split("|"), key=len, reverse=True))


def _without(words: Tokens, polite: Iterable[Tokens], *, everywhere: bool = False) -> Tokens:
    """The words without politeness before and behind, or between them too."""
    ordered = sorted(filter(None, polite), key=len, reverse=True)
    kept: list[str] = []
    at, end = 0, len(words)
    while at < end:
        behind = next((each for each in ordered if words[:end][-len(each) :] == each), ())
        before = next((each for each in ordered if words[at:end][: len(each)] == each), ())
        if behind:
            end -= len(behind)
        elif before and (everywhere or not kept):
            at += len(before)
        else:
            kept.append(words[at])
            at += 1
    return tuple(kept)


def _as_said(words: str) -> str:
    """Tokens as text: blanks only between letters of scripts that have them."""
    return re.sub(
        r"(?<=[^\x00-\u1100]) (?=[^\x00-\u1100])|(?<=\d) (?=[^\x00-\u1100])|(?<=[^\x00-\u1100]) (?=\d)", "", words
    ).strip()


def _schema(slots: Mapping[str, SlotType]) -> dict[str, object]:
    properties: dict[str, object] = {}
    for name, kind in slots.items():
        if isinstance(kind, tuple):
            properties[name] = {"type": "string", "enum": list(kind)}
        else:
            properties[name] = {"type": "string" if kind == "text" else "number"}
    return {"type": "object", "properties": properties}
