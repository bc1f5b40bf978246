"""A recording that comes with a wish to speak: the voice speaks like whoever is heard in it, this once.

Xinference's clients send it as `prompt_speech`, with what is said in it as `prompt_text`; without that the recognizer
of this machine listens, never one elsewhere. The recording is decoded like one to clone, in a process of its own, and
goes with the answer. One at a time, bounded in bytes, seconds and number, with a share for each owner. Called by
`speech_answers.py`.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from vivavoce.decoding.places import Places
from vivavoce.decoding.service import DecodingService
from vivavoce.engines.recognizer import HearingOptions
from vivavoce.engines.speech import SpokenClip
from vivavoce.errors import (
    CannotCopy,
    EngineTimeout,
    InvalidAudio,
    InvalidRequest,
    ModelUnavailable,
    UnknownModel,
    VoicePackError,
)
from vivavoce.languages import AUTO, language_code
from vivavoce.recognition.listener import SAMPLE_RATE, HearingRequest, Listener
from vivavoce.recognition.transcript import Transcript
from vivavoce.routes.forms import blocks_of
from vivavoce.routes.streamed import unless_gone
from vivavoce.synthesis.speaker import ResolvedVoice, VoiceKeeper
from vivavoce.voices.clip import REFERENCE_RULES, Clip, require_reference
from vivavoce.voices.references import LANGUAGES, MAX_TEXT, stated_language

RECORDING, TEXT, LANGUAGE = "prompt_speech", "prompt_text", "prompt_language"
AT_ONCE, WAITING, SHARE = 1, 8, 2  # a study takes a core for a second or two: of all, of those that wait, of one owner
TIMEOUT_S = 120.0  # with all waiting; a voice that was never prepared takes half a minute of it
PROMPT_FIELDS = {  # of the form, for the OpenAPI document
    RECORDING: {
        "type": "string",
        "format": "binary",
        "description": "3 to 10 seconds of somebody to speak like, with voices that copy.",
    },
    TEXT: {"type": "string", "maxLength": MAX_TEXT, "description": "What is said in it; left out: it is heard."},
    LANGUAGE: {"type": "string", "description": "Of that text; left out: it is guessed."},
}
_RULES = dataclasses.replace(REFERENCE_RULES, param=RECORDING)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A recording that a request sends along, to be spoken like.

    Attributes:
        recording: still open.
        text: what is said in it; None: to be heard.
        language: ISO 639-1 code of the text; None: to be guessed.
    """

    recording: UploadFile
    text: str | None
    language: str | None

    @classmethod
    def of(cls, form: FormData, fields: Mapping[str, Any]) -> Prompt | None:
        """The prompt of a form; None where it has none.

        Args:
            fields: of the form, with what stands in its `kwargs`.

        Raises:
            InvalidRequest: If there is another file than a recording, or the text is none.
        """
        refuse_written(fields)
        files = [(name, value) for name, value in form.multi_items() if not isinstance(value, str)]
        if not files:
            return None
        if stranger := next((name for name, _ in files if name != RECORDING), None):
            raise InvalidRequest(f"a voice takes one file, a recording as '{RECORDING}'", param=stranger[:64])
        if len(files) > 1:
            raise InvalidRequest("send one recording", param=RECORDING)
        text, language = _word(fields, TEXT), _word(fields, LANGUAGE)
        if text is not None and not (len(text) <= MAX_TEXT and text.isprintable()):
            raise InvalidRequest(f"{TEXT} may have {MAX_TEXT} plain characters", param=TEXT)
        if language is not None and (language := language_code(language)) == AUTO:
            language = None
        return cls(files[0][1], text, language)


def refuse_written(fields: Mapping[str, Any]) -> None:
    """A recording that is no file of a form: a path, an address, base64. In silence the voice would speak as itself.

    Raises:
        InvalidRequest: If there is one.
    """
    if name := next((name for name in (RECORDING, "prompt_latent") if fields.get(name)), None):
        raise InvalidRequest(f"send a recording as the file '{RECORDING}' of a form, and nothing else", param=name)


