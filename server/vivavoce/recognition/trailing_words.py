"""Whether words break off: their last one is an article, a conjunction or a filler, or the mark behind it a comma.

Pure rules over text, by language. The lists hold words that hardly ever end a sentence; those that do ("come in", "I
know why", "schalte das Licht ein", "好的") are left out. Called by `patience.py`.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Final

# By ISO 639-1 code: whole words.
_WORDS: Final[dict[str, str]] = {
    "en": """
        a an the my your our their every and or but nor because although though whereas unless until than
        whether if of with into onto between among during via as whose which how i i'm you're we're they're
        i'd i'll i've we've let's uh um uhm er erm hmm very such am
    """,
    "de": """
        der den dem des eine einen einem einer eines mein meinen meinem meiner dein deinen deinem ihren
        unser und oder aber sondern weil dass daß obwohl wenn als ob damit bevor nachdem während für von vom
        zum zur beim zwischen gegen ohne wegen wie ich äh ähm öh hm
    """,
    "fr": """
        le la les un une des du de d au aux mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs
        ce cette ces et ou mais car donc ni que qu comme lorsque puisque parce si dont pour par sans sous
        chez dans sur entre vers très je j tu il on euh heu hum ben
    """,
    "es": """
        el la los las un una unos unas del al de mi mis tu tus su sus nuestro nuestra y e o u pero sino
        porque aunque que cuando donde como si para por con sin sobre entre desde hasta hacia según muy eh
        em pues
    """,
    "pt": """
        o a os as um uma uns umas do da dos das no na nos nas ao à de em meu minha teu tua nosso nossa e ou
        mas porque embora que como se para pra por pelo pela com sem sobre entre desde até ah hum ehm
    """,
    "it": """
        il lo la i gli le un uno una del dello della dei degli delle al allo alla ai agli alle dal dalla nel
        nella sul sulla di a da in con per tra fra mio mia tuo tua nostro nostra quel e ed o ma però che se
        mentre eh ehm uhm
    """,
    "zh": "嗯 呃 額",
    "ja": "えっと えーと ええと あのー その まあ なんか そして それで でも だから",
    "ko": "음 어 저 저기 그니까 그리고 그래서 그런데 하지만 그러면",
}
# What a text ends with, where words are not set apart, or carry their particles.
_ENDS: Final[dict[str, str]] = {
    "zh": """
        和 跟 与 與 或 或者 还是 還是 但 但是 可是 因为 因為 所以 如果 虽然 雖然 而且 以及 然后 然後 比如 就是 把 被
        从 從 给 給 嗯 呃
    """,
    "ja": """
        は が を に へ で と の も や けど けれど たら なら ば し とか という えっと えーと ええと あのー なんか そして
        それで だから
    """,
    "ko": """
        은 는 을 를 에서 에게 한테 으로 로 와 과 랑 하고 의 는데 은데 으면 지만 려고 면서 어서 아서 때문에
    """,
}
_OPEN_MARKS: Final = (",", "、", "，", "..", "…", "-", "–", "—", ":", "：", ";", "；", "・", "。。")
_LOOKED_AT: Final = 60  # characters


def breaks_off(text: str, language: str = "") -> bool:
    """Whether more is about to come.

    Args:
        text: what was understood.
        language: ISO 639-1 code; marks alone are looked at where its words are not known.
    """
    ending = text[-_LOOKED_AT:].strip()
    if ending.endswith(_OPEN_MARKS):
        return True
    asks = ending.endswith(("?", "？"))
    ending = unicodedata.normalize("NFKC", ending).casefold().replace("’", "'").rstrip(" .?!。\"')」”")
    words = ending.split()
    if not words or (asks and len(words) == 1):  # "How?"
        return False
    if ending.endswith(_listed(_ENDS.get(language, ""))):
        return True
    return words[-1].lstrip("¿¡(«\"'") in _listed(_WORDS.get(language, ""))


@functools.cache
def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())
