"""A voice that is to speak like somebody in a recording: blocking, and the same for every engine that can.

Called by `synthesizer.py` in a thread.
"""

from __future__ import annotations

import dataclasses
import logging

from vivavoce.engines.speech import CopyingEngine, SpokenClip
from vivavoce.errors import CannotCopy, EngineCrashed, VivaVoceError
from vivavoce.synthesis.speaker import ResolvedVoice
from vivavoce.synthesis.voice_library import LoadedVoice

logger = logging.getLogger(__name__)


def studied(voice: ResolvedVoice, loaded: LoadedVoice, clip: SpokenClip) -> ResolvedVoice:
    """The voice with what its engine has learned of the recording.

    Raises:
        CannotCopy: If its engine copies nobody.
        InvalidRequest, VoiceUnavailable: As `CopyingEngine.study`.
        EngineCrashed: If the engine raises what no engine should.
    """
    if not isinstance(loaded.engine, CopyingEngine):
        raise CannotCopy(voice.info.id)
    try:
        like = loaded.engine.study(loaded.voice, clip)
    except VivaVoceError:
        raise
    except Exception as error:
        logger.exception("a recording could not be studied for voice '%s'", voice.info.id)
        raise EngineCrashed("the engine failed on this recording; the log says why") from error
    return dataclasses.replace(voice, reference=None, like=like)
