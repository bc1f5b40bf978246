"""Whether a text stops inside of a thought, although its last word could end a sentence.

A condition waits for what follows from it, a list for its last part, a number for the rest of its digits, "I think" for
what is thought, a preposition for its noun unless a question has asked for that already. Pure rules over text, by
language; English has most. They tell that waiting is worth while, not that somebody will go on. Called by
`patience.py`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

# By ISO 639-1 code: with these a sentence begins that has a second part.
_CONDITIONS: Final[dict[str, str]] = {
    "en": """
        if | when | whenever | after | before | because | although | while | unless | once | as soon as | every time
    """,
    "de": "wenn | falls | weil | obwohl | bevor | nachdem | während | sobald | solange | immer wenn | jedes mal wenn",
    "fr": "si | quand | lorsque | dès que | avant de | avant que | après | parce que | chaque fois que | puisque",
    "es": "si | cuando | aunque | porque | antes de | después de | mientras | cada vez que | como",
    "pt": "se | quando | embora | porque | antes de | depois de | enquanto | sempre que | como",
    "it": "se | quando | anche se | perché | prima di | dopo | mentre | ogni volta che | siccome | appena",
    "zh": "如果 | 要是 | 因为 | 因為 | 虽然 | 雖然 | 每当 | 每當 | 等到 | 只要",
}
# Nobody says these and no more.
_OPENINGS: Final[dict[str, str]] = {
    "en": """
        well | so | okay so | ok so | and so | actually | anyway | also | look | listen | you know | i mean | i think |
        i guess | i suppose | i believe | i wonder | let me see | by the way | first of all | how about | what about |
        maybe | perhaps | basically | to be honest | you see
    """,
    "de": """
        also | na ja | naja | weißt du | ich meine | ich glaube | ich denke | eigentlich | übrigens | und zwar |
        vielleicht | ehrlich gesagt
    """,
    "fr": "alors | bon | en fait | tu sais | vous savez | je veux dire | je crois | je pense | peut-être | au fait",
    "es": "pues | bueno | sabes | o sea | es que | creo | la verdad | quizás | por cierto | entonces",
    "pt": "então | bem | sabe | quer dizer | acho | acho que | talvez | na verdade | aliás",
    "it": "allora | cioè | senti | penso | credo | forse | comunque | a proposito | insomma",
    "zh": "那个 | 那個 | 那么 | 那麼 | 就是说 | 其实 | 其實 | 我觉得 | 我覺得 | 我想",
    "ja": "実は | ところで | たぶん | それから | つまり",
    "ko": "있잖아 | 사실은 | 사실 | 근데 | 아마 | 그러니까 | 혹시",
}
# What is spelled out in digits and letters, in several breaths.
_SPELLED: Final[dict[str, str]] = {
    "en": """
        number code postcode zip password passcode pin card account phone address email mail born birth reach reference
        spelled spelt spell plate registration serial extension iban
    """,
    "de": """
        nummer code postleitzahl passwort kennwort pin konto kontonummer telefonnummer handynummer kundennummer adresse
        geboren buchstabiert kennzeichen iban
    """,
    "fr": "numéro code carte compte adresse né née téléphone passe épelle épèle immatriculation plaque référence iban",
    "es": "número código contraseña tarjeta cuenta dirección nací teléfono deletrea matrícula referencia iban",
    "pt": "número código senha cartão conta endereço nasci telefone soletra matrícula placa referência iban",
    "it": "numero codice password carta conto indirizzo nato nata telefono targa riferimento iban",
    "zh": "号码 號碼 电话 電話 密码 密碼 账号 帳號 地址 邮编",
    "ja": "番号 電話 暗証 住所 郵便",
    "ko": "번호 전화 주소 계좌",
}
# Nobody asks with these and no more.
_REQUESTS: Final[dict[str, str]] = {
    "de": r"^((kannst|könntest|würdest|willst) du|(können|könnten|würden) sie)( mir| uns)?( bitte| vielleicht| mal)*$",
    "fr": r"^(est-ce que )?(tu (peux|pourrais)|vous (pouvez|pourriez)|p(eux|ourrais)-tu|po(uvez|urriez)-vous)( me)?$",
    "es": r"^((me |nos )?(puedes|podrías|puede|podría)|quisiera|quiero|me gustaría)( por favor)?$",
    "pt": r"^(você (pode|poderia)|podes|poderias|poderia|eu queria|queria|gostaria de)( por favor)?$",
    "it": r"^(puoi|potresti|può|potrebbe|vorrei|mi piacerebbe)( per favore)?$",
}
# German puts what is asked for at the end: "Kannst du bitte das Licht im Wohnzimmer" lacks its verb.
_VERBLESS: Final = re.compile(r"^(kannst|könntest|würdest) du\b(?!.*(n|tun|mal|bitte)$)")
_BEGINS_WITH: Final = re.compile(
    r"\b((begins|starts) with|(beginnt|fängt an) mit|commence par|(empieza|comienza) (por|con)|começa (por|com)|"
    r"(inizia|comincia) con)\b"
)
_INITIALS: Final = re.compile(r"\b[A-Z]{1,4}[.?!]*$")
_DIGIT_WORDS: Final = "zero oh one two three four five six seven eight nine double triple"
_WITHOUT_BLANKS: Final = ("zh", "ja", "ko")  # or with particles behind the words
_LOOKED_AT: Final = 400  # characters
_WHOLE_NUMBER: Final = 7  # digits that may be all of a telephone number
_MOST_OF_A_CONDITION: Final = 8  # words: with more, what follows from it is probably among them

# English only.
_ASKING: Final = "what who whom which where how when why whose whatever whoever wherever"
_STRANDING: Final = frozenset(["what", "who", "whom", "which", "where"])  # "How do you know who she talked to?"
_PREPOSITIONS: Final = (
    "to at for from with about by of behind beside opposite near under without into than toward towards"
)
_VERBS: Final = """
    is are was were be been isn't aren't wasn't weren't has have had will would shall should could might must does did
    it's that's there's he's she's who's here's they'd you'd he'd she'd we'd
    need want buy find send tell give put bring add set remind show book order get make use
