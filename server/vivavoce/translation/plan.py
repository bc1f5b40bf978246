"""How a recording in one language becomes words of another: what is heard, and who translates that. Pure.

The recognizer itself writes English, where it learned to. Everything else is a translator's, from the words as they
were spoken where it knows their language, else from the recognizer's English.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vivavoce.engines.recognizer import HearingOptions, RecognizerInfo
from vivavoce.errors import InvalidRequest, UnsupportedLanguage
from vivavoce.translation.translator import ANY, Pair, Translator, covers


@dataclass(frozen=True, slots=True)
class Plan:
    """How the words of a recording come into another language.

    Attributes:
        options: for the recognizer.
        target: ISO 639-1 code of the text that comes of it.
        translator: who writes it; None: the recognizer does.
    """

    options: HearingOptions
    target: str
    translator: Translator | None = None


def planned(info: RecognizerInfo, options: HearingOptions, target: str, translators: Sequence[Translator]) -> Plan:
    """The way from what is spoken to the language `target`.

    Args:
        info: who hears.
        options: as they were asked for; `task` is the plan's own.
        translators: in order of preference.

    Raises:
        UnsupportedLanguage: If there is none; the sentence names the pairs that there are.
    """
    if target == "en" and info.translates:
        return Plan(replace(options, task="translate"), target)
    spoken = {options.language} if options.language else set(options.languages or info.languages)
    foreign = spoken - {target}
    as_it_is = replace(options, task="transcribe")
    if not foreign:
        return Plan(as_it_is, target)
    for translator in translators:
        known = {code for code in foreign if covers(translator, code, target)}
        if known == foreign:
            return Plan(as_it_is, target, translator)
        if info.translates and covers(translator, "en", target):
            kept = tuple(sorted(known | {target}))
            return Plan(replace(options, task="translate", as_spoken=kept), target, translator)
    raise UnsupportedLanguage(_there_is(info, target, translators), param="to_language")


def check_details(plan: Plan, *, words: str | None, logprobs: str | None) -> None:
    """Refuse what a translator cannot tell: it gives lines, whose times are those of what was said.

    Args:
        words: parameter that asks for times of words; None: nothing does.
        logprobs: likewise for log-probabilities.

    Raises:
        InvalidRequest: If the words that come of the plan have none.
    """
    if plan.translator is None:
        return
    if words is not None:
        raise InvalidRequest("the words of a translation have no times of their own; ask for segments", param=words)
    if logprobs is not None:
        raise InvalidRequest("log-probabilities are told of what was heard, not of its translation", param=logprobs)


def own_pairs(info: RecognizerInfo) -> tuple[Pair, ...]:
    """What a recognizer translates by itself."""
    return (Pair(ANY, "en"),) if info.translates else ()


def _there_is(info: RecognizerInfo, target: str, translators: Sequence[Translator]) -> str:
    pairs = [*own_pairs(info), *(pair for translator in translators for pair in translator.pairs())]
    there = ", ".join(dict.fromkeys(map(str, pairs))) or "none"
    return f"model '{info.id}' and the translators of this server do not translate into {target}; pairs: {there}"
