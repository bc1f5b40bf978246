"""Tests of the routes and of the native stream, against a cluster: the fixture is another, the tests are the same."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from openai import OpenAI

from ray_cluster import RayCluster

KEY = "correct-horse-battery"  # of the SDK's tests


def _module(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"on_a_cluster_{Path(path).stem}", Path(__file__).parents[1] / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


TESTS = {
    "transports/test_websocket.py": """
        test_the_first_message_publishes_voices_and_limits test_the_versioned_subprotocol_is_chosen
        test_a_text_is_spoken_sentence_by_sentence test_text_in_single_characters_sounds_the_same_as_in_one_piece
        test_the_first_audio_comes_before_the_text_is_complete
        test_flush_speaks_what_is_buffered_and_the_utterance_goes_on
        test_word_times_come_with_the_chunk_that_holds_them test_the_sample_rate_is_the_listeners_choice
        test_a_model_that_names_a_voice_speaks test_several_utterances_are_spoken_in_order
        test_nothing_to_say_is_done_without_a_sound test_an_unknown_voice_fails_its_utterance_and_the_next_one_speaks
        test_a_client_that_only_knows_the_basic_messages_is_served
    """,
    "routes/test_transcriptions.py": """
        test_json_is_the_default test_each_format_has_its_type test_segments_words_or_both
        test_words_have_the_times_of_the_recording test_a_stream_of_events test_silence_is_no_words
        test_where_a_recording_is_cut test_hugging_faces_clients test_refusals
    """,
    "routes/test_captions.py": """
        test_speech_becomes_words_with_times test_bare_samples_of_any_rate test_a_telephones_samples
        test_what_is_no_container_fails_alone test_a_flush_ends_the_segment_at_once test_an_unknown_model_and_language
    """,
    "routes/test_realtime.py": """
        test_a_transcription_session_is_one
    """,
    # Last: with keys the Doors are others.
    "routes/test_openai_sdk.py": """
        test_speech_streams_in_every_format test_the_plain_call_and_the_file test_events_carry_usage
        test_a_wrong_key_is_an_authentication_error test_an_unknown_voice_is_not_found
    """,
}
for path, names in TESTS.items():
    taken = _module(path)
    globals().update({f"{name}_on_a_cluster": getattr(taken, name) for name in names.split()})


@pytest.fixture
def server(cluster: RayCluster, request: pytest.FixtureRequest) -> RayCluster:
    """In place of a server on this machine."""
    needs_key = "client" in request.fixturenames or "wrong_key" in request.node.name
    keys: dict[str, Any] = {"api_keys": (KEY,)} if needs_key else {}
    cluster.deploy(2, **keys)
    return cluster


@pytest.fixture
def client(server: RayCluster) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.url + "/v1", api_key=KEY, max_retries=0) as client:
        yield client
