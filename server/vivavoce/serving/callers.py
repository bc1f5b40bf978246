"""Who calls, for code that a framework runs between the gate and us: it gives no request along. Set by `gate.py`."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Of the request that the present task works for.

    Attributes:
        owner: whose things it makes and sees.
        client: whose share of what is bounded it takes.
    """

    owner: str = ""
    client: str = ""


NOBODY = Caller()
CALLER: ContextVar[Caller] = ContextVar("caller", default=NOBODY)
