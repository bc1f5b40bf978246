"""The native stream's own tests, against a cluster: the fixture is another, the tests are the same."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ray_cluster import RayCluster


def _module(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"on_a_cluster_{Path(path).stem}", Path(__file__).parents[1] / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


native = _module("transports/test_websocket.py")

test_the_first_message = native.test_the_first_message_publishes_voices_and_limits
test_the_subprotocol = native.test_the_versioned_subprotocol_is_chosen
test_sentences = native.test_a_text_is_spoken_sentence_by_sentence
test_single_characters = native.test_text_in_single_characters_sounds_the_same_as_in_one_piece
test_first_audio = native.test_the_first_audio_comes_before_the_text_is_complete
test_flush = native.test_flush_speaks_what_is_buffered_and_the_utterance_goes_on
test_word_times = native.test_word_times_come_with_the_chunk_that_holds_them
test_sample_rate = native.test_the_sample_rate_is_the_listeners_choice
test_model_as_voice = native.test_a_model_that_names_a_voice_speaks
test_utterances_in_order = native.test_several_utterances_are_spoken_in_order
test_nothing_to_say = native.test_nothing_to_say_is_done_without_a_sound
test_unknown_voice = native.test_an_unknown_voice_fails_its_utterance_and_the_next_one_speaks
test_basic_messages = native.test_a_client_that_only_knows_the_basic_messages_is_served


@pytest.fixture
def server(cluster: RayCluster) -> RayCluster:
    """In place of a server on this machine."""
    cluster.deploy(2)
    return cluster
