"""How a response of the Realtime protocol is spoken: who, how fast, in which sound. Called by `answers.py`."""

from __future__ import annotations

from typing import Final

from vivavoce.assistant.conversation_place import ConversationPlace
from vivavoce.assistant.mouth import Speech
from vivavoce.engines.speech import SpeechOptions
from vivavoce.protocols.realtime.audio_format import RATES_HZ, AudioFormat
from vivavoce.protocols.realtime.response import ResponseOptions
from vivavoce.speaking.sink import Carrier, SoundFormat
from vivavoce.synthesis.speaker import Speaker, SpeechRequest

ENCODERS: Final[dict[AudioFormat, str]] = {"audio/pcm": "pcm", "audio/pcmu": "pcmu", "audio/pcma": "pcma"}


def speech_for(
    options: ResponseOptions, speaker: Speaker, carrier: Carrier, owner: str, place: ConversationPlace | None
) -> Speech:
    """How a response with these options is spoken over this carrier.

    Args:
        owner: whose connection it is, for admission.
        place: of the conversation; what is read out aside is admitted by itself.
    """
    rate = carrier.sample_rate or RATES_HZ[options.output_format]
    paced = options.in_conversation  # what is read out aside is wanted as fast as it is made
    request = SpeechRequest(
        voice=options.voice,
        options=SpeechOptions(speed=options.speed),
        sample_rate=rate,
        paced=paced,
        owner=owner,
        transport=carrier.name,
    )
    format = SoundFormat(ENCODERS[options.output_format], rate, paced=paced)
    return Speech(speaker=speaker, carrier=carrier, request=request, format=format, place=place if paced else None)
