"""Reference clips: what is heard, what is kept, what is refused."""

from __future__ import annotations

import logging
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import soundfile
import soxr

from synthetic_genie_data import ReferenceClip, write_clip
from synthetic_voice import Version, synthetic_voice
from vits_original import GE_V2, NOISE, compiled_vits, original
from vivavoce.engines.genie.preparing.weights import PackWeights, with_weights
from vivavoce.engines.genie.reading.genie_data import GenieData
from vivavoce.engines.genie.reference import Reference, ReferenceReader
from vivavoce.errors import InvalidAudio, VoiceUnavailable
from vivavoce.voices.clip import decode_clip

Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def reader(data: Path, version: Version = "v2", cache: Path | None = None) -> ReferenceReader:
    graphs = compiled_vits(version)
    return ReferenceReader(GenieData(data), graphs / "timbre.onnx", graphs / "prompt.onnx", version, "weights-1", cache)


def same(one: Reference, other: Reference) -> bool:
    return (
        np.array_equal(one.prompt_tokens, other.prompt_tokens)
        and np.array_equal(one.ge, other.ge)
        and np.array_equal(one.ge_advanced, other.ge_advanced)
    )


def run(
    model: Path | bytes, feeds: dict[str, Array | np.ndarray[tuple[int, ...], np.dtype[np.int64]]], wanted: str
) -> Array:
    source = str(model) if isinstance(model, Path) else model
    result: Array = ort.InferenceSession(source, providers=["CPUExecutionProvider"]).run([wanted], feeds)[0]
    return result


def filled(graph: Path, blob: Path) -> bytes:
    model: bytes = with_weights(PackWeights(graph, blob)).SerializeToString()
    return model


@pytest.mark.parametrize("version", ["v2", "v2ProPlus"])
def test_a_clip_is_heard_as_genie_hears_it(version: Version, genie_data_folder: Path, clip: ReferenceClip) -> None:
    """Genie's steps, by its own graphs: silence after the clip, HuBERT, tokens, speaker vector, timbre."""
    sound, rate = soundfile.read(clip.path, dtype="float32")
    assert rate == 32_000
    sound = np.concatenate([sound, np.zeros(9600, np.float32)])
    listening = soxr.resample(sound, 32_000, 16_000, quality="hq")[np.newaxis]
    data, voice = GenieData(genie_data_folder), synthetic_voice(version)
    features = run(filled(data.hubert, data.hubert_weights), {"input_values": listening}, "ssl_content")
    encoder = filled(voice / "t2s_encoder_fp32.onnx", voice / "t2s_encoder_fp32.bin")
    text = {"ref_seq": np.ones((1, 3), np.int64), "text_seq": np.ones((1, 3), np.int64)}
    bert = {"ref_bert": np.zeros((3, 1024), np.float32), "text_bert": np.zeros((3, 1024), np.float32)}
    prompts = run(encoder, {**text, **bert, "ssl_content": features}, "prompts")

    heard = reader(genie_data_folder, version).read([clip.path], clip.text, clip.language)

    assert heard.prompt_tokens.dtype == np.int64
    assert heard.prompt_tokens.shape == (1, 107)  # 4.3 s at 25 a second
    assert len(np.unique(heard.prompt_tokens)) > 10, "tokens that hardly vary would equal anything"
    assert np.array_equal(heard.prompt_tokens, prompts)
    assert (heard.text, heard.language) == (clip.text, clip.language)
    if version == "v2":
        feeds = {"text_seq": np.ones((1, 2), np.int64), "pred_semantic": np.ones((1, 1, 1), np.int64)}
        feeds |= {NOISE: np.zeros((1, 192, 2), np.float32), "ref_audio": sound[np.newaxis]}
        assert np.array_equal(heard.ge, original("v2").run([GE_V2], feeds)[0])
        assert np.array_equal(heard.ge_advanced, heard.ge)
    else:
        vector = run(data.speaker_encoder, {"waveform": listening}, "embedding")
        timbre = filled(voice / "prompt_encoder_fp32.onnx", voice / "prompt_encoder_fp16.bin")
        both = {"ref_audio": sound[np.newaxis], "sv_emb": vector}
        assert np.array_equal(heard.ge, run(timbre, both, "ge"))
        assert np.array_equal(heard.ge_advanced, run(timbre, both, "ge_advanced"))


def test_another_rate_and_two_channels_are_the_same_speaker(
    genie_data_folder: Path, clip: ReferenceClip, tmp_path: Path
) -> None:
    sound, rate = soundfile.read(clip.path, dtype="float32")
    stereo = np.repeat(soxr.resample(sound, rate, 48_000, quality="HQ")[:, np.newaxis], 2, axis=1)
    soundfile.write(tmp_path / "stereo.flac", stereo, 48_000)
    one, other = (reader(genie_data_folder).read([path], "", "ja") for path in (clip.path, tmp_path / "stereo.flac"))
    assert np.allclose(one.ge, other.ge, atol=0.02)
    assert abs(one.prompt_tokens.shape[1] - other.prompt_tokens.shape[1]) <= 1


