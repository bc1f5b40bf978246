"""The assistant's mouth: text that is still being written becomes sound at the carrier, and is remembered word by word.

Speech begins when there is text, not before: nothing is admitted that has no work. Where the client takes nothing of
it, the conversation's place is given to others until it does. One mouth speaks one reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from vivavoce.assistant.conversation_place import ConversationPlace
from vivavoce.assistant.heard import SpokenText
from vivavoce.errors import TextTooLong
from vivavoce.speaking.sink import Carrier, Sink, SoundFormat, SpokenChunk
from vivavoce.synthesis.speaker import Speaker, SpeechRequest, Spoken

_PIECE: Final = 400  # characters handed on at once: what the speech does not take yet waits here
_ABOUT_NOW_S: Final = 0.7
_SAYING: Final = 160  # characters: some ten seconds


class Told(Protocol):
    """Whoever tells the client what a reply says. A response of the Realtime protocol is one."""

    def say(self, delta: str) -> None:
        """Words, when their sound goes out, or where there is none."""
        ...

    def sound(self, data: bytes) -> None:
        """Encoded sound, where it travels among the messages."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How a reply is to be spoken: by whom, how fast, in which format.

    Attributes:
        request: who speaks, and how fast; without a text.
        format: of the sound.
        place: of the conversation, taken when the reply has words; None: it is admitted by itself.
    """

    speaker: Speaker
    carrier: Carrier
    request: SpeechRequest
    format: SoundFormat
    place: ConversationPlace | None = None


class Mouth:
    """Speaks one reply: text in as it is thought, sound out to the connection's sink.

    Args:
        told: hears of words and sound in step with what goes out.
        goes_out: called whenever something was told.
        all_sent: returns when the client was sent everything: the brake on a slow reader.
        sounds: told of every chunk that goes out, after its words.

    Attributes:
        text: what was spoken, with the times of its words.
    """

    def __init__(
        self,
        speech: Speech,
        told: Told,
        goes_out: Callable[[], None],
        all_sent: Callable[[], Awaitable[None]],
        sounds: Callable[[SpokenChunk], None] = lambda chunk: None,
    ) -> None:
        self.text = SpokenText()
        self._speech = speech
        self._told = told
        self._goes_out = goes_out
        self._wait_until_sent = all_sent
        self._sounds = sounds
        self._waiting = ""
        self._written: list[str] = []
        self._ended = False
        self._spoken: Spoken | None = None
        self._sink: Sink | None = None
        self._flush_wanted = False

    # -- text in

    def write(self, delta: str) -> None:
        """More text, of any size."""
        self._waiting += delta
        self._written.append(delta)
        self._feed()

    def flush(self) -> None:
        """Speak what is there; more may come."""
        self._flush_wanted = True
        self._feed()

    def end(self) -> None:
        """The reply's text is complete: speak what is left of it."""
        self._ended = True
        self._feed()

    def _feed(self) -> None:
        """Hand on as much as the speech takes."""
        if self._spoken is None:
            return
        while self._waiting:
            try:
                self._spoken.write(self._waiting[:_PIECE])
            except TextTooLong:
                return  # tried again with the next chunk
            self._waiting = self._waiting[_PIECE:]
        if self._flush_wanted:
            self._flush_wanted = False
            self._spoken.flush()
        if self._ended:
            self._spoken.end()

    # -- sound out

    async def speak(self) -> None:
        """Speak until the text has ended and its sound has left.

        Raises:
            VivaVoceError: If it cannot be spoken, or no further.
        """
        speech = self._speech
        place = await speech.place.take() if speech.place is not None else None
        async with speech.speaker.stream(speech.request, place) as spoken:
            self._spoken = spoken
            self._sink = speech.carrier.open_sink(self, speech.format)
            self._feed()
            async for chunk in spoken:
                self._feed()
                await self._send(self._sink, chunk)
            await self._sink.finish()
        self._tell_unspoken()

    async def _send(self, sink: Sink, chunk: SpokenChunk) -> None:
        """Hand a chunk to the sink, and hold no place while nobody takes it and all before it was heard."""
        place = self._speech.place
        if place is None:
            await sink.send(chunk)
            return
        sending = asyncio.ensure_future(sink.send(chunk))
        try:
            while not (await asyncio.wait([sending], timeout=place.unread_s))[0]:
                if self.left_s <= 0:
                    await place.leave()
            sending.result()
        finally:
            if not sending.done():
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        if not place.is_held:
            await place.take()

    @property
    def has_begun(self) -> bool:
        """Whether any of it went out."""
        return self.text.duration_s > 0.0

    @property
    def position_s(self) -> float:
        """How much of it was heard, in seconds."""
        return self._sink.position_s if self._sink is not None else 0.0

    @property
    def left_s(self) -> float:
        """Sound that went out and is still to be heard."""
        return self._sink.sent_s - self._sink.position_s if self._sink is not None else 0.0

    def heard(self) -> str:
        """The text that was heard."""
        return self.text.heard(self.position_s)

    def unheard(self) -> str:
        """What was written and not heard."""
        return "".join(self._written)[len(self.heard()) :]

    def saying(self) -> str:
        """What sounds about now: the last words that were heard, and the next."""
        return self.text.heard(self.position_s + _ABOUT_NOW_S)[-_SAYING:]

    def stop(self) -> None:
        """Be silent at once."""
        if self._sink is not None:
            self._sink.stop()

    def _tell_unspoken(self) -> None:
        """Words at the end that have no sound, an emoji or a rule, are told all the same."""
        written = "".join(self._written)
        if written.startswith(self.text.text) and (rest := written[len(self.text.text) :]).strip():
            self.text.add(rest, (), self.text.duration_s)
            self._told.say(rest)
            self._goes_out()

    # -- what its sink tells: see `Teller`

    def tell_chunk(self, chunk: SpokenChunk, *, format: str, sample_rate: int) -> None:
        """This chunk's sound goes out now: the words of the sentence it begins are told with it."""
        begun = chunk.sentence.text if chunk.begins_sentence else ""
        self.text.add(begun, chunk.audio.words, chunk.start_s + chunk.audio.duration_s)
        self._told.say(begun)
        self._sounds(chunk)
        self._goes_out()

    def send_audio(self, payload: bytes) -> None:
        """Encoded sound goes to the client, where sound travels among the messages."""
        self._told.sound(payload)
        self._goes_out()

    def end_sentence(self) -> None:
        """A sentence's sound was sent; nobody is told."""

    async def all_sent(self) -> None:
        """Returns when the client was sent everything it is due."""
        await self._wait_until_sent()
