"""Session fixtures of the Genie tests: synthetic voices of the real size, built once and kept in the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthetic_genie_data import ReferenceClip, genie_data, reference_clip, voice_library
from synthetic_voice import cache_root, synthetic_voice
from vivavoce.engines.genie.engine import GenieEngine
from vivavoce.engines.genie.preparing.compile import CompiledVoice, compile_voice
from vivavoce.engines.genie.preparing.source import VoiceSource
from vivavoce.engines.genie.reading.genie_data import GenieData
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd
from vivavoce.engines.genie.voice import GenieVoice
from vivavoce.voices.store import VoiceDirectory, VoiceStore


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


@pytest.fixture(scope="session")
def graph_cache() -> Path:
    """Cache of compiled voices, kept between runs: its keys change with whatever a graph depends on."""
    return cache_root() / "compiled"


@pytest.fixture(scope="session")
def compiled(voice_v2pp: Path, graph_cache: Path) -> CompiledVoice:
    """The V2ProPlus voice, compiled with 8-bit steps beside the fp32 ones."""
    source = VoiceSource.read(voice_v2pp)
    compile_voice(source, graph_cache / "graphs", precision="int8")
    return compile_voice(source, graph_cache / "graphs")


@pytest.fixture(scope="session")
def engine(genie_data_folder: Path, graph_cache: Path) -> GenieEngine:
    """An engine over the voices alpha (V2ProPlus) and beta (V2)."""
    store = VoiceStore([VoiceDirectory(voice_library())])
    return GenieEngine(store, PhonemeFrontEnd(GenieData(genie_data_folder)), graph_cache, threads=2)


@pytest.fixture(scope="session")
def alpha(engine: GenieEngine) -> GenieVoice:
    """A loaded V2ProPlus voice."""
    return engine.load_voice("alpha")


@pytest.fixture(scope="session")
def beta(engine: GenieEngine) -> GenieVoice:
    """A loaded V2 voice with another reference clip."""
    return engine.load_voice("beta")
