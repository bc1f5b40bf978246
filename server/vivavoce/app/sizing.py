"""How many this machine carries: listeners without a gap, and conversations, found by trying. Used by `vivavoce bench`.

A listener plays as a player does: it begins with 80 ms of sound and holds up to 2 s. Nobody is refused while it is
measured: the question is where it breaks.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from vivavoce.app.services import Services
from vivavoce.audio.chunk import Samples
from vivavoce.errors import VivaVoceError
from vivavoce.recognition.listener import SAMPLE_RATE, HeardSegment, HearingRequest, ResolvedModel, SpeechStopped
from vivavoce.synthesis.playout_clock import PlayoutClock
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest
from vivavoce.synthesis.warm_up import SENTENCES

PREBUFFER_S = 0.08
HOLD_S = 2.0
GRAIN_S = 0.01  # a shorter gap is a task's turn, and no ear's
ARRIVE_WITHIN_S = 1.0
WORDS_WITHIN_S = 1.0  # after the end of speech, or a conversation drags
PIECE_S = 0.1  # of sound written at once
MOST = 256  # listeners that are tried


@dataclass(frozen=True, slots=True)
class Played:
    """What one listener met in a trial.

    Attributes:
        first_s: from its request to its first sound.
        gaps_s: how long each silence in mid-speech was.
    """

    first_s: float
    gaps_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Try:
    """So many at once, for some seconds.

    Attributes:
        words_s: from the end of each stretch of speech to its words, for those who were listened to.
        failed: streams that ended in an error.
    """

    count: int
    played: tuple[Played, ...] = ()
    words_s: tuple[float, ...] = ()
    failed: int = 0

    @property
    def holds(self) -> bool:
        """True where nobody failed, ran dry, or waited too long for words."""
        in_time = all(words_s <= WORDS_WITHIN_S for words_s in self.words_s)
        return not self.failed and in_time and not any(played.gaps_s for played in self.played)

    @property
    def first_s(self) -> float:
        """Until the first sound, p50."""
        return statistics.median(played.first_s for played in self.played) if self.played else 0.0


@dataclass(slots=True)
class Found:
    """The most that hold, and every try on the way."""

    most: int = 0
    tries: list[Try] = field(default_factory=list)

    @property
    def best(self) -> Try | None:
        """The try with the most that hold."""
        return next((each for each in self.tries if each.count == self.most), None)


async def find_most(attempt: Callable[[int], Awaitable[Try]], guess: int, until_s: float) -> Found:
    """The greatest number that holds: from a guess, by doubling and halving, as long as there is time.

    Args:
        until_s: on the monotonic clock; the try that runs then is the last.
    """
    found, fails_at = Found(), MOST + 1
    count = min(max(1, guess), MOST)
    while fails_at - found.most > 1 and not (found.tries and time.monotonic() >= until_s):
        tried = await attempt(count)
        found.tries.append(tried)
        if tried.holds:
            found.most = max(found.most, count)
        else:
            fails_at = min(fails_at, count)
        known_above = fails_at <= MOST
        count = (found.most + fails_at) // 2 if known_above else min(MOST, 2 * found.most)
    return found


async def cost_of(services: Services, voice: ResolvedVoice, text: str) -> float:
    """Seconds that one listener's second of speech takes with the machine to itself: 0.5 is twice as fast as heard."""
    sound_s, began_s = 0.0, time.monotonic()
    async with services.speaker.stream(SpeechRequest(voice=voice, text=text)) as spoken:
        async for chunk in spoken:
            sound_s += chunk.audio.duration_s
    return (time.monotonic() - began_s) / max(sound_s, 0.01)


async def try_listeners(services: Services, voice: ResolvedVoice, count: int, seconds: float) -> Try:
    """So many listeners, evenly arriving within a second, each for about `seconds` of speech."""
    results = await asyncio.gather(
        *(_listen(services, voice, count, number, seconds) for number in range(count)), return_exceptions=True
    )
    return Try(count, _played(results), failed=_failed(results))


