"""What the tokens of a whisper model mean: languages, commands, and the bytes of text.

Read from `tokenizer.json` and `config.json` of the model's folder. Text becomes tokens only for prompts and hotwords;
the other way a token is a few bytes, which need not end where a character ends.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from vivavoce.engines.recognizer import HearingOptions, Task
from vivavoce.engines.whisper.weights import TOKENIZER_FILE
from vivavoce.errors import ModelUnavailable

_END_OF_ENGLISH_MODELS = 50256  # theirs is GPT-2's vocabulary; the others have one token more
_CLOSING = (
    ".?!。？！"  # and maybe a bracket behind it; what trails off ("...", "…", "-") or goes on (",") closes nothing
)
_BRACKETS = "\"')]」»”’"
_MOST_PROMPT_TOKENS = 223  # half of the text's places, less the token that begins it


class Vocabulary:
    """Tokens of one model, read-only.

    Args:
        folder: of the model.
        config: of `config.json`.
        text_positions: tokens a text may have.

    Attributes:
        languages: ISO 639-1 code -> token; English alone where the model knows nothing else.
        end, no_speech: tokens.
        suppressed: never written: what is no speech, commands, times.
        suppressed_first: not written as the first token: a blank, the end.
        marks: tokens that write punctuation and nothing else.
        closing_marks: those of them that end a sentence.

    Raises:
        ModelUnavailable: If the files are missing, damaged, or of another family of models.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any], text_positions: int) -> None:
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        except Exception as error:  # the library raises plain Exception for whatever is wrong with the file
            raise ModelUnavailable(f"'{folder.name}/{TOKENIZER_FILE}' cannot be read: {error}") from error
        self.end = self._token("<|endoftext|>")
        self._start = self._token("<|startoftranscript|>")
        self._previous = self._token("<|startofprev|>")
        self._no_times = self._token("<|notimestamps|>")
        self.no_speech = self._no_times - 1  # "<|nospeech|>", or "<|nocaptions|>" in older files
        self._tasks = {task: self._token(f"<|{task}|>") for task in ("transcribe", "translate")}
        self.languages = self._languages()
        self.is_multilingual = len(self.languages) > 1
        self._prompt_limit = min(_MOST_PROMPT_TOKENS, text_positions // 2 - 1)
        self._bytes = _token_bytes(self._tokenizer, self.end)
        commands = range(self.end + 1, self._no_times + 1)
        self.suppressed = sorted({*config.get("suppress_ids", ()), *commands})
        self.times_from = self._no_times + 1
        self.suppressed_first = sorted({*config.get("suppress_ids_begin", ()), self.end})
        self.marks = frozenset(token for token, piece in enumerate(self._bytes) if _is_marks(piece))
        self.closing_marks = frozenset(token for token in self.marks if _closes(self._bytes[token]))

    def command(self, language: str, options: HearingOptions) -> list[int]:
        """The tokens a text begins with: [context,] start, language, task, without times."""
        words = [self._start]
        if self.is_multilingual:
            words += [self.languages[language], self._tasks[self.task(language, options)]]
        return [*self._context(options), *words, self._no_times]

    def task(self, language: str, options: HearingOptions) -> Task:
        """What is made of this language."""
        return "transcribe" if language in options.as_spoken else options.task

    def start(self) -> list[int]:
        """The command up to where the language is asked for."""
        return [self._start]

    def start_place(self, command: Sequence[int]) -> int:
        """Where the command proper begins, behind the context: there the model says whether there is speech."""
        return len(command) - 1 - list(reversed(command)).index(self._start)

    def piece(self, token: int) -> bytes:
        """The bytes a token writes; none for commands."""
        return self._bytes[token] if token < len(self._bytes) else b""

    def is_single(self, token: int) -> bool:
        """Whether it writes one character, with or without a blank."""
        return len(self.piece(token).decode(errors="replace").strip()) == 1

    def is_whole(self, tokens: Sequence[int]) -> bool:
        """False where they end within a character."""
        try:
            b"".join(map(self.piece, tokens)).decode()
        except UnicodeDecodeError:
            return False
        return True

    def text(self, tokens: Sequence[int]) -> str:
        """What tokens write together; half a character at the end is left out."""
        return b"".join(map(self.piece, tokens)).decode(errors="ignore")

    def _context(self, options: HearingOptions) -> list[int]:
        """Hotwords and the end of the prompt; hotwords have at most half of the room.

        They end like a sentence. Where they did not, the model took them for the beginning of the one that was said:
        of 76 names in 40 recordings 73 were written and some of the words around them left out, now all 76.
        """
        listed = ", ".join(word.strip() for word in options.hotwords if word.strip())
        hotwords = self.encode(f"{listed}." if listed else "")
        hotwords = hotwords[: self._prompt_limit // 2]
        prompt = self.encode(options.prompt)
        prompt = prompt[max(0, len(prompt) - (self._prompt_limit - len(hotwords))) :]
        return [self._previous, *hotwords, *prompt] if hotwords or prompt else []

    def encode(self, text: str) -> list[int]:
        """Tokens of a text that stands after another one; commands in it are left out."""
        if not text.strip():
            return []
        encoded = self._tokenizer.encode(" " + text.strip(), add_special_tokens=False)
        return [token for token in encoded.ids if token < self.end]  # a command in a prompt is no command

    def _languages(self) -> dict[str, int]:
        """Those between the start and the tasks; the English models have the same tokens, but never learned them."""
        first_task = min(self._tasks.values())
        names = {token: self._tokenizer.id_to_token(token) or "" for token in range(self._start + 1, first_task)}
        known = {name[2:-2]: token for token, name in names.items() if name.startswith("<|")}
        return {"en": known["en"]} if self.end == _END_OF_ENGLISH_MODELS else known

    def _token(self, name: str) -> int:
        found = self._tokenizer.token_to_id(name)
        if found is None:
            raise ModelUnavailable(f"the tokenizer of the model lacks '{name}'")
        return int(found)


def _is_marks(piece: bytes) -> bool:
    text = piece.decode(errors="replace").strip()
    return bool(text) and "\ufffd" not in text and all(unicodedata.category(char)[0] == "P" for char in text)


def _closes(piece: bytes) -> bool:
    text = piece.decode().strip().rstrip(_BRACKETS)
    return text.endswith(tuple(_CLOSING)) and ".." not in text and "…" not in text


def _token_bytes(tokenizer: Tokenizer, count: int) -> list[bytes]:
    """The bytes of each of the first `count` tokens. Source: openai/gpt-2, encoder.py, bytes_to_unicode."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in plain]
    byte_of = {chr(byte): byte for byte in plain} | {chr(256 + k): byte for k, byte in enumerate(others)}
    names = [tokenizer.id_to_token(token) or "" for token in range(count)]
    return [bytes(byte_of[c] for c in name if c in byte_of) for name in names]
