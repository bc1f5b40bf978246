"""Session fixtures of the Genie tests: synthetic voices of the real size, built once and kept in the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthetic_genie_data import ReferenceClip, genie_data, reference_clip
from synthetic_voice import synthetic_voice


@pytest.fixture(scope="session")
def voice_v2() -> Path:
    """Folder of a V2 voice in Genie's form."""
    return synthetic_voice("v2")


@pytest.fixture(scope="session")
def voice_v2pp() -> Path:
    """Folder of a V2ProPlus voice in Genie's form."""
    return synthetic_voice("v2ProPlus")


@pytest.fixture(scope="session")
def genie_data_folder() -> Path:
    """GenieData with stand-in networks."""
    return genie_data()


@pytest.fixture(scope="session")
def clip() -> ReferenceClip:
    """A reference clip, its text and language."""
    return reference_clip()