class PromptedVoices:
    """Reads the recordings that requests want to be spoken like.

    Args:
        keeper: whose voices can copy.
        listener: of this machine.
    """

    def __init__(self, keeper: VoiceKeeper, listener: Listener, decoding: DecodingService) -> None:
        self._keeper, self._listener, self._decoding = keeper, listener, decoding
        self._places = Places("recordings to speak like", AT_ONCE, WAITING, SHARE)
        self._reading: set[asyncio.Task[ResolvedVoice]] = set()

    async def like(self, prompt: Prompt, voice: ResolvedVoice, request: Request) -> ResolvedVoice:
        """The voice as it speaks like the recording.

        Raises:
            CannotCopy: If the voice speaks as itself only; nothing was read then.
            InvalidAudio, InvalidRequest: If the recording or its text cannot be used.
            VoiceUnavailable, ModelUnavailable: If the voice, or what listens, cannot be loaded.
            Overloaded, RateLimited: If too many are being read.
            EngineTimeout: If it takes too long.
            ClientGone: If the client left.
        """
        if not voice.info.copies:
            raise CannotCopy(voice.info.id)
        reading = asyncio.create_task(self._like(prompt, voice, request.state.client), name="prompted-voice")
        self._reading.add(reading)  # nobody waits for it when its time is over, but its place is taken until it ends
        reading.add_done_callback(self._reading.discard)
        return await unless_gone(request.receive, _in_time(reading))

    async def _like(self, prompt: Prompt, voice: ResolvedVoice, owner: str) -> ResolvedVoice:
        async with self._places.enter(owner):
            decoded = await self._decoding.decode(
                blocks_of(prompt.recording), owner=owner, sample_rate=None, rules=_RULES
            )
            clip = Clip(decoded.samples, decoded.sample_rate)
            await asyncio.to_thread(require_reference, clip, param=RECORDING)
            text, language = await self._said(prompt, clip, owner)
            return await self._keeper.study(voice, SpokenClip(clip.samples, clip.sample_rate, text, language))

    async def _said(self, prompt: Prompt, clip: Clip, owner: str) -> tuple[str, str]:
        """What is said in the recording, and its language."""
        if prompt.text is not None:
            return prompt.text, _language_of(prompt.text, prompt.language)
        try:
            model = await asyncio.to_thread(self._listener.choose, None)
            heard = await self._heard(clip, HearingRequest(model=model, options=_wish(prompt), owner=owner))
        except (UnknownModel, ModelUnavailable) as error:
            raise InvalidRequest(
                f"say what is said in the recording as '{TEXT}': nothing here can listen to it ({error.message})",
                param=TEXT,
            ) from error
        text = " ".join(heard.text.split())
        if not text:
            raise InvalidAudio("nothing is said in the recording", param=RECORDING)
        if (spoken := heard.spoken_language) not in LANGUAGES:
            raise InvalidAudio(
                f"the recording is in '{spoken}'; a voice speaks like one in {', '.join(LANGUAGES)}", param=RECORDING
            )
        return text[:MAX_TEXT], _language_of(text, spoken)

    async def _heard(self, clip: Clip, request: HearingRequest) -> Transcript:
        sound = clip.samples
        if clip.sample_rate != SAMPLE_RATE:
            sound = await asyncio.to_thread(soxr.resample, clip.samples, clip.sample_rate, SAMPLE_RATE)
        async with self._listener.transcribe([np.asarray(sound, np.float32)], request) as segments:
            found = [segment async for segment in segments]
        return Transcript.of("transcribe", clip.duration_s, found)


async def _in_time(reading: asyncio.Task[ResolvedVoice]) -> ResolvedVoice:
    try:
        await asyncio.wait({reading}, timeout=TIMEOUT_S)
        if not reading.done():
            raise EngineTimeout(f"the recording was not read within {TIMEOUT_S:.0f} s")
        return reading.result()
    finally:
        reading.cancel()


def _wish(prompt: Prompt) -> HearingOptions:
    return HearingOptions(language=prompt.language)


def _language_of(text: str, stated: str | None) -> str:
    try:
        return stated_language(stated, text, "the recording")
    except VoicePackError as error:
        raise InvalidRequest(error.message, param=LANGUAGE) from error


def _word(fields: Mapping[str, Any], name: str) -> str | None:
    """A field as one line of text; None where it is absent or blank."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be text", param=name)
    return " ".join(value.split()) or None