async def try_conversations(
    services: Services, voice: ResolvedVoice, model: ResolvedModel, speech: Samples, count: int, seconds: float
) -> Try:
    """So many listeners and, at the same time, as many who speak and are understood while they do.

    Args:
        speech: float32 [n], 16 kHz: what they say.
    """
    playing = [_listen(services, voice, count, number, seconds) for number in range(count)]
    heard = [_hear(services, model, speech, count, number) for number in range(count)]
    played, words = await asyncio.gather(
        asyncio.gather(*playing, return_exceptions=True), asyncio.gather(*heard, return_exceptions=True)
    )
    found = tuple(words_s for each in words if isinstance(each, tuple) for words_s in each)
    return Try(count, _played(played), found, failed=_failed(played) + _failed(words))


async def recorded(services: Services, voice: ResolvedVoice, text: str) -> Samples:
    """A text in a voice, 16 kHz: something to be understood."""
    async with services.speaker.stream(SpeechRequest(voice=voice, text=text, sample_rate=SAMPLE_RATE)) as spoken:
        return np.concatenate([chunk.audio.samples async for chunk in spoken])


def text_of(voice: ResolvedVoice, seconds: float, number: int = 0) -> str:
    """About so many seconds of speech in the voice's own language; another text for each number."""
    language = voice.info.languages[0] if voice.info.languages else "en"
    sentence = SENTENCES.get(language, "12345")
    count = max(1, round(seconds / 2))
    return " ".join(f"{number + each + 1}. {sentence}" for each in range(count))


async def _listen(services: Services, voice: ResolvedVoice, count: int, number: int, seconds: float) -> Played:
    await asyncio.sleep(ARRIVE_WITHIN_S * number / count)
    clock, asked_s = PlayoutClock(), time.monotonic()
    first_s, held_s = None, 0.0
    gaps: list[float] = []
    request = SpeechRequest(voice=voice, text=text_of(voice, seconds, number), paced=True, ahead_s=HOLD_S)
    async with services.speaker.stream(request) as spoken:
        async for chunk in spoken:
            now_s = time.monotonic()
            if first_s is None:
                first_s = now_s - asked_s
            held_s += chunk.audio.duration_s
            if clock.since_s is None and held_s < PREBUFFER_S:
                continue
            slack_s = clock.add(held_s, now_s)
            held_s = 0.0
            if slack_s is not None and slack_s < -GRAIN_S:
                gaps.append(-slack_s)
    return Played(first_s or 0.0, tuple(gaps))


async def _hear(
    services: Services, model: ResolvedModel, speech: Samples, count: int, number: int
) -> tuple[float, ...]:
    """Somebody speaks in real time: for each stretch of speech, how long its words took."""
    await asyncio.sleep(ARRIVE_WITHIN_S * number / count)
    took: list[float] = []
    async with services.listener.listen(HearingRequest(model=model)) as hearing:

        async def speak() -> None:
            began_s, size = time.monotonic(), round(PIECE_S * SAMPLE_RATE)
            for at in range(0, len(speech), size):
                await asyncio.sleep(max(0.0, began_s + at / SAMPLE_RATE - time.monotonic()))
                hearing.write(speech[at : at + size])
            hearing.end()

        speaking = asyncio.create_task(speak())
        stopped: dict[int, float] = {}
        async for event in hearing:
            if isinstance(event, SpeechStopped):
                stopped[event.segment] = time.monotonic()
            elif isinstance(event, HeardSegment) and event.heard.is_final and event.segment in stopped:
                took.append(time.monotonic() - stopped[event.segment])
        await speaking
    return tuple(took)


def _played(results: Sequence[object]) -> tuple[Played, ...]:
    return tuple(each for each in results if isinstance(each, Played))


def _failed(results: Sequence[object]) -> int:
    for each in results:
        if isinstance(each, BaseException) and not isinstance(each, VivaVoceError):
            raise each
    return sum(isinstance(each, BaseException) for each in results)
