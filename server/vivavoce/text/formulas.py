"""Formulas as chat models write them (TeX between dollar signs) to plain signs that the readers know.

The marks of a formula are silent, its commands become the signs they draw. Money between dollar signs stays money.
Knows no language. Called by `strip_markup`.
"""

from __future__ import annotations

import re
from typing import Final

from vivavoce.text.mapped import MappedText

_DISPLAY: Final = re.compile(r"\$\$([^$]{1,400}+)\$\$")
# A dollar sign before a formula is followed by no blank, the closing one by no digit; inside is something only
# mathematics has.
_INLINE: Final = re.compile(r"(?<![\w$\\])\$(?=[^\s$])([^$\n]{1,200}+)(?<=[^\s\\])\$(?![\w$])")
_PARENTHESES: Final = re.compile(r"\\\(([^\n]{1,300}?)\\\)|\\\[(.{1,400}?)\\\]", re.DOTALL)
_MATHEMATICAL: Final = re.compile(
    r"[=^_\\<>{}]|\A[A-Za-z]'?\Z|[a-z)]\s?[+*/-]\s?[\w(]|\A-?[\d.]*[a-z]\Z|"
    r"\A[A-Za-z]{1,4}\([^()]{1,40}\)\Z"
)
_WITH_MONEY: Final = re.compile(r"\A\d[\d.,]*[kKmMbB]?(?:\s|\Z|[-–/])")

_COMMANDS: Final = {
    "times": "×", "cdot": "⋅", "div": "÷", "pm": "±", "mp": "∓", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥",
    "neq": "≠", "ne": "≠", "approx": "≈", "equiv": "≡", "sim": "∼", "infty": "∞", "to": "→", "rightarrow": "→",
    "Rightarrow": "⇒", "implies": "⇒", "leftarrow": "←", "iff": "⇔", "sum": "∑", "prod": "∏", "int": "∫",
    "partial": "∂",
    "nabla": "∇", "in": "∈", "notin": "∉", "forall": "∀", "exists": "∃", "therefore": "∴", "propto": "∝", "cup": "∪",
    "cap": "∩", "subset": "⊂", "subseteq": "⊆", "emptyset": "∅", "neg": "¬", "land": "∧", "lor": "∨", "ldots": "…",
    "dots": "…", "cdots": "…", "degree": "°", "circ": "°", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ",
    "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ",
    "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "varphi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Pi": "Π",
    "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ll": "≪", "gg": "≫",
}  # fmt: skip
_SILENT: Final = re.compile(
    r"\\(?:left|right|big|Big|bigg|Bigg|displaystyle|limits|quad|qquad)(?![A-Za-z])|\\[,;!: ]|&(?==)|\\\\"
)
_ENVIRONMENT: Final = re.compile(
    r"\\begin\{((?:equation|align|gather|multline|eqnarray|displaymath|math)\*?)\}([^$]{1,400}?)\\end\{\1\}"
)
_BOUNDS: Final = r"_(?:\{([^{}]{1,40})\}|(\w))(?:\^(?:\{([^{}]{1,40})\}|(\w)))?"
_BOUNDED: Final = re.compile(rf"\\(sum|prod|int){_BOUNDS}")
_LIMIT: Final = re.compile(r"\\lim_\{([^{}]{1,40})\}")
_FRACTION: Final = re.compile(r"\\[dt]?frac\{([^{}]{1,60})\}\{([^{}]{1,60})\}")
_GIVEN: Final = re.compile(r"(?<=\([A-Za-z])[ ]?(?:\||\\mid(?![A-Za-z]))[ ]?(?=[A-Za-z,]{1,12}\))")  # P(A|B)
_ROOT: Final = re.compile(r"\\sqrt\{([^{}]{1,60})\}")
_TEXT: Final = re.compile(
    r"\\(?:text|mathrm|mathbf|mathit|mathbb|mathcal|operatorname|boxed|hat|bar|vec)\{([^{}]{0,80})\}"
)
_STYLED: Final = re.compile(r"\\(?:textbf|textit|emph|underline|texttt)\{([^{}]{0,80})\}")
_COMMAND: Final = re.compile(r"\\([A-Za-z]{1,16})(?![A-Za-z])")
_POWER: Final = re.compile(r"\^\{([^{}]{1,40})\}")
_BRACES: Final = re.compile(r"(?<!\\)[{}]|(?<=\w)_(?=[\w{])")


def read_formulas(text: MappedText) -> MappedText:
    """Take the marks off every formula and its commands to signs."""
    if "$" not in text.text and "\\" not in text.text:
        return text
    text = text.keep(_STYLED)
    length = len(text.text)
    text = text.keep(_DISPLAY)
    text = text.keep(_INLINE, accept=lambda found: _is_formula(found[1]))
    text = text.sub(_PARENTHESES, lambda found: found[1] or found[2])
    text = text.keep(_ENVIRONMENT, 2)
    if len(text.text) == length:
        return text
    text = text.sub(_GIVEN, " given ")
    text = text.sub(_ROOT, lambda found: f"√{found[1]}").sub(_FRACTION, _fraction)
    text = text.sub(_BOUNDED, _bounded).sub(_LIMIT, lambda found: f" limit as {found[1]} of ")
    text = text.keep(_TEXT)
    text = text.sub(_SILENT, " ")
    text = text.sub(_COMMAND, lambda found: f" {_COMMANDS.get(found[1], found[1])} ")
    text = text.sub(_POWER, lambda found: f"^{found[1]}" if found[1].isalnum() else f"^({found[1]})")
    return text.sub(_BRACES, " ")


def _is_formula(inside: str) -> bool:
    if re.search(r"\\[a-zA-Z]{2,}", inside):  # a command is no money
        return True
    return _MATHEMATICAL.search(inside) is not None and _WITH_MONEY.match(inside) is None


def _bounded(found: re.Match[str]) -> str:
    """A sum, product or integral with its ends."""
    name = {"sum": "sum", "prod": "product", "int": "integral"}[found[1]]
    first, last = found[2] or found[3], found[4] or found[5]
    ends = f" from {first} to {last}" if last else f" over {first}"
    return f" {name}{ends} of "


def _fraction(found: re.Match[str]) -> str:
    above, below = found[1].strip(), found[2].strip()
    return f" {above}/{below} " if above.isdecimal() and below.isdecimal() else f" {above} over {below} "
