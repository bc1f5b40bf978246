"""Japanese text -> romaji symbols with pitch marks.

Each run between marks goes through Genie's own reading of OpenJTalk labels, so the symbols are those the voices were
trained on; this module cuts the runs, maps the marks, and finds which word each sound belongs to. OpenJTalk carries
its dictionary: no data are needed. Called by `phonemes.py`.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from typing import Any

from vivavoce.engines.genie.reading.genie_modules import genie_module, library, quiet
from vivavoce.engines.genie.reading.reading import Reading, ReadingWriter
from vivavoce.engines.genie.reading.symbols import known
from vivavoce.text.mapped import MappedText

_MARKS = {
    **dict.fromkeys("：；，、､·・—–―", ","),
    **dict.fromkeys("。．｡\n", "."),
    **dict(zip("！？,.!?…‥-", "!?,.!?……-", strict=True)),
}
_REPEATED = re.compile(r"([,./?!~…・])\1+")  # full-width marks stay doubled, as in the voices' training
_DRAWN_OUT = re.compile(r"(?<=[ぁ-んァ-ヴー])[〜～~]+")
_PERCENT = re.compile(r"[%％]")
_RUN = re.compile(  # letters, digits, iteration mark, kana, kanji; a point between digits stays ("3.14")
    r"(?:[A-Za-z\d々〇぀-ヿ㐀-䶿一-鿿豈-龎\U00020000-\U0003ffff１-９Ａ-Ｚａ-ｚｦ-ﾝ]|(?<=\d)[.](?=\d))+"
)
_LONGEST_RUN = 120  # characters OpenJTalk is given at once; its buffers end at about 1000
_MORA_ENDS = frozenset("aiueoAIUEO") | {"N", "cl"}


class JapaneseFrontEnd:
    """Reads Japanese; one thread at a time inside, any number outside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread = threading.local()
        self._open_jtalk: Any = None
        self._symbols_of: Any = None

    def warm_up(self) -> None:
        self.read(MappedText.of("明日、何を読みますか"))

    def read(self, text: MappedText) -> Reading:
        """Symbols with pitch marks and pauses; words as the dictionary cuts them."""
        prepared = text.sub(_PERCENT, "パーセント").sub(_DRAWN_OUT, "ー").sub(_REPEATED, r"\1")
        writer = ReadingWriter()
        done = 0
        for run in _RUN.finditer(prepared.text):
            _pauses(prepared.text[done : run.start()], writer)
            for start in range(run.start(), run.end(), _LONGEST_RUN):
                self._read_run(prepared[start : min(start + _LONGEST_RUN, run.end())], writer)
            done = run.end()
        _pauses(prepared.text[done:], writer)
        return writer.done()

    def _read_run(self, run: MappedText, writer: ReadingWriter) -> None:
        with self._lock:
            self._load()
            symbols: list[str] = self._symbols_of(run.text)[1:-1]  # without the marks of its beginning and end
            words = [(node["string"], node["mora_size"]) for node in self._open_jtalk.run_frontend(run.text)]
        surface = "".join(unicodedata.normalize("NFKC", string).lower() for string, _ in words)
        places = run.rewritten(surface)
        at = first = 0
        for string, morae in words:
            start, at = at, at + len(unicodedata.normalize("NFKC", string))
            end = _after_morae(symbols, first, morae)
            if end > first and at > start:
                writer.word(known(symbols[first:end]), places.origin(start, at))
                first = end
        for symbol in known(symbols[first:]):
            writer.pause(symbol)

    def _load(self) -> None:
        """The libraries once, and their second tokenizer once a thread: it warns of its own idioms when it is made."""
        if self._open_jtalk is None:
            self._symbols_of = genie_module("G2P.Japanese.JapaneseG2P").JapaneseG2P._pyopenjtalk_g2p_prosody
            self._open_jtalk = library("pyopenjtalk")
        if not getattr(self._thread, "is_ready", False):
            with quiet():
                self._open_jtalk.run_frontend("その方")
            self._thread.is_ready = True


def _pauses(marks: str, writer: ReadingWriter) -> None:
    for mark in marks:
        if symbol := _MARKS.get(mark):
            writer.pause(symbol)


def _after_morae(symbols: list[str], first: int, morae: int) -> int:
    """Index after the given number of morae, and after the pitch marks that follow the last one."""
    at = first
    while at < len(symbols) and morae > 0:
        morae -= symbols[at] in _MORA_ENDS
        at += 1
    while at > first and at < len(symbols) and symbols[at] in "#[]":
        at += 1
    return at
