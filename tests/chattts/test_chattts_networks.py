"""The engine over the package `chattts` itself, with its own networks built small: only their sizes are ours.

What random weights say is no speech. What is shown: the files are read as the package reads them, chunks are the whole
sound in order, a sentence may be left between two of them, a seed is a speaker and a sound, and the server streams it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ChatTTS
import httpx
import numpy as np
import pytest
import soundfile

from live_server import LiveServer, live_server
from small_chattts import build, small_chat
from vivavoce.audio.chunk import Samples
from vivavoce.config import Config
from vivavoce.engines import chattts
from vivavoce.engines.chattts import (
    AHEAD_TOKENS,
    STREAM_TOKENS,
    TOKEN_SAMPLES,
    ChatTTSEngine,
    ChatTTSStream,
    ChatTTSVoice,
    open_engine,
)
from vivavoce.engines.registry import open_engines
from vivavoce.engines.speech import SpeechOptions
from vivavoce.errors import EmptyInput, VoiceUnavailable
from vivavoce.text.normalize import normalize

HELD = AHEAD_TOKENS // STREAM_TOKENS
LONG = "the quick brown fox jumps over the lazy dog, and then it sleeps all day."


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("data") / "chattts"
    return folder, build(folder)


@pytest.fixture
def engine(weights: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> ChatTTSEngine:
    monkeypatch.setattr(ChatTTS, "Chat", small_chat(weights[1]))
    monkeypatch.setattr(chattts, "MAX_TOKENS", 160)  # random weights may never come to an end
    return ChatTTSEngine(weights[0])


@pytest.fixture
def voice(engine: ChatTTSEngine) -> ChatTTSVoice:
    return engine.load_voice("chattts")


def begun(engine: ChatTTSEngine, voice: ChatTTSVoice, text: str = LONG, **options: Any) -> ChatTTSStream:
    return engine.open(normalize(text), voice, SpeechOptions(**options))


def chunks(engine: ChatTTSEngine, stream: ChatTTSStream) -> Iterator[Samples]:
    while stream.stage != "done":
        for chunk in engine.step([stream], threads=1):
            if chunk is not None:
                yield chunk.samples


def sound(engine: ChatTTSEngine, voice: ChatTTSVoice, text: str = LONG, **options: Any) -> Samples:
    return np.concatenate([*chunks(engine, begun(engine, voice, text, **options))])


def test_the_chunks_are_the_whole_sound_in_order(
    engine: ChatTTSEngine, voice: ChatTTSVoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent early is what the package decodes in the end, of all tokens at once."""
    wholes: list[Samples] = []
    decode = voice.chat._decode_to_wavs

    def noted(*arguments: Any) -> Any:
        wholes.append(decode(*arguments))
        return wholes[-1]

    monkeypatch.setattr(voice.chat, "_decode_to_wavs", noted)
    for seed in range(1, 20):  # random weights end where they like: take a sentence that lasts
        parts = [*chunks(engine, begun(engine, voice, seed=seed))]
        if len(parts) > 8:
            break
    assert {len(part) for part in parts[:-3]} == {STREAM_TOKENS * TOKEN_SAMPLES}
    whole, early = wholes[-1][0], np.concatenate(parts[:-3])
    assert len(wholes[HELD][0]) < len(whole), "it was heard before it was made"
    assert float(np.abs(whole).max()) > 1e-3
    np.testing.assert_allclose(early, whole[: len(early)], atol=1e-4 * float(np.abs(whole).max()))
    tail = whole[len(early) :]
    heard = np.concatenate(parts[-3:])  # with all that was kept back; the package leaves silence out of the end
    assert len(tail[np.abs(tail) > 1e-4]) <= len(heard) <= len(tail)


def test_a_seed_is_a_speaker_and_a_sound(engine: ChatTTSEngine, voice: ChatTTSVoice) -> None:
    first = sound(engine, voice, seed=7)
    assert np.array_equal(first, sound(engine, voice, seed=7))
    assert np.array_equal(first, sound(engine, voice, reference="7"))
    other = sound(engine, voice, seed=8)
    assert len(other) != len(first) or not np.allclose(other, first)
    assert voice.speakers[7] != voice.speakers[8]
    assert not np.array_equal(sound(engine, voice), sound(engine, voice)), "without a seed, chance"


