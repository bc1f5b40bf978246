"""Formulas of chemistry, letter by letter, so that no word is made of them: elements, groups, ions."""

# ruff: noqa: SIM905  # words in one string read better than a column of quoted ones
from __future__ import annotations

import re
from typing import Final

from vivavoce.text.english.numerals import number
from vivavoce.text.english.rule import Rule, rule

_ELEMENTS: Final = frozenset(
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce W Pt Au Hg Pb Bi U".split()
)
_SMALL: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉", "0123456789+-0123456789")
_ELEMENT: Final = re.compile(r"([A-Z][a-z]?)(\d{0,3})")


def _formula(found: re.Match[str]) -> str | None:
    """CO2, Fe2O3: the letters apart, so that no word is made of them."""
    parts = _ELEMENT.findall(found[0])
    has_small = any(len(symbol) > 1 for symbol, _ in parts)
    if not all(symbol in _ELEMENTS for symbol, _ in parts) or (has_small and len(parts) < 2):
        return None
    if has_small and not re.match(r"[A-Z][a-z]?\d*[A-Z]", found[0]):
        return None
    return _letters(parts)


def _letters(parts: list[tuple[str, str]]) -> str:
    """Elements and how many of them there are, letter by letter."""
    counted = ([number(count)] if count else [] for _, count in parts)
    return " ".join(" ".join([*symbol.upper(), *count]) for (symbol, _), count in zip(parts, counted, strict=True))


def _ion(found: re.Match[str]) -> str | None:
    """Ca²⁺: the letters apart, then the charge."""
    parts = _ELEMENT.findall(found["formula"].translate(_SMALL))
    if not all(symbol in _ELEMENTS for symbol, _ in parts):
        return None
    charge = [figure] if (figure := found["charge"].translate(_SMALL)) else []
    return " ".join([_letters(parts), *charge, "plus" if found["sign"] == "⁺" else "minus"])


def _grouped_formula(found: re.Match[str]) -> str | None:
    """Ca(OH)2: what is in brackets belongs to the formula."""
    parts = [_ELEMENT.findall(found[at] or "") for at in (1, 2, 4)]
    if not all(symbol in _ELEMENTS for part in parts for symbol, _ in part):
        return None
    said = [_letters(part) for part in parts]
    return " ".join(filter(None, [said[0], said[1], found[3], said[2]]))


def _charged(found: re.Match[str]) -> str:
    """Na+, Ca2+, SO42-: the figure in front of the sign belongs to the charge."""
    charge = f" {found['charge']}" if found["charge"] else ""
    return f"{_letters(_ELEMENT.findall(found['formula']))}{charge} {'plus' if found['sign'] == '+' else 'minus'}"


# Written without raised figures only these are ions: B+ is a grade, A- a blood group, K-pop a music.
_POSITIVE: Final = r"Li|Na|K|H|H3O|NH4|Ag|Cu|Rb|Cs"
_TWICE: Final = r"Ca|Mg|Zn|Fe|Cu|Ba|Ni|Co|Mn|Pb|Sr|Hg|Cd|Sn"
_NEGATIVE: Final = r"Cl|Br|OH|NO3|NO2|HCO3|CN|MnO4|HSO4|H2PO4"
_SIGN_ENDS: Final = r"(?![\w+=-]|\.\d)"

IONS: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w-])(?P<formula>(?:[A-Z][a-z]?[0-9₀-₉]{0,2}){1,4})(?P<charge>[²³⁴]?)(?P<sign>[⁺⁻])(?![⁰¹²³⁴-⁹])",
         _ion),
    rule(rf"(?<![\w+-])(?P<formula>{_POSITIVE})(?P<charge>)(?P<sign>[+]){_SIGN_ENDS}", _charged),
    rule(rf"(?<![\w+-])(?P<formula>{_TWICE}|Fe|Al|Cr|Au)(?P<charge>[234])(?P<sign>[+]){_SIGN_ENDS}", _charged),
    rule(rf"(?<![\w+-])(?P<formula>{_NEGATIVE})(?P<charge>)(?P<sign>[-−–]){_SIGN_ENDS}", _charged),
    rule(rf"(?<![\w+-])(?P<formula>SO4|SO3|CO3|HPO4|PO4|CrO4|Cr2O7|S2O3|C2O4)(?P<charge>[23])(?P<sign>[-−–]){_SIGN_ENDS}",
         _charged),
)  # fmt: skip

# after small figures have become plain ones
FORMULAS: Final[tuple[Rule, ...]] = (
    rule(r"(?<![\w.,-])(\d{1,2})(?=(?:(?:C|H|N|O|Na|Fe|Al|Mg|Ca|Cl|S|P|K|Si|Cu|"
         r"Zn)\d{0,2}){1,6}(?<=\d)(?![\w.]))", r"\1 "),
    rule(r"(?<![\w–-])(?:[A-Z][a-z]?\d{0,3}){1,8}(?<=\d)(?![\w']|–[A-Z]\d|\.\d)|(?<![\w-])(?:[A-Z][a-z]?\d{0,3}){0,8}[A-Z][a-z]?\d(?:[A-Z]"
         r"[a-z]?\d{0,3}){1,6}(?![\w'-])", _formula),
    rule(r"(?<![\w-])(?:NaCl|HCl|KCl|NaOH|KOH|HBr|NaF|CaO|MgO|ZnO|CuO)(?![\w'-])", lambda m: " ".join(m[0].upper())),
    rule(r"(?<!\w)pH(?!\w)", "P H"),
    rule(r"(?<![\w-])((?:[A-Z][a-z]?\d{0,2}){1,3})\(((?:[A-Z][a-z]?\d{0,2}){1,4})\)(\d{1,2})((?:[A-Z][a-z]?\d{0,2}){0,3})(?![\w'-])",
         _grouped_formula),
)  # fmt: skip
