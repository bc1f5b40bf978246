"""What the benchmarks say: sentences of different lengths, and paragraphs that last as long as needed."""

from __future__ import annotations

from itertools import cycle, islice

SHORT = (
    "Yes, of course.",
    "I will be there in ten minutes.",
    "Thank you for waiting.",
    "The train leaves at half past nine.",
    "No, the other one, please.",
)
MEDIUM = (
    "The old lighthouse keeper climbed the stairs every evening, and every evening he counted them.",
    "If you turn left at the bakery, you will see a small bridge, and behind it the house with the green door.",
    "She had read the letter twice before she noticed that it was not addressed to her at all.",
    "Water boils at a lower temperature in the mountains, so the potatoes took almost an hour to cook.",
    "Nobody remembers who planted the first apple tree, but everybody in the village claims it was their grandfather.",
)
WORDS_PER_S = 2.7  # of an unhurried English voice


def sentences(count: int) -> list[str]:
    """Short and medium sentences in turn."""
    return list(islice(cycle([text for pair in zip(SHORT, MEDIUM, strict=True) for text in pair]), count))


def paragraph(duration_s: float, *, start: int = 0) -> str:
    """Sentences that last about this long, beginning with another one for each `start`."""
    chosen: list[str] = []
    pool = (*MEDIUM, *SHORT)
    while sum(len(text.split()) for text in chosen) < duration_s * WORDS_PER_S:
        chosen.append(pool[(start + len(chosen)) % len(pool)])
    return " ".join(chosen)
