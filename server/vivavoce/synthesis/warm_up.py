"""What a voice says once after it was loaded, so that its cost is known before the first request.

Spoken behind everything live and heard by nobody. Used by `synthesizer.py`.
"""

from __future__ import annotations

from vivavoce.engines.speech import SpeechOptions
from vivavoce.synthesis.speaker import ResolvedVoice, SpeechRequest

# A short sentence in each language an engine here may speak: two seconds of speech, so that the cost is no guess.
SENTENCES = {
    "en": "The voice is here and ready to speak.",
    "zh": "你好，我已经准备好了。",
    "ja": "こんにちは、準備ができました。",
    "ko": "안녕하세요, 준비가 되었습니다.",
}


def warm_up_request(voice: ResolvedVoice) -> SpeechRequest:
    """A sentence in the voice's own language; in one that has none here, a number, which every voice can read."""
    language = voice.info.languages[0] if voice.info.languages else "en"
    text = SENTENCES.get(language, "12345")
    return SpeechRequest(voice=voice, text=text, options=SpeechOptions(seed=1), transport="warm-up")
