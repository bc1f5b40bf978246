"""GPT-SoVITS voices as a speech engine.

A sentence becomes phonemes when it is opened (`phonemes.py`), then semantic tokens, one a step and many sentences in
one pass (`model.py`), then latent frames as soon as enough is certain (`latent.py`), then samples (`vocoder.py`).
`sentence.py` holds a sentence's state and knows what comes next; this module groups, opens and advances them.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vivavoce.audio.chunk import AudioChunk
from vivavoce.config import VoiceSettings, available_cores
from vivavoce.engines.genie.preparing.compile import Precision
from vivavoce.engines.genie.reading.genie_data import genie_data_dir
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd
from vivavoce.engines.genie.reading.spoken_runs import unread_runs
from vivavoce.engines.genie.reading.words import SentenceWords
from vivavoce.engines.genie.semantic.model import Positions
from vivavoce.engines.genie.semantic.sampling import SamplingOptions
from vivavoce.engines.genie.sentence import GenieSentence
from vivavoce.engines.genie.shape import SAMPLE_RATE_HZ
from vivavoce.engines.genie.sound.chunking import POLICY
from vivavoce.engines.genie.sound.latent import LatentStream
from vivavoce.engines.genie.voice import GenieVoice, SpokenReference
from vivavoce.engines.genie.voice_loader import VoiceLoader
from vivavoce.engines.speech import SentenceStream, SpeechOptions, SpokenClip, Voice, VoiceInfo
from vivavoce.errors import Overloaded, UnspeakableText, VoiceUnavailable
from vivavoce.progress import Progress
from vivavoce.text.latin import in_known_scripts, merged
from vivavoce.text.mapped import MappedText
from vivavoce.text.normalize import SpokenText
from vivavoce.voices.clip import Clip
from vivavoce.voices.store import VoiceStore, open_store

if TYPE_CHECKING:
    from vivavoce.voices.pack import VoicePack

logger = logging.getLogger(__name__)

MAX_BATCH = 16
MAX_THREADS = 4  # of one step; more gain nothing on matrices of this size
NATIVE_SPEED = (0.25, 4.0)
LANGUAGES = ("ja", "en", "zh", "ko")
LOOK_AGAIN_S = 5.0  # for data of a language that was missing


class GenieEngine:
    """Speaks with the GPT-SoVITS voices of a store.

    Args:
        store: the voices on disk.
        front_end: text to phonemes.
        cache: folder of compiled voices and references.
        precision: of the step's weights; "int8" takes less memory and is slightly less exact.
        positions: "trained" counts as the models were trained, "genie" as Genie's graphs do.
        threads: the most that a step takes of what it is given; 0: all cores, at most 4.
    """

    name = "genie"
    sample_rate = SAMPLE_RATE_HZ
    max_batch = MAX_BATCH

    def __init__(
        self,
        store: VoiceStore,
        front_end: PhonemeFrontEnd,
        cache: Path,
        *,
        precision: Precision = "fp32",
        positions: Positions = "trained",
        threads: int = 0,
    ) -> None:
        self._store, self._front_end = store, front_end
        self._problems: Mapping[str, str] | None = None
        self._problems_s = 0.0
        self._loader = VoiceLoader(
            front_end, cache, precision, positions, threads or min(MAX_THREADS, available_cores()), MAX_BATCH
        )
        self.voices()  # reads the packs now, in whatever thread makes the engine, and not when a server first asks

    # -- voices ------------------------------------------------------------------------------------------------------

    def voices(self) -> list[VoiceInfo]:
        problems = self._language_problems()
        return [self._info(pack, problems) for pack in self._store.list()]

    def load_voice(self, voice_id: str, progress: Progress | None = None) -> GenieVoice:
        pack = self._store.verified(voice_id)
        self._front_end.warm_up(pack.language)  # once a language; or its first sentence would wait for a dictionary
        return self._loader.load(pack, progress or (lambda what, fraction: None))

    def unload_voice(self, voice: Voice) -> None:
        """Nothing to do: sessions and maps go with the last reference to the voice."""

    def study(self, voice: Voice, clip: SpokenClip) -> SpokenReference:
        """See `CopyingEngine`: a reference for this once; up to two seconds for ten of sound."""
        assert isinstance(voice, GenieVoice)
        if (problem := self._language_problems().get(clip.language)) is not None:
            raise VoiceUnavailable(problem)
        phonemes = self._loader.said(clip.text, clip.language, voice.id)
        reference = voice.reader.listen(Clip(clip.samples, clip.sample_rate), clip.text, clip.language)
        return SpokenReference(reference, phonemes)

    def _language_problems(self) -> Mapping[str, str]:
        """Language -> why it cannot be spoken now; looked up again every few seconds, since data may arrive."""
        now_s = time.monotonic()
        if self._problems is None or now_s - self._problems_s > LOOK_AGAIN_S:
            self._problems, self._problems_s = self._front_end.problems, now_s
        return self._problems

    def _info(self, pack: VoicePack, problems: Mapping[str, str]) -> VoiceInfo:
        speakable = (language for language in LANGUAGES if language not in problems)
        languages = tuple(dict.fromkeys((pack.language, *speakable)))
        return VoiceInfo(
            id=pack.id,
            name=pack.name,
            languages=languages,
            engine=self.name,
            sample_rate=self.sample_rate,
            references=tuple(pack.references),
            preload=pack.preload,
            problem=pack.problem or problems.get(pack.language),
            created=pack.created,
            copies=True,
        )

    # -- sentences ---------------------------------------------------------------------------------------------------

    def check(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> SpokenText:
        language = sentence.language if options.language == "auto" else options.language
        problems = self._language_problems()
        if language in problems:
            raise VoiceUnavailable(problems[language], param="input")
        if language not in LANGUAGES:
            raise UnspeakableText(voice.id, [known for known in LANGUAGES if known not in problems])
        written, sentence = sentence.text, in_known_scripts(sentence)
        unread = unread_runs(sentence.text, language, problems)
        if _anything_left(written, ()) and not _anything_left(sentence.text, unread):
            raise UnspeakableText(voice.id, [known for known in LANGUAGES if known not in problems])
        if not unread:
            return sentence
        said = MappedText.of(sentence.source).respelled(sentence.text, sentence.spans)
        noted = [*sentence.unspoken, *(said.origin(start, end) for start, end in unread)]
        return dataclasses.replace(sentence, unspoken=merged(noted, sentence.source))

    def open(self, sentence: SpokenText, voice: Voice, options: SpeechOptions) -> GenieSentence:
        """Phonemes and the text side of the vocoder: about 10 ms. The sentence holds no row of the cache yet.

        Raises:
            Overloaded: If the voice speaks as many sentences as it can already.
        """
        assert isinstance(voice, GenieVoice)
        self.check(sentence, voice, options)  # a glance; whoever opens without one is refused alike
        spoken = voice.reference(options)
        language = sentence.language if options.language == "auto" else options.language
        phonemes = self._front_end.phonemize(sentence.text, language, voice=voice.id)
        seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4))
        latent = LatentStream(
            voice.vits,
            phonemes.ids,
            spoken.reference,
            seed=seed,
            speed=min(max(options.speed, NATIVE_SPEED[0]), NATIVE_SPEED[1]),
        )
        stream = GenieSentence(
            voice=voice,
            semantic=voice.semantic.begin(
                spoken.prompt(phonemes), SamplingOptions.of(options), seed, eager=options.seed is None
            ),
            latent=latent,
            vocoder=voice.vocoder.start(latent.speaker.decoder),
            words=SentenceWords(sentence, phonemes.words, options.speed),
            policy=POLICY,
            is_seeded=options.seed is not None,
        )
        with voice.lock:
            if voice.open_sentences >= MAX_BATCH:
                raise Overloaded(f"voice '{voice.id}' speaks {MAX_BATCH} sentences already")
            voice.open_sentences += 1
        return stream

    def step(self, streams: Sequence[SentenceStream], *, threads: int) -> list[AudioChunk | None]:
        sentences = [stream for stream in streams if isinstance(stream, GenieSentence)]
        stage, started_s = streams[0].stage, time.monotonic()
        match stage:
            case "decode":
                chunks = self._decode(sentences, threads)
            case "prefill":
                for sentence in sentences:
                    sentence.read_prompt(threads)
                chunks = [None] * len(sentences)
            case "vocode":
                chunks = [sentence.vocode(threads) for sentence in sentences]
            case _:
                return [None] * len(sentences)
        took_s = time.monotonic() - started_s
        for sentence, chunk in zip(sentences, chunks, strict=True):
            sentence.note(took_s, chunk)
        return chunks

    def _decode(self, sentences: Sequence[GenieSentence], threads: int) -> list[AudioChunk | None]:
        """One token for all of them, in one pass over the voice's weights."""
        sentences[0].voice.semantic.step([sentence.semantic for sentence in sentences], threads=threads)
        for sentence in sentences:
            sentence.choose_stage()
        return [None] * len(sentences)


def open_engine(settings: VoiceSettings) -> GenieEngine:
    """The engine of a configuration, for the registry. Imports no model; voices may still be absent."""
    return GenieEngine(
        open_store(settings),
        PhonemeFrontEnd(genie_data_dir(settings.data_dir)),
        settings.cache_dir / "genie",
        precision=settings.genie_weights,
        positions=settings.genie_positions,
        threads=settings.genie_threads,
    )


def _anything_left(text: str, unread: Sequence[tuple[int, int]]) -> bool:
    """Is there a letter or digit outside of what cannot be read?"""
    end, kept = 0, []
    for start, stop in unread:
        kept.append(text[end:start])
        end = stop
    return any(char.isalnum() for char in "".join([*kept, text[end:]]))
