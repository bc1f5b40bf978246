"""Words heard while somebody else speaks: the sound of listening, the loudspeaker's echo, or an interruption.

Pure rules over text, for several languages at once (a conversation may change its language at any moment). Called by
the turn detector with what a recognizer understood; knows nothing of time.
"""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from vivavoce.text.language import is_wide

# What listeners say without wanting the floor. "no", "wait" and "stop" are not among them, nor is a question.
_BACK_CHANNELS: Final = """
    uh huh | uhuh | uh | mm hmm | mhm | m | mm | hm | hmm | ah | aha | oh | ooh | wow | yeah | yep | yup | yes | ok
    okay | right | all right | alright | sure | i see | got it | really | cool | nice | great | good | exactly | indeed
    of course | makes sense | that makes sense | fair enough | absolutely | true
    ja | jo | genau | ach so | aha | stimmt | klar | gut | na klar | tja | alles klar | verstehe | ich verstehe | ach ja
    mh | na gut | richtig | eben
    oui | ouais | d accord | ah bon | bien | tout à fait | je vois | mhm | hum | exactement | c est vrai | bien sûr
    sí | si | vale | claro | ya | ajá | de acuerdo | bueno | ya veo | entiendo | exacto | por supuesto
    sì | certo | va bene | capito | esatto | già | sim | pois | tá | tá bom | isso | claro | entendi | ho capito
    capisco | giusto | d accordo | ecco | sei | aham | uhum | exato | entendo
    да | ага | угу | понятно | ясно | так | ну да
    嗯 | 嗯哼 | 哦 | 噢 | 喔 | 啊 | 呃 | 对 | 對 | 是 | 是的 | 是啊 | 对对 | 對啊 | 对啊 | 好 | 好的 | 好吧 | 行
    哈 | 哇 | 明白 | 原来如此 | 原來如此
    是吗 | 是嗎 | 这样啊 | 這樣啊 | 没错 | 沒錯 | 知道了 | 当然 | 當然 | 真的
    うん | うんうん | ふん | はい | ええ | へえ | へ | ああ | あ | おお | お | そう | そうか | そうですか | そうですね
    そうだね | そうなんだ | なるほど | なるほどね | ほう | ほんと | まじ | たしかに | 確かに | 了解 | そっか
    そうなんですね | もちろん | 本当に | わかりました | 分かりました | ですね
    네 | 예 | 응 | 음 | 어 | 아 | 아하 | 오 | 그래 | 그래요 | 그렇군요 | 그렇죠 | 맞아 | 맞아요 | 진짜 | 알겠어요
    그렇구나 | 그러게 | 그러게요 | 그쵸 | 알겠습니다 | 알았어요 | 물론이죠 | 정말
"""
# Said alone these are meant, even where the assistant has just said the same word.
_COMMANDS: Final = """
    stop | wait | pause | quiet | enough | halt | stop it | stopp | warte | arrête | attends | para | espera | basta
    aspetta | fermati | pare | стоп | подожди | 停 | 停下 | 停止 | 等等 | 等一下 | 别说了 | 待って | ちょっと待って
    止めて | やめて | ストップ | 잠깐 | 잠깐만 | 그만 | 멈춰
"""
_MOST_BACK_CHANNELS: Final = 4  # one after the other: more than that is somebody talking
_LONGEST_CHECKED: Final = 300  # code points of either text; farther ones decide nothing
_ECHO_SHARE: Final = 0.7  # of the heard words; recognizers mishear loudspeakers
_DRAWN_OUT: Final = re.compile(r"([^\W\d_])\1{2,}|[ーｰ〜~]")  # "mmmm", "へえー"


def is_back_channel(text: str) -> bool:
    """True for "uh-huh", "yeah, right", "嗯嗯", "うん", "네네": the listener wants nothing."""
    if len(text) > _LONGEST_CHECKED or "?" in text or "？" in text:
        return False
    words = tokens(_DRAWN_OUT.sub(lambda found: found[1] or "", text))
    return bool(words) and _made_of(words, _phrases(_BACK_CHANNELS), _MOST_BACK_CHANNELS)


def is_echo(text: str, said: str) -> bool:
    """True where `text` begins with, and is mostly, what was being said, in the same order.

    Args:
        text: what a recognizer heard.
        said: what sounded about then.
    """
    heard, spoken = tokens(text[-_LONGEST_CHECKED:]), tokens(said[-_LONGEST_CHECKED:])
    if not heard or not spoken or tuple(heard) in _phrases(_COMMANDS):
        return False
    blocks = difflib.SequenceMatcher(None, heard, spoken, autojunk=False).get_matching_blocks()
    begins_so = blocks[0].size > 0 and blocks[0].a == 0  # a question about what was said begins with its own word
    return begins_so and sum(block.size for block in blocks) >= _ECHO_SHARE * len(heard)


def tokens(text: str) -> list[str]:
    """Words in lower case without marks; each Han, kana or Hangul character is one."""
    found: list[str] = []
    joins = False
    for char in unicodedata.normalize("NFKC", text[: 4 * _LONGEST_CHECKED]).casefold():
        wide = is_wide(char)
        if not wide and not char.isalnum():
            joins = False
        elif wide or not joins:
            found.append(char)
            joins = not wide
        else:
            found[-1] += char
    return found


def _made_of(words: list[str], phrases: frozenset[tuple[str, ...]], most: int) -> bool:
    """Whether the words are at most so many of the phrases, one after the other."""
    ends: set[int] = {0}
    lengths = range(1, 1 + max(map(len, phrases)))
    for _ in range(most):
        ends = {
            end + n for end in ends for n in lengths if tuple(words[end : end + n]) in phrases and end + n <= len(words)
        }
        if len(words) in ends:
            return True
    return False


@functools.cache
def _phrases(table: str) -> frozenset[tuple[str, ...]]:
    pieces: Iterable[str] = (piece for line in table.strip().splitlines() for piece in line.split("|"))
    return frozenset(tuple(tokens(piece)) for piece in pieces)
