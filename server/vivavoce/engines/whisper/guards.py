"""When not to believe the model: it says things twice, says more than anybody can say, or hears words in silence.

Pure functions of text and numbers. What looks wrong is heard once more with the whole window; `hearing.py` decides.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence

MOST_CHARACTERS_PER_S = 25.0  # quick English has 20, Chinese 7
_CHARACTERS_BESIDES = 30
MOST_TOKENS_PER_S = 25.0  # Hindi takes three tokens a character; English has 4 a second
_TOKENS_BESIDES = 16
REPEATED_TOKENS_PER_S = 6.0  # "no, no, no" has six
UNSURE_LOGPROB = -0.7  # a mean below is worth another hearing; clear English has -0.1 to -0.5
UNSURE_ELSEWHERE = -0.5  # in other languages, of which an utterance in eight is heard twice: experiments/LOG.md
_LOOP_TOKENS, _LOOP_CYCLES = 15, 3
_ECHO_WORDS, _ECHO_CHARACTERS = 3, 8

_NO_SPEECH_LOGPROB, _NO_SPEECH = -1.0, 0.5
_INVENTED_NO_SPEECH = 0.3
_SURELY_NO_SPEECH = 0.8  # "Thank you." that was said, however softly, has 0.6
_OFTEN_INVENTED = (  # what subtitles say where nobody speaks, as whisper learned it; people say it, too
    "you",
    "thank you",
    "thank you very much",
    "thank you so much",
    "thanks for watching",
    "thank you for watching",
    "thank you so much for watching",
    "please subscribe",
    "bye",
    "bye bye",
    "music",
    "applause",
    "silence",
    "blank audio",
    "beep",
    "yeah",
)
_CREDITS = (  # of subtitles: nobody says these
    "amara org",
    "zdf fur funk",
    "untertitel im auftrag des",
    "sous titrage st 501",
    "sous titrage societe radio canada",
    "legendas pela comunidade",
    "sottotitoli e revisione",
    "sottotitoli creati",
    "ondertiteld door",
    "undertexter fran",
    "altyazi m k",
    "napisy stworzone przez",
    "titulky vytvoril",
    "субтитры сделал",
    "субтитры создавал",
    "редактор субтитров",
    "ご視聴ありがとうございました",
    "请不吝点赞",
    "字幕由",
    "시청해주셔서 감사합니다",
)


def most_tokens(seconds: float) -> int:
    """Tokens that so much sound can hold at most."""
    return _TOKENS_BESIDES + round(MOST_TOKENS_PER_S * seconds)


def most_repeated(seconds: float) -> int:
    """Tokens up to which a text that runs in a circle may still be what was said: counted, sung, called again."""
    return _TOKENS_BESIDES + round(REPEATED_TOKENS_PER_S * seconds)


def loop_start(tokens: Sequence[int]) -> int | None:
    """Where the second round of a loop begins that the last tokens run in; None where they do not."""
    count = len(tokens)
    for period in range(1, count // _LOOP_CYCLES + 1):
        same = 0
        while same + period < count and tokens[count - 1 - same] == tokens[count - 1 - same - period]:
            same += 1
        if same + period >= max(_LOOP_TOKENS, _LOOP_CYCLES * period):
            return count - same
    return None


def is_unsure(avg_logprob: float, language: str) -> bool:
    """Whether a text heard in a short window is worth another hearing in the whole one."""
    return avg_logprob < (UNSURE_LOGPROB if language == "en" else UNSURE_ELSEWHERE)


def settled(tokens: Sequence[int], logprobs: Sequence[float], no_speech_prob: float, language: str = "en") -> int:
    """How many of the first tokens are worth telling before the text is whole: nothing that may be heard once more.

    Held back are all while the model is unsure or may have heard silence, and the last ones as far as they were
    written before in this order: that is how loops and texts said twice begin.
    """
    count = len(tokens)
    if no_speech_prob > _INVENTED_NO_SPEECH or not count or is_unsure(sum(logprobs) / count, language):
        return 0
    known = count
    for period in range(1, count):
        same = 0
        while same + period < count and tokens[count - 1 - same] == tokens[count - 1 - same - period]:
            same += 1
        known = min(known, count - same)
    return known


def says_it_twice(text: str) -> bool:
    """The end of the text repeats its beginning, wholly or as far as it came."""
    words = _plain(text).split()
    if _ends_as_it_begins(words, _ECHO_WORDS):
        return True
    letters = "".join(words)
    return _writes_without_blanks(letters) and _ends_as_it_begins(letters, _ECHO_CHARACTERS)


def is_wrong(text: str, seconds: float) -> bool:
    """Nobody can have said this: too much of it, or all of it twice."""
    return len(text) > _CHARACTERS_BESIDES + MOST_CHARACTERS_PER_S * seconds or says_it_twice(text)


def has_words(text: str) -> bool:
    """More than marks."""
    return bool(_plain(text))


def is_nothing(text: str, avg_logprob: float, no_speech_prob: float) -> bool:
    """Silence or noise that the model made words of, or marks without any word."""
    words = _plain(text)
    if not words or (avg_logprob < _NO_SPEECH_LOGPROB and no_speech_prob > _NO_SPEECH):
        return True
    if no_speech_prob <= _INVENTED_NO_SPEECH:
        return False
    if words in _often_invented():
        return no_speech_prob > _SURELY_NO_SPEECH or avg_logprob < UNSURE_LOGPROB
    return any(credit in words for credit in _credits())


def _ends_as_it_begins(parts: Sequence[str], least: int) -> bool:
    """Its last parts, at least so many, and at least a third of all, are its first ones."""
    count = len(parts)
    shortest = max(least, -(-count // 3))
    return any(parts[count - same :] == parts[:same] for same in range(shortest, count // 2 + 1))


@functools.cache
def _often_invented() -> frozenset[str]:
    return frozenset(map(_plain, _OFTEN_INVENTED))


@functools.cache
def _credits() -> tuple[str, ...]:
    return tuple(map(_plain, _CREDITS))


def _plain(text: str) -> str:
    """Lower case, accents and punctuation off."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", " ".join(re.findall(r"\w+", letters)))


def _writes_without_blanks(letters: str) -> bool:
    """Chinese, Japanese: most letters stand for a syllable or more."""
    return 2 * sum("\u3040" <= c <= "\u9fff" for c in letters) > len(letters)