def test_two_sentences_in_turns_sound_as_they_do_alone(engine: ChatTTSEngine, voice: ChatTTSVoice) -> None:
    alone = [sound(engine, voice, seed=seed) for seed in (3, 4)]
    streams = [begun(engine, voice, seed=seed) for seed in (3, 4)]
    together: list[list[Samples]] = [[], []]
    while any(stream.stage != "done" for stream in streams):
        for stream, heard in zip(streams, together, strict=True):
            if stream.stage != "done":
                heard += [chunk.samples for chunk in engine.step([stream], threads=1) if chunk is not None]
    for one, heard in zip(alone, together, strict=True):
        assert np.array_equal(one, np.concatenate(heard))


def test_a_sentence_is_left_between_two_chunks(engine: ChatTTSEngine, voice: ChatTTSVoice) -> None:
    expected = sound(engine, voice, seed=3)
    for steps in (1, HELD + 2):
        stream = begun(engine, voice, seed=5)
        for _ in range(steps):
            engine.step([stream], threads=1)
        stream.close()
        stream.close()
        assert engine.step([stream], threads=1) == [None]
    assert np.array_equal(expected, sound(engine, voice, seed=3)), "nothing of it is left behind"


def test_no_word_of_the_text_is_logged(
    engine: ChatTTSEngine, voice: ChatTTSVoice, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        sound(engine, voice, "你好 xylophone #&。", seed=1)
    printed = capfd.readouterr()
    assert not [word for word in ("xylophone", "#", "你好") if word in caplog.text + printed.out + printed.err]


def test_what_it_cannot_read_is_empty(engine: ChatTTSEngine, voice: ChatTTSVoice) -> None:
    with pytest.raises(EmptyInput):
        begun(engine, voice, "。。。")
    assert len(sound(engine, voice, "你好，30%。", seed=1))


def test_its_memory_is_counted_and_given_back(engine: ChatTTSEngine, voice: ChatTTSVoice) -> None:
    assert 500_000 < voice.memory_bytes < 10_000_000
    engine.unload_voice(voice)
    assert not hasattr(voice.chat, "gpt")
    assert len(sound(engine, engine.load_voice("chattts"), seed=1))


def test_damaged_weights_are_refused(
    weights: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hashes = build(tmp_path / "chattts")
    monkeypatch.setattr(ChatTTS, "Chat", small_chat(hashes))
    file = tmp_path / "chattts" / "asset" / "Decoder.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with pytest.raises(VoiceUnavailable, match="damaged"):
        ChatTTSEngine(tmp_path / "chattts").load_voice("chattts")


def test_without_weights_it_is_listed_with_what_is_missing(tmp_path: Path) -> None:
    engine = open_engine(Config(data_dir=tmp_path).voices)
    (listed,) = engine.voices()
    assert listed.problem is not None
    with live_server([engine], preload=False) as server:
        refused = ask(server, "Hello.")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "voice_unavailable")
        assert "hf download 2Noise/ChatTTS" in refused.text


def test_the_server_streams_it(
    weights: tuple[Path, dict[str, str]], engine: ChatTTSEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(data_dir=weights[0].parent, engines=("chattts",))
    (opened,) = open_engines(config.voices)
    with live_server([opened], preload=False) as server:
        first = ask(server, LONG, voice="7")
        assert first.status_code == 200, first.text
        samples, rate = soundfile.read(io.BytesIO(first.content))
        assert (rate, len(samples) > 10 * TOKEN_SAMPLES, bool(np.abs(samples).max() > 1e-3)) == (24_000, True, True)
        assert ask(server, LONG, voice="7").content == first.content
        assert ask(server, LONG, voice="8").content != first.content


def ask(server: LiveServer, text: str, **fields: str) -> httpx.Response:
    """As Xinference's clients ask for ChatTTS."""
    wish = {"model": "ChatTTS", "input": text, "response_format": "wav", **fields}
    return httpx.post(f"{server.url}/v1/audio/speech", params={"sizes": "exact"}, json=wish, timeout=110)
