"""How long work tells how far it is: `progress(what, fraction)`, the fraction from 0 to 1."""

from collections.abc import Callable

Progress = Callable[[str, float], None]
