"""Tells a sentence that has collapsed into repetition from one that pauses or draws a vowel out.

An autoregressive voice sometimes falls into a loop and would babble or hum to its limit. Pure; called by
`model.py` after every token.
"""

from __future__ import annotations

from collections.abc import Sequence

LONGEST_RUN = 48  # the same token for 1.9 s; pauses inside a sentence are shorter
RUN_OF_A_SHORT_TEXT, RUN_SHARE = 32, 0.18  # or for 1.3 s, where that is much of what was said
LONGEST_PERIOD, PERIODIC_RUN = 8, 64  # a pattern of up to 8 tokens for 2.6 s
CROWD, CROWD_SHARE = 64, 0.55  # one token more than half of all, from 2.6 s on


def collapse_start(tokens: Sequence[int]) -> int | None:
    """Where the repetition at the end of `tokens` begins; None where there is none.

    Only what ends at the last token counts: it is asked after every token, so older ones were judged before.
    """
    run = _periodic_run(tokens, 1)
    if run >= LONGEST_RUN or (run >= RUN_OF_A_SHORT_TEXT and run >= RUN_SHARE * len(tokens)):
        return len(tokens) - run
    for period in range(2, LONGEST_PERIOD + 1):
        run = _periodic_run(tokens, period)
        if run >= PERIODIC_RUN:
            return len(tokens) - run
    if len(tokens) >= CROWD and tokens.count(tokens[-1]) >= CROWD_SHARE * len(tokens):
        return tokens.index(tokens[-1])
    return None


def _periodic_run(tokens: Sequence[int], period: int) -> int:
    """Length of the longest end of `tokens` that repeats itself every `period` tokens."""
    matches = 0
    for index in range(len(tokens) - 1, period - 1, -1):
        if tokens[index] != tokens[index - period]:
            break
        matches += 1
    return matches + period if matches else min(len(tokens), period)
