"""A few hundred tampered recordings: sound or a refusal, nothing else. `make fuzz-uploads` tries more of them."""

from __future__ import annotations

import pytest

from upload_fuzzer import cases, run


@pytest.mark.parametrize("seed", [1])
async def test_tampered_recordings(seed: int) -> None:
    report = await run(500, seed)
    assert report.faults == []
    assert report.decoded + report.refused == 500
    assert report.decoded > 100, "tampering leaves some of them whole"
    assert report.refused > 100


def test_the_same_seed_gives_the_same_cases() -> None:
    assert list(cases(150, 3)) == list(cases(150, 3))