"""
_BEFORE_NAMES: Final = "mister mr mrs ms miss doctor dr professor"
_DETERMINERS: Final = "the a an my your our his her their this that"
_ANSWERING: Final = """
    yes yeah no not so oh well of course sure i you he she it we they there that i'd we'd would love like want happy
"""
_POLITE: Final = "please thanks thank then too though sir madam today tonight now really right again"
_REQUEST: Final = re.compile(r"\b(can|could|would|will) (you|we|i)( please| possibly| maybe| just| mind)*$")
_ADJECTIVE: Final = re.compile(
    r"\b(a|an) (new|old|big|small|large|good|great|nice|long|short|cheap|different|better|cheaper)$"
)
_BROKEN: Final = re.compile(
    r"\b((is|was|true|said|think|hope|sure|so \w+) that|(used|going|able|trying) to|(for|at|to|until) half)$"
)
# Cut-off articles are often understood as "that"; and who asks begins with the question.
_CUT_OFF: Final = re.compile(
    r"\S+ \S+ (?!(like|of|about|by|is|was|do|did|all|after|for|know|guess|say) )\S+ "
    r"(that|what|who|whom|where|when|which)$"
)
_FIRST: Final = re.compile(r"\bfirst(, then(?! .*\band\b)[^,]*)*$")  # "first the soup, then the fish"
_SHORTEST_OF_A_LIST: Final = 3  # words before the second part


def is_open(text: str, language: str = "") -> bool:
    """Whether more is needed to make it whole.

    Args:
        text: what was understood of a turn.
        language: ISO 639-1 code; of others nothing is known.
    """
    written = _last_sentence(unicodedata.normalize("NFKC", text[-_LOOKED_AT:]).replace("’", "'"))
    last = written.casefold()
    bare = last.rstrip(" .?!。？！\"'").strip("¿¡\"' ")
    if not bare:
        return False
    if bare.replace(",", "") in _phrases(_OPENINGS, language):
        return True
    if _is_spelled(bare, written, language):
        return True
    if language in _REQUESTS and (re.search(_REQUESTS[language], bare) or (language == "de" and _VERBLESS.match(bare))):
        return True
    if last.endswith(("?", "？")) and language != "en":
        return False
    return _is_condition(bare, last, language) or (language == "en" and _is_open_english(bare, last))


def _last_sentence(text: str) -> str:
    parts = re.findall(r"[^.?!。？！]+[.?!。？！]*", text.strip())
    return parts[-1].strip() if parts else ""


def _is_condition(bare: str, last: str, language: str) -> bool:
    """It begins like one, and has no second part."""
    if last.endswith(("?", "？")) or any(mark in bare for mark in ",，、"):
        return False
    if language == "zh":
        return bare.startswith(_phrases(_CONDITIONS, language))
    words = bare.split()
    while words and words[0] in ("and", "so", "but", "und", "et", "y", "e", "mais", "pero", "mas", "ma", "aber"):
        words = words[1:]
    begin = " ".join(words) + " "
    short = len(words) <= _MOST_OF_A_CONDITION
    return short and len(words) > 1 and begin.startswith(tuple(f"{each} " for each in _phrases(_CONDITIONS, language)))


def _is_spelled(bare: str, written: str, language: str) -> bool:
    """It ends inside of something that is said in digits and letters, or may."""
    words = re.split(r"[\s,'-]+", bare)
    spells = any(each in (bare if language in _WITHOUT_BLANKS else words) for each in _words(_SPELLED, language))
    apart = re.search(r"\d[ ,-]+\d+$", bare) is not None
    if not (spells or apart) or len(re.findall(r"\d", bare)) >= _WHOLE_NUMBER:
        return False
    if re.search(r"(?:[\d０-９]|\b[a-z])$", bare) or (spells and _INITIALS.search(written)):
        return True
    return spells and (words[-1] in _set(_DIGIT_WORDS) or _BEGINS_WITH.search(bare) is not None)


def _is_open_english(bare: str, last: str) -> bool:
    if _REQUEST.search(bare) or _ADJECTIVE.search(bare) or _is_begun_list(bare, last):
        return True
    *before, end = bare.replace(",", " ").split()
    if end in _set(_BEFORE_NAMES) and not (before and before[-1] in _set(_DETERMINERS)):
        return True
    if _CUT_OFF.search(bare) or ("between" in before and "and" not in before):
        return True
    if end == "to" and "how" in before and not _STRANDING.intersection(before):
        return True
    asks, answers = _set(_ASKING).intersection(before), _set(_ANSWERING).issuperset(before)
    if asks or answers:  # "Who is it for?", "Yes, I have."
        return False
    return end in _set(_PREPOSITIONS) or end in _set(_VERBS) or _BROKEN.search(bare) is not None


def _is_begun_list(bare: str, last: str) -> bool:
    """Its last parts are short, and no "and" has come."""
    if _FIRST.search(bare):
        return True
    first, *rest = [part.split() for part in bare.split(",")]
    if not rest or last.endswith("?") or len(first) < _SHORTEST_OF_A_LIST or first[0] in _set(_CONDITIONS["en"]):
        return False
    if rest[-1][:1] in (["and"], ["or"]):
        return False
    return all(0 < len(part) <= 2 and not _set(_POLITE).intersection(part) for part in rest)


def _phrases(lists: dict[str, str], language: str) -> tuple[str, ...]:
    return _split(lists.get(language, ""), "|")


def _words(lists: dict[str, str], language: str) -> tuple[str, ...]:
    return _split(lists.get(language, ""), None)


@cache
def _split(listed: str, at: str | None) -> tuple[str, ...]:
    return tuple(" ".join(each.split()) for each in listed.split(at) if each.strip())


@cache
def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())