def test_timbre_of_several_clips_is_their_mean(genie_data_folder: Path, clip: ReferenceClip, tmp_path: Path) -> None:
    write_clip(tmp_path / "second.wav", seed=5)
    paths = [clip.path, tmp_path / "second.wav"]
    one, two = (reader(genie_data_folder).read([path], "", "ja") for path in paths)
    both = reader(genie_data_folder).read(paths, "", "ja")
    assert np.array_equal(both.prompt_tokens, one.prompt_tokens)
    assert np.allclose(both.ge, (one.ge + two.ge) / 2, atol=1e-6)
    assert not np.allclose(one.ge, two.ge, atol=1e-3)


# -- the cache ---------------------------------------------------------------------------------------------------


def test_a_kept_reference_needs_no_network(genie_data_folder: Path, clip: ReferenceClip, tmp_path: Path) -> None:
    first = reader(genie_data_folder, cache=tmp_path).read([clip.path], clip.text, "ja")
    without_data = reader(tmp_path / "nowhere", cache=tmp_path)
    assert same(without_data.read([clip.path], clip.text, "ja"), first)
    assert len(list(tmp_path.iterdir())) == 1, "no half-written file stays"


def test_whatever_changes_is_heard_anew(genie_data_folder: Path, clip: ReferenceClip, tmp_path: Path) -> None:
    reader(genie_data_folder, cache=tmp_path).read([clip.path], "text", "ja")
    other_clip = tmp_path / "other.wav"
    write_clip(other_clip, seed=9)
    without_data = reader(tmp_path / "nowhere", cache=tmp_path)
    for changed, path, text, language in (
        (without_data, clip.path, "another text", "ja"),
        (without_data, clip.path, "text", "en"),
        (without_data, other_clip, "text", "ja"),
        (replace(without_data, voice_key="weights-2"), clip.path, "text", "ja"),
        (replace(without_data, version="v2ProPlus"), clip.path, "text", "ja"),
    ):
        with pytest.raises(VoiceUnavailable, match="vivavoce voices pull"):
            changed.read([path], text, language)


@pytest.mark.parametrize("damage", ["truncated", "empty", "pickle"])
def test_a_damaged_file_in_the_cache_is_made_again(
    damage: str, genie_data_folder: Path, clip: ReferenceClip, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = reader(genie_data_folder, cache=tmp_path).read([clip.path], "", "ja")
    (kept,) = tmp_path.iterdir()
    if damage == "pickle":
        np.savez(kept, prompt_tokens=np.array([Path], object), ge=first.ge, ge_advanced=first.ge_advanced)
    else:
        kept.write_bytes(kept.read_bytes()[:100] if damage == "truncated" else b"")

    again = reader(genie_data_folder, cache=tmp_path).read([clip.path], "", "ja")

    assert same(again, first)
    assert "damaged" in caplog.text
    caplog.clear()
    assert same(reader(tmp_path / "nowhere", cache=tmp_path).read([clip.path], "", "ja"), first)
    assert caplog.text == ""


# -- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "warned"), [(2.0, True), (3.0, False), (10.0, False), (11.0, True)])
def test_a_clip_of_unusual_length_is_taken_with_a_warning(
    seconds: float, warned: bool, genie_data_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_clip(tmp_path / "clip.wav", seconds=seconds)
    with caplog.at_level(logging.WARNING):
        reader(genie_data_folder).read([tmp_path / "clip.wav"], "", "en")
    assert ("between 3 and 10 s" in caplog.text) is warned


@pytest.mark.parametrize(("seconds", "reason"), [(0.5, "lasts 0.5 s"), (61.0, "longer than 60 s")])
def test_a_clip_far_too_short_or_long_is_refused(
    seconds: float, reason: str, genie_data_folder: Path, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "clip.wav", 0.1 * np.ones(int(seconds * 8000), np.float32), 8000)
    with pytest.raises(InvalidAudio, match=reason):
        reader(genie_data_folder).read([tmp_path / "clip.wav"], "", "en")


def test_a_silent_clip_is_refused(genie_data_folder: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", np.zeros(160_000, np.float32), 32_000)
    with pytest.raises(InvalidAudio, match=r"'clip\.wav' is silent"):
        reader(genie_data_folder).read([tmp_path / "clip.wav"], "", "en")


def test_a_missing_or_damaged_network_names_the_command(
    genie_data_folder: Path, clip: ReferenceClip, tmp_path: Path
) -> None:
    for path in genie_data_folder.rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(genie_data_folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    data = GenieData(tmp_path)
    weights = data.hubert_weights.read_bytes()
    data.speaker_encoder.unlink()
    with pytest.raises(
        VoiceUnavailable, match=r"'speaker_encoder\.onnx' is missing; get it with `vivavoce voices pull"
    ):
        reader(tmp_path, "v2ProPlus").read([clip.path], "", "ja")
    data.hubert_weights.unlink()
    data.hubert_weights.write_bytes(weights[:-1000])
    with pytest.raises(VoiceUnavailable, match="get it again with `vivavoce voices pull"):
        reader(tmp_path).read([clip.path], "", "ja")


def test_a_clip_in_memory_is_read_alike_and_not_kept(
    genie_data_folder: Path, clip: ReferenceClip, tmp_path: Path
) -> None:
    reading = reader(genie_data_folder, cache=tmp_path)
    heard = reading.listen(decode_clip(clip.path), clip.text, clip.language)
    assert not list(tmp_path.iterdir())
    assert same(heard, reading.read([clip.path], clip.text, clip.language))
    assert same(heard, pickle.loads(pickle.dumps(heard)))
