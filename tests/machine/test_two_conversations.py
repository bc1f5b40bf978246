"""Two conversations on two cores: in simulated time, by the rules that workers and admission follow, nobody runs dry.

Costs are near those of a V2 voice and whisper-base on two cores, in seconds of one core; a step on all cores is taken
to be no quicker than on one. Everything is pure: the clock is a number.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import pytest

from vivavoce.machine.admission import Admission, Kind
from vivavoce.machine.scheduler import (
    WHEN_THERE_IS_ROOM,
    Candidate,
    Running,
    choose,
    deadline,
    detector_deadline,
    final_deadline,
)
from vivavoce.synthesis.playout_clock import PlayoutClock

WORKERS = 2
FRAME_S, DETECT_S = 0.032, 0.001
TOKEN_S, TOKENS_OF_A_CHUNK = 0.010, 12  # semantic tokens before a chunk of sound
SOUND_S, CHUNK_S = 0.09, 0.48  # a step of the vocoder, and the sound it makes
ENCODE_S, ENCODE_STEPS, WORD_S, WORDS = 0.045, 6, 0.012, 12
AHEAD_S = 1.5  # further than this nobody speaks ahead of his listener
VOICE, EAR, DETECTOR = Kind("genie", "v2"), Kind("whisper", "base"), Kind("detector", "speech", beside=True)
SPEECH_COST = (TOKEN_S * TOKENS_OF_A_CHUNK + SOUND_S) / CHUNK_S


@dataclass
class Conversation:
    """Somebody asks for `asks_s`, is answered for `answer_s`, and asks again at once, for ever."""

    number: int
    asks_s: float
    answer_s: float
    turn_s: float  # when the present question begins
    heard_to_s: float = 0.0  # frames of the detector that were looked at
    recognized: int | None = None  # steps done; None: nobody waits for words
    drafted_s: float = 0.0
    spoken_s: float | None = None  # sound of the present answer; None: it has not begun
    tokens: int = 0
    answer_due_s: float = 0.0
    clock: PlayoutClock = field(default_factory=PlayoutClock)
    gaps_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    answers: int = 0

    def candidates(self, now_s: float) -> list[Candidate]:
        found = []
        if self.heard_to_s + FRAME_S <= now_s:
            due_s = detector_deadline(self.heard_to_s + FRAME_S)
            found.append(Candidate(3 * self.number, "detector", 32, due_s, kind="detector"))
        asked_s = self.turn_s + self.asks_s
        if self.spoken_s is None and now_s >= asked_s:
            due_s = final_deadline(asked_s)
            kind = "encode" if (self.recognized or 0) < ENCODE_STEPS else "word"
            found.append(Candidate(3 * self.number + 1, ("ear", self.number), 1, due_s, kind=kind))
        elif self.spoken_s is None and now_s - max(self.drafted_s, self.turn_s) > 1.0:
            found.append(Candidate(3 * self.number + 1, ("glance", self.number), 1, WHEN_THERE_IS_ROOM, kind="encode"))
        if self.spoken_s is not None and self.spoken_s < self.answer_s:
            dry_s = self.clock.dry_at_s
            due_s = deadline(arrival_s=self.answer_due_s, first_audio_target_s=0.3, dry_at_s=dry_s)
            kind = "token" if self.tokens < TOKENS_OF_A_CHUNK else "sound"
            ready_s = dry_s - AHEAD_S if dry_s is not None else 0.0
            found.append(Candidate(3 * self.number + 2, ("voice", kind), 8, due_s, ready_s, kind=kind))
        return found

    def done(self, what: int, now_s: float) -> None:
        """A step of the detector, the ear or the voice is over."""
        if what == 0:
            self.heard_to_s += FRAME_S
        elif what == 1:
            self._understood(now_s)
        elif self.tokens < TOKENS_OF_A_CHUNK:
            self.tokens += 1
        else:
            self._sounded(now_s)

    def _understood(self, now_s: float) -> None:
        asked_s = self.turn_s + self.asks_s
        if now_s < asked_s:
            self.drafted_s = now_s
            return
        self.recognized = (self.recognized or 0) + 1
        if self.recognized == ENCODE_STEPS + WORDS:
            self.late_s.append(now_s - asked_s)
            self.recognized, self.spoken_s, self.answer_due_s, self.clock = None, 0.0, now_s, PlayoutClock()

    def _sounded(self, now_s: float) -> None:
        assert self.spoken_s is not None
        slack_s = self.clock.add(CHUNK_S, now_s)
        self.gaps_s += [-slack_s] if slack_s is not None and slack_s < 0 else []
        self.tokens, self.spoken_s = 0, self.spoken_s + CHUNK_S
        if self.spoken_s >= self.answer_s:
            assert self.clock.dry_at_s is not None
            self.turn_s, self.spoken_s, self.answers = self.clock.dry_at_s, None, self.answers + 1


LENGTHS: dict[Hashable, float] = {
    "detector": DETECT_S,
    "encode": ENCODE_S,
    "word": WORD_S,
    "token": TOKEN_S,
    "sound": SOUND_S,
}


def talk(conversations: list[Conversation], seconds: float) -> None:
    """Let the workers choose and compute, millisecond by millisecond."""
    running: list[tuple[float, tuple[int, ...], Running]] = []
    for tick in range(round(1000 * seconds)):
        now_s = tick / 1000
        for step in [each for each in running if each[0] <= now_s]:
            running.remove(step)
            for id in step[1]:
                conversations[id // 3].done(id % 3, now_s)
        busy = {id for _, ids, _ in running for id in ids}
        while len(running) < WORKERS:
            open_ones = [c for each in conversations for c in each.candidates(now_s) if c.id not in busy]
            choice = choose(open_ones, now_s, [step for *_, step in running], workers=WORKERS, step_s=LENGTHS)
            if not choice.ids:
                break
            busy |= set(choice.ids)
            length_s = LENGTHS[choice.kind] * (1 + 0.6 * (len(choice.ids) - 1))  # a batch shares the weights
            running.append((now_s + length_s, choice.ids, Running(choice.group, threads=choice.threads)))


@pytest.mark.parametrize("later_s", [0.0, 0.35, 1.1, 2.0, 2.9, 4.2])
def test_two_conversations_have_no_gap_in_their_sound(later_s: float) -> None:
    first, second = Conversation(0, 2.0, 5.0, 0.0), Conversation(1, 2.6, 4.3, later_s)
    talk([first, second], 40.0)
    for each in (first, second):
        assert each.answers >= 4
        assert each.gaps_s == []
        assert max(each.late_s) < 1.0


def test_a_machine_that_is_asked_for_more_has_gaps_and_admission_refuses_it() -> None:
    crowd = [Conversation(n, 1.0, 5.0, 0.3 * n) for n in range(6)]
    talk(crowd, 30.0)
    assert any(each.gaps_s for each in crowd), "the simulation would see one"
    books = Admission(cores=WORKERS, max_streams=100, max_streams_per_owner=100, first_audio_target_s=0.3)
    ear_cost = (ENCODE_S * ENCODE_STEPS + WORD_S * WORDS) / 1.0
    for kind, cost in ((VOICE, SPEECH_COST), (EAR, ear_cost), (DETECTOR, DETECT_S / FRAME_S)):
        books.measured(kind, cost, 1.0)
    admitted = 0
    while books.may_admit((VOICE, EAR, DETECTOR)):
        books.admit(f"owner {admitted}", (VOICE, EAR, DETECTOR))
        admitted += 1
    assert 2 <= admitted < 6
