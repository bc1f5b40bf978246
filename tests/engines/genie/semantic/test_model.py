"""Sentences that share passes over the weights speak as if they were alone; each ends as it should."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from vivavoce.engines.genie.preparing.compile import CompiledVoice
from vivavoce.engines.genie.semantic.key_value_cache import PLACE_BYTES
from vivavoce.engines.genie.semantic.model import MAX_TOKENS, SemanticModel, SemanticPrompt, SemanticState
from vivavoce.engines.genie.semantic.sampling import Sampler, SamplingOptions
from vivavoce.engines.genie.shape import END_OF_SPEECH, MIN_TOKENS
from vivavoce.errors import GenerationFailed, Overloaded


@pytest.fixture(scope="module", params=["kernel", "graph"])
def model(compiled: CompiledVoice, request: pytest.FixtureRequest) -> SemanticModel:
    """Both ways of computing a step."""
    return opened(compiled, native=request.param == "kernel")


@pytest.fixture(autouse=True)
def _no_row_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "model" in request.fixturenames:
        model = request.getfixturevalue("model")
        assert model.open_rows == 0
        assert model.memory_bytes == 0


def opened(compiled: CompiledVoice, *, native: bool) -> SemanticModel:
    if native and compiled.kernel is None:
        pytest.skip("this processor cannot run the native step")
    kernel = compiled.kernel if native else None
    return SemanticModel(compiled.semantic / "prefill.onnx", compiled.step / "step.onnx", kernel, threads=2, rows=4)


def prompt(seed: int, reference: int = 12, target: int = 12, tokens: int = 24) -> SemanticPrompt:
    """The synthetic voice ends at 2 tokens a phoneme, those of the prompt counted: here after about 2 * target."""
    rng = np.random.default_rng(seed)
    count = reference + target
    return SemanticPrompt(
        phonemes=rng.integers(0, 732, (1, count)),
        bert=np.zeros((count, 1024), np.float32),
        tokens=rng.integers(0, 1024, (1, tokens)),
        reference_phonemes=reference,
    )


def alone(model: SemanticModel, one: SemanticPrompt, seed: int) -> SemanticState:
    state = model.begin(one, SamplingOptions(), seed)
    model.prefill(state)
    while state.ended is None:
        model.step([state])
    return state


# -- ends --------------------------------------------------------------------------------------------------------


def test_a_sentence_ends_by_itself(model: SemanticModel) -> None:
    state = alone(model, prompt(1), 7)
    assert state.ended == "spoken"
    assert 18 <= len(state.tokens) <= 30
    assert END_OF_SPEECH not in state.tokens
    assert all(0 <= token < 1024 for token in state.tokens)


def test_end_of_speech_cannot_come_before_token_11(model: SemanticModel) -> None:
    """The case in which Genie replays its reference: the model would end at once, `y[:, -0:]` is everything."""
    hasty = prompt(2, reference=8, target=2, tokens=40)
    logits, _ = model.read(hasty)
    assert logits.argmax() == END_OF_SPEECH, "control: without the guard the first token would be the end"
    for seed in range(3):
        state = alone(model, hasty, seed)
        assert (state.ended, len(state.tokens)) == ("spoken", MIN_TOKENS)
        assert state.tokens != hasty.tokens[0, -MIN_TOKENS:].tolist()


def test_the_first_token_is_kept_and_nothing_is_appended(model: SemanticModel) -> None:
    """Genie drops the first two tokens of a sentence and ends it with a token 0 that nobody drew."""
    drawn: list[int] = []

    class Recording(Sampler):
        def draw(self, logits: NDArray[np.float32], *, forbidden: int | None = None) -> tuple[int, int]:
            token, likeliest = super().draw(logits, forbidden=forbidden)
            drawn.append(END_OF_SPEECH if END_OF_SPEECH in (token, likeliest) else token)
            return token, likeliest

    one = prompt(3)
    state = model.begin(one, SamplingOptions(), 5)
    state.sampler = Recording(SamplingOptions(), 5, one.tokens[0])
    model.prefill(state)
    while state.ended is None:
        model.step([state])
    assert drawn[-1] == END_OF_SPEECH
    assert state.tokens == drawn[:-1]


def test_a_sentence_without_end_is_cut_by_its_text(model: SemanticModel) -> None:
    state = model.begin(prompt(4), SamplingOptions(), 1)
    assert state.limit == 50 + 2 * 2 * 12
    state.limit = 15
    model.prefill(state)
    while state.ended is None:
        model.step([state])
    assert (state.ended, len(state.tokens)) == ("limit", 15)


def test_the_limit_follows_text_and_pace() -> None:
    assert prompt(0, target=5).token_limit < prompt(0, target=50).token_limit
    slow = prompt(0, reference=10, target=10, tokens=45)
    assert slow.token_limit > prompt(0, reference=10, target=10, tokens=20).token_limit
    assert prompt(0, reference=1, target=700, tokens=250).token_limit == MAX_TOKENS


class Stuck(Sampler):
    """Says one thing until it is told to speak."""

    stuck = True

    def draw(self, logits: NDArray[np.float32], *, forbidden: int | None = None) -> tuple[int, int]:
        token, likeliest = super().draw(logits, forbidden=forbidden)
        return (486, 486) if self.stuck else (token, likeliest)


def test_a_collapse_is_taken_back_once(model: SemanticModel) -> None:
    one = prompt(5)
    state = model.begin(one, SamplingOptions(), 1)
    state.sampler = stuck = Stuck(SamplingOptions(), 1, one.tokens[0])
    model.prefill(state)
    places = state.length
    while not state.retried:
        model.step([state])
    assert state.tokens == [486]
    assert state.length == places
    stuck.stuck = False
    while state.ended is None:
        model.step([state])
    assert state.ended == "spoken"
    assert state.tokens.count(486) < 5


def test_a_second_collapse_ends_the_sentence(model: SemanticModel) -> None:
    one = prompt(6)
    state = model.begin(one, SamplingOptions(), 1)
    state.sampler = Stuck(SamplingOptions(), 1, one.tokens[0])
    state.committed = 0
    model.prefill(state)
    while state.ended is None:
        model.step([state])
    assert (state.ended, state.tokens) == ("collapse", [486])


def test_what_was_heard_is_not_taken_back(model: SemanticModel) -> None:
    one = prompt(7)
    state = model.begin(one, SamplingOptions(), 1)
    state.sampler = Stuck(SamplingOptions(), 1, one.tokens[0])
    model.prefill(state)
    while not state.retried:
        state.committed = min(20, len(state.tokens))
        model.step([state])
    assert len(state.tokens) == 20
    model.close(state)


# -- company -----------------------------------------------------------------------------------------------------


def test_the_same_seed_says_the_same(model: SemanticModel) -> None:
    first, second, other = (alone(model, prompt(8), seed) for seed in (1, 1, 2))
    assert first.tokens == second.tokens
    assert first.tokens != other.tokens


@pytest.mark.parametrize("schedule", [1, 2])
def test_sentences_that_come_and_go_speak_as_if_alone(model: SemanticModel, schedule: int) -> None:
    """Joined, left waiting, swapped and moved between rows at random: every token is the one it says alone."""
    prompts = [prompt(20 + i, reference=8 + 5 * i, target=10 + 2 * i, tokens=16 + 9 * i) for i in range(5)]
    expected = [alone(model, one, seed).tokens for seed, one in enumerate(prompts)]
    chance = random.Random(schedule)
    waiting = [model.begin(one, SamplingOptions(), seed) for seed, one in enumerate(prompts)]
    everyone = list(waiting)
    running: list[SemanticState] = []
    while waiting or running:
        if waiting and len(running) < 4 and chance.random() < 0.3:
            running.append(waiting.pop(chance.randrange(len(waiting))))
            model.prefill(running[-1])
        if running:
            model.step(chance.sample(running, chance.randint(1, len(running))))
        running = [state for state in running if state.ended is None]
    assert [state.tokens for state in everyone] == expected


def test_an_eager_sentence_takes_part_in_the_passes_of_others(model: SemanticModel) -> None:
    prompts = [prompt(25), prompt(26, target=16), prompt(27)]
    expected = [alone(model, one, seed).tokens for seed, one in enumerate(prompts)]
    asked, eager, other = (
        model.begin(one, SamplingOptions(), seed, eager=seed == 1) for seed, one in enumerate(prompts)
    )
    for state in (asked, eager, other):
        model.prefill(state)
    model.step([asked])
    assert [len(state.tokens) for state in (asked, eager, other)] == [2, 2, 1], "control: the third is not eager"
    model.step([asked, eager])
    assert len(eager.tokens) == 3, "asked for and eager: one token, not two"
    while other.ended is None:
        model.step([other])
    assert asked.ended is None
    while eager.ended is None:
        model.step([eager])
    said = len(eager.tokens)
    model.step([eager])
    assert len(eager.tokens) == said, "its owner could not know yet that it has ended"
    while asked.ended is None:
        model.step([asked, eager])
    assert [asked.tokens, eager.tokens, other.tokens] == expected


def test_between_passes_nothing_is_drawn(model: SemanticModel) -> None:
    states = [model.begin(prompt(28 + i), SamplingOptions(), i, eager=True) for i in range(2)]
    for state in states:
        model.prefill(state)
    worker = threading.Thread(target=model.step, args=(states[:1],))
    with model.between_passes():
        worker.start()
        worker.join(0.2)
        assert worker.is_alive()
        assert [len(state.tokens) for state in states] == [1, 1]
    worker.join()
    assert [len(state.tokens) for state in states] == [2, 2]
    for state in states:
        model.close(state)


def test_logits_do_not_depend_on_company_to_the_last_bit(model: SemanticModel) -> None:
    states = [model.begin(prompt(30 + i, tokens=20 + 10 * i), SamplingOptions(), i) for i in range(4)]
    for state in states:
        model.prefill(state)
    together = model.forward(states).copy()
    for state, expected in zip(states, together, strict=True):
        np.testing.assert_array_equal(model.forward([state])[0], expected)
        model.close(state)


def test_a_row_that_always_waits_gives_its_place_up(compiled: CompiledVoice) -> None:
    """A graph runs over the first rows: the one that runs moves there; both go on as if nothing had happened."""
    model = opened(compiled, native=False)
    prompts = [prompt(40), prompt(41)]
    expected = [alone(model, one, seed).tokens for seed, one in enumerate(prompts)]
    idle, busy = (model.begin(one, SamplingOptions(), seed) for seed, one in enumerate(prompts))
    model.prefill(idle)
    model.prefill(busy)
    for _ in range(17):
        model.step([busy])
    assert (busy.row, idle.row) == (0, 1)
    for state in (busy, idle):
        while state.ended is None:
            model.step([state])
    assert [idle.tokens, busy.tokens] == expected
    assert model.open_rows == 0


def test_rows_are_counted_and_given_back(model: SemanticModel) -> None:
    states = [model.begin(prompt(50 + i), SamplingOptions(), i) for i in range(5)]
    for state in states[:4]:
        model.prefill(state)
    assert model.memory_bytes == 4 * (12 + 12 + 24) * PLACE_BYTES
    with pytest.raises(Overloaded):
        model.prefill(states[4])
    model.close(states[0])
    model.close(states[0])
    model.prefill(states[4])
    for state in states:
        model.close(state)
        assert state.ended == "closed"


def test_a_sentence_beyond_the_positions_is_refused(model: SemanticModel) -> None:
    with pytest.raises(GenerationFailed, match="3000 phonemes"):
        model.prefill(model.begin(prompt(60, reference=0, target=3000, tokens=0), SamplingOptions(), 0))
