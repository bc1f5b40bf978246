"""ChatTTS's engine over a stand-in of the package: what is asked of it, how its chunks travel, what is told without
weights. The package itself brings torch and is not installed here; `tests/chattts` runs it, in an environment of its
own.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from vivavoce.config import Config
from vivavoce.engines.chattts import NEEDED, ChatTTSEngine, open_engine
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import GenerationFailed, UnknownVoice, UnspeakableText, VoiceUnavailable
from vivavoce.text.normalize import normalize


class Chat:
    """The package's class, as far as the engine knows it: three chunks of a level that the speaker tells."""

    asked: ClassVar[list[dict[str, Any]]] = []
    fails: ClassVar[bool] = False
    closed: ClassVar[int] = 0

    @dataclass
    class InferCodeParams:
        spk_emb: str
        stream_batch: int
        pass_first_n_batches: int
        max_new_token: int
        show_tqdm: bool
        temperature: float = 0.3
        top_P: float = 0.7
        top_K: int = 20
        repetition_penalty: float = 1.05

    def __init__(self, logger: logging.Logger) -> None:
        logger.critical("what it would say")

    def load(self, *, source: str, custom_path: str, compile: bool) -> bool:
        return source == "custom" and Path(custom_path).is_dir() and not compile

    def unload(self) -> None:
        Chat.closed += 1

    def sample_random_speaker(self) -> str:
        return f"speaker-{sys.modules['torch'].seed_now}"

    def infer(self, text: str, **asked: Any) -> Iterator[np.ndarray]:
        Chat.asked.append({"text": text, **asked})
        for _ in range(3):
            if Chat.fails:
                raise KeyError("a text of nobody else's business")
            yield np.full((1, 2400), 0.25, np.float64)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ChatTTSEngine:
    torch: Any = types.ModuleType("torch")
    torch.seed_now = None
    torch.manual_seed = lambda seed: setattr(torch, "seed_now", seed)
    torch.random = types.SimpleNamespace(fork_rng=contextlib.nullcontext)
    torch.get_num_threads = torch.set_num_threads = lambda *threads: 1
    package: Any = types.ModuleType("ChatTTS")
    package.Chat = Chat
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "ChatTTS", package)
    Chat.asked, Chat.fails, Chat.closed = [], False, 0
    for part in NEEDED:
        (tmp_path / part).mkdir(parents=True)
    return ChatTTSEngine(tmp_path)


def spoken(engine: ChatTTSEngine, text: str, **options: Any) -> list[Any]:
    voice = engine.load_voice("chattts")
    stream = engine.open(normalize(text), voice, SpeechOptions(**options))
    chunks = []
    while stream.stage != "done":
        chunks += [chunk for chunk in engine.step([stream], threads=1) if chunk is not None]
    return chunks


def test_its_own_chunks_are_streamed(engine: ChatTTSEngine) -> None:
    chunks = spoken(engine, "Three of them.", seed=7, temperature=0.5)
    assert [len(chunk.samples) for chunk in chunks] == [2400, 2400, 2400, 0]
    assert {chunk.samples.dtype for chunk in chunks} == {np.dtype(np.float32)}
    assert [word.text for word in chunks[-1].words] == ["Three", "of", "them."]
    asked = Chat.asked[0]
    assert (asked["text"], asked["stream"], asked["lang"]) == ("Three of them.", True, "en")
    parameters = asked["params_infer_code"]
    assert (parameters.spk_emb, parameters.temperature) == ("speaker-7", 0.5)


def test_a_seed_is_a_speaker(engine: ChatTTSEngine) -> None:
    assert "7" in engine.voices()[0].references
    spoken(engine, "Hello.", reference="7")
    spoken(engine, "Hello.", seed=9, reference="7")
    assert [asked["params_infer_code"].spk_emb for asked in Chat.asked] == ["speaker-7", "speaker-9"]


def test_a_speed_is_kept(engine: ChatTTSEngine) -> None:
    length = sum(len(chunk.samples) for chunk in spoken(engine, "Hello there.", speed=2.0))
    assert length == pytest.approx(3600, rel=0.1)


def test_a_sentence_may_be_left_at_any_time(engine: ChatTTSEngine) -> None:
    voice = engine.load_voice("chattts")
    stream = engine.open(normalize("Hello there."), voice, SpeechOptions())
    engine.step([stream], threads=1)
    stream.close()
    stream.close()
    assert stream.stage == "done"
    engine.unload_voice(voice)
    assert Chat.closed == 1


@pytest.mark.parametrize(
    ("text", "language", "asked"),
    [
        ("A café [laugh] costs 3.", "en", "A cafe laugh costs three."),
        ("我有3个[uv_break]苹果。", "zh", "我有三个"),
    ],
)
def test_what_the_package_would_drop_or_obey_is_written_out(
    engine: ChatTTSEngine, text: str, language: str, asked: str
) -> None:
    spoken(engine, text)
    assert Chat.asked[0]["lang"] == language
    assert Chat.asked[0]["text"].startswith(asked)
    assert not set("[]123") & set(Chat.asked[0]["text"])


def test_its_log_which_quotes_the_text_is_not_written(engine: ChatTTSEngine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        spoken(engine, "Hello.")
    assert "would say" not in caplog.text


def test_a_failure_is_told_without_the_text(engine: ChatTTSEngine) -> None:
    Chat.fails = True
    with pytest.raises(GenerationFailed) as failed:
        spoken(engine, "Hello.")
    assert "nobody else" not in failed.value.message


def test_other_languages_and_names_are_refused(engine: ChatTTSEngine) -> None:
    assert spoken(engine, "你好。")
    with pytest.raises(UnspeakableText):
        spoken(engine, "안녕하세요.")
    with pytest.raises(UnknownVoice):
        engine.load_voice("other")


def test_without_weights_it_says_what_is_missing(tmp_path: Path) -> None:
    engine = ChatTTSEngine(tmp_path)
    problem = engine.voices()[0].problem
    assert problem is not None
    assert "hf download 2Noise/ChatTTS" in problem
    assert str(tmp_path) not in problem
    with pytest.raises(VoiceUnavailable, match="CC BY-NC") as missing:
        engine.load_voice("chattts")
    assert missing.value.status == 503


def test_without_the_package_it_is_no_engine() -> None:
    with pytest.raises(ImportError, match="chattts"):
        open_engine(Config().voices)
