"""What a client wants of a recording, checked against what this server can: before anything is decoded. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vivavoce.engines.recognizer import HearingOptions, Task
from vivavoce.errors import UnsupportedLanguage
from vivavoce.recognition.listener import ResolvedModel
from vivavoce.routes.transcription_body import TranscriptionBody
from vivavoce.routes.uploads import Upload
from vivavoce.translation.plan import check_details, planned
from vivavoce.translation.translator import Translator


@dataclass(frozen=True, slots=True)
class Wish:
    """A request that was read and checked.

    Attributes:
        options: for the recognizer.
        language: of the text, where it is not simply the one that is spoken.
        translator: writes it; None: the recognizer's words are it.
    """

    task: Task
    body: TranscriptionBody
    model: ResolvedModel
    upload: Upload
    owner: str
    options: HearingOptions
    language: str | None = None
    translator: Translator | None = None


def wish_of(
    task: Task,
    body: TranscriptionBody,
    model: ResolvedModel,
    upload: Upload,
    owner: str,
    translators: Sequence[Translator],
) -> Wish:
    """What is to be done. May look at the disk.

    Raises:
        UnsupportedLanguage, InvalidRequest: If it cannot be.
    """
    info, options = model.info, body.options
    unknown = {code for code in (options.language, *options.languages) if code and code not in info.languages}
    if unknown:
        known = ", ".join(info.languages)
        raise UnsupportedLanguage(
            f"model '{info.id}' does not understand {', '.join(sorted(unknown))}; it knows: {known}"
        )
    if task == "transcribe":
        if body.to_language != "en":
            raise UnsupportedLanguage(
                "a transcription is in the language that is spoken; to_language belongs to /v1/audio/translations",
                param="to_language",
            )
        return Wish(task, body, model, upload, owner, replace(options, as_it_comes=body.stream))
    plan = planned(info, options, body.to_language, translators)
    words = "return_timestamps" if body.chunks == "word" else None
    words = "timestamp_granularities" if "word" in body.granularities else words
    check_details(plan, words=words, logprobs="include" if body.logprobs else None)
    options = replace(plan.options, as_it_comes=body.stream and plan.translator is None)
    return Wish(task, body, model, upload, owner, options, plan.target, plan.translator)
