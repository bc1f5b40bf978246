"""Committed latent frames: frozen, drawn by frame index, and in the end what one shot would give."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic_voice import Version
from vits_original import Sentence, compiled_vits, graph_vocoder
from vivavoce.engines.genie.reference import Reference
from vivavoce.engines.genie.shape import FLOW_CONTEXT_FRAMES
from vivavoce.engines.genie.sound.latent import FrameNoise, LatentStream
from vivavoce.engines.genie.sound.vits_model import VitsModel

VERSIONS: tuple[Version, ...] = ("v2", "v2ProPlus")
Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@cache
def model(version: Version) -> VitsModel:
    return VitsModel.open(compiled_vits(version), threads=2)


def stream(sentence: Sentence, **options: Any) -> LatentStream:
    reference = Reference(np.zeros((1, 1), np.int64), sentence.ge, sentence.ge_advanced, "", "en")
    return LatentStream(model(sentence.version), sentence.phonemes, reference, **{"seed": 7, **options})


def commit_all(latent: LatentStream, tokens: list[int], sizes: list[int]) -> Array:
    """Everything, in pieces of `sizes` and the rest, all tokens known."""
    out = [latent.commit(tokens, size, final=True) for size in sizes]
    rest = latent.available(len(tokens), final=True)
    return np.concatenate([*out, latent.commit(tokens, rest, final=True)], axis=2)


# -- noise -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 300), st.integers(0, 100), st.integers(-(2**70), 2**70))
@settings(max_examples=40, deadline=None)
def test_noise_belongs_to_the_frame(start: int, length: int, seed: int) -> None:
    whole = FrameNoise(seed)[0:400]
    piece = FrameNoise(seed)[start : start + length]
    assert piece.shape == (1, 192, length)
    assert np.array_equal(piece, whole[:, :, start : start + length])


def test_noise_is_normal_and_differs_by_seed_and_frame() -> None:
    drawn = FrameNoise(1)[0:500]
    assert abs(float(drawn.mean())) < 0.02
    assert abs(float(drawn.std()) - 1) < 0.02
    assert abs(float(np.corrcoef(drawn[0, :, 0], drawn[0, :, 64])[0, 1])) < 0.3
    assert not np.array_equal(drawn, FrameNoise(2)[0:500])


# -- what is committed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_all_at_once_is_what_the_original_makes_of_the_same_noise(version: Version) -> None:
    sentence = Sentence(version)
    wanted, latent = sentence.speak(FrameNoise(7)[0:24])

    committed = stream(sentence).commit(sentence.tokens, 24, final=True)

    assert np.array_equal(committed, latent)
    vocoder = graph_vocoder(version)
    samples, _ = vocoder.decode(committed, vocoder.start(stream(sentence).speaker.decoder), flush=True)
    assert np.max(np.abs(samples - wanted)) < 1e-5


def test_pieces_with_every_token_known_are_the_whole() -> None:
    sentence = Sentence("v2", tokens=50)
    whole = stream(sentence).commit(sentence.tokens, 100, final=True)
    for sizes in ([1, 1, 10], [40, 33], [99]):
        pieces = commit_all(stream(sentence), sentence.tokens, sizes)
        assert np.max(np.abs(pieces - whole)) < 1e-5


def test_the_flow_reaches_no_further_than_its_context() -> None:
    """Were the context shorter, pieces would differ: this shows the test above can fail."""
    sentence = Sentence("v2", tokens=50)
    latent = stream(sentence)
    first = latent.commit(sentence.tokens, 60, final=True)
    assert latent.past_z_p.shape[2] == FLOW_CONTEXT_FRAMES
    latent.past_z_p = latent.past_z_p[:, :, -8:]
    rest = latent.commit(sentence.tokens, 40, final=True)
    whole = stream(sentence).commit(sentence.tokens, 100, final=True)
    assert np.max(np.abs(np.concatenate([first, rest], axis=2) - whole)) > 1e-5


@pytest.mark.parametrize("version", VERSIONS)
def test_streamed_sound_is_the_decoder_on_the_committed_latent(version: Version) -> None:
    sentence = Sentence(version, tokens=24)
    latent = stream(sentence)
    vocoder = graph_vocoder(version)
    state = vocoder.start(latent.speaker.decoder)
    frames, sound = [], []
    for n_tokens in (14, 18, 21, 24):
        final = n_tokens == 24
        count = latent.available(n_tokens, final=final)
        frames.append(latent.commit(sentence.tokens[:n_tokens], count, final=final))
        samples, state = vocoder.decode(frames[-1], state, flush=final)
        sound.append(samples)

    committed, streamed = np.concatenate(frames, axis=2), np.concatenate(sound)
    wanted, _ = vocoder.decode(committed, vocoder.start(latent.speaker.decoder), flush=True)

    assert committed.shape == (1, 192, 48)
    assert streamed.shape == wanted.shape == (48 * 640,)
    assert np.max(np.abs(streamed - wanted)) < 1e-5
    one_shot = stream(sentence).commit(sentence.tokens, 48, final=True)
    assert np.max(np.abs(committed - one_shot)) > 1e-5, "early frames knew less: freezing them must show"


def test_same_seed_same_latent_and_other_seed_another() -> None:
    sentence = Sentence("v2")
    one, same = (stream(sentence).commit(sentence.tokens, 24, final=True) for _ in range(2))
    other = stream(sentence, seed=8).commit(sentence.tokens, 24, final=True)
    assert np.array_equal(one, same)
    assert np.max(np.abs(one - other)) > 0.1


def test_two_streams_interleaved_equal_each_alone() -> None:
    one, two = Sentence("v2", seed=1), Sentence("v2", seed=2)
    alone = [commit_all(stream(sentence), sentence.tokens, [10]) for sentence in (one, two)]
    streams = [stream(one), stream(two)]
    mixed = [[latent.commit(s.tokens, 10, final=True)] for latent, s in zip(streams, (one, two), strict=True)]
    for index, sentence in enumerate((one, two)):
        mixed[index].append(streams[index].commit(sentence.tokens, 14, final=True))
    assert all(
        np.array_equal(np.concatenate(pieces, axis=2), whole) for pieces, whole in zip(mixed, alone, strict=True)
    )


# -- how much may be committed -----------------------------------------------------------------------------------


def test_look_ahead_is_held_back_until_the_end() -> None:
    latent = stream(Sentence("v2"), lookahead_frames=8)
    assert [latent.available(tokens, final=False) for tokens in (0, 3, 4, 5, 15)] == [0, 0, 0, 2, 22]
    assert latent.available(15, final=True) == 30


def test_more_than_is_certain_is_refused() -> None:
    sentence = Sentence("v2")
    latent = stream(sentence)
    with pytest.raises(ValueError, match="17 frames cannot be committed; available: 16"):
        latent.commit(sentence.tokens, 17)
    with pytest.raises(ValueError, match="cannot be committed"):
        latent.commit(sentence.tokens, 0)
    with pytest.raises(ValueError, match=r"0\.\.1023"):
        latent.commit([*sentence.tokens[:-1], 1024], 10)
    assert latent.committed == 0


@pytest.mark.parametrize("speed", [0.2, 4.5, float("nan")])
def test_speed_has_limits(speed: float) -> None:
    with pytest.raises(ValueError, match=r"between 0\.25 and 4"):
        stream(Sentence("v2"), speed=speed)


def test_no_phonemes_no_stream() -> None:
    sentence = Sentence("v2")
    sentence.phonemes = sentence.phonemes[:, :0]
    with pytest.raises(ValueError, match="at least 1"):
        stream(sentence)


# -- speed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("speed", "frames"), [(0.25, 96), (0.5, 48), (0.8, 30), (1.0, 24), (1.7, 15), (2.0, 12), (4.0, 6)]
)
def test_speed_changes_the_number_of_frames(speed: float, frames: int) -> None:
    sentence = Sentence("v2")
    latent = stream(sentence, speed=speed)
    assert latent.total_frames(12) == frames
    assert commit_all(latent, sentence.tokens, [1]).shape == (1, 192, frames)


@pytest.mark.parametrize("speed", [0.25, 0.8, 1.0, 1.3, 4.0])
def test_frames_of_an_unfinished_sentence_read_nothing_that_may_change(speed: float) -> None:
    """Frame j reads the front at (j + 0.5) * speed - 0.5; the look-ahead must lie behind that."""
    latent = stream(Sentence("v2"), speed=speed, lookahead_frames=8)
    for tokens in range(40):
        last = latent.available(tokens, final=False) - 1
        held = 8 * max(1.0, speed)
        assert last < 0 or (last + 0.5) * speed - 0.5 <= 2 * tokens - 1 - held + 1e-6
        assert (last + 1.5) * speed - 0.5 > 2 * tokens - 1 - held - 1e-6, "one more would have been safe"
    counts = [latent.available(tokens, final=False) for tokens in range(40)]
    assert counts == sorted(counts)
    assert all(latent.available(tokens, final=True) >= count for tokens, count in enumerate(counts))


def test_half_speed_without_noise_is_the_mean_interpolated() -> None:
    """By numpy's own interpolation, on the frozen latent before the flow."""
    sentence = Sentence("v2")
    latent = stream(sentence, speed=0.5, noise_scale=0.0)
    latent.commit(sentence.tokens, latent.available(12, final=True), final=True)
    row = np.asarray(sentence.tokens).reshape(1, 1, -1)
    voice = model("v2")
    mean = voice.plan(row, voice.read(sentence.phonemes), sentence.ge_advanced).m_p[0]
    position = (np.arange(48) + 0.5) * 0.5 - 0.5
    wanted = np.stack([np.interp(position, np.arange(24), channel) for channel in mean])
    assert np.allclose(latent.past_z_p[0], wanted[:, -FLOW_CONTEXT_FRAMES:], atol=1e-5)
