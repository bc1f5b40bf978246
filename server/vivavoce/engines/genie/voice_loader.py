"""Loads Genie voices: opens what `preparing.compile` prepared, and reads the reference clips.

Of a clip that was read before the cache has kept all that is needed. Called by `engine.py`.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from vivavoce.engines.genie.preparing.compile import CompiledVoice, Precision, compile_voice
from vivavoce.engines.genie.preparing.source import VoiceSource
from vivavoce.engines.genie.reading.phonemes import PhonemeFrontEnd, Phonemes
from vivavoce.engines.genie.reference import ReferenceReader
from vivavoce.engines.genie.semantic.model import Positions, SemanticModel
from vivavoce.engines.genie.sound.vits_model import VitsModel
from vivavoce.engines.genie.sound.vocoder import Vocoder
from vivavoce.engines.genie.voice import GenieVoice, SpokenReference
from vivavoce.errors import InvalidRequest, VivaVoceError, VoicePackError, VoiceUnavailable
from vivavoce.progress import Progress
from vivavoce.text.normalize import normalize
from vivavoce.voices.pack import VoicePack

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VoiceLoader:
    """Loads voices for one engine.

    Attributes:
        front_end: reads what the references say.
        cache: folder of compiled voices and of read references.
        precision: of the step graph.
        positions: how the models count.
        threads: the most that a model's call is given.
        rows: sentences of one voice at once.
        preparing: one voice at a time, since that takes gigabytes and all cores.
    """

    front_end: PhonemeFrontEnd
    cache: Path
    precision: Precision
    positions: Positions
    threads: int
    rows: int
    preparing: threading.Lock = field(default_factory=threading.Lock)

    def load(self, pack: VoicePack, progress: Progress) -> GenieVoice:
        """A voice from its verified pack: under 2 s once prepared, half a minute the first time.

        Raises:
            VoiceUnavailable: If it cannot be loaded; the sentence says why and what helps.
        """
        try:
            with self.preparing:
                compiled = compile_voice(
                    source_of(pack),
                    self.cache / "graphs",
                    precision=self.precision,
                    progress=lambda what, fraction: progress(what, 0.9 * fraction),
                )
        except VoicePackError as error:
            raise VoiceUnavailable(f"voice '{pack.id}' cannot be prepared: {error.message}", param="voice") from error
        except OSError as error:
            raise VoiceUnavailable(
                f"voice '{pack.id}' cannot be prepared in '{self.cache}': {error.strerror}", param="voice"
            ) from error
        progress("reference clips", 0.9)
        reader = self._reader(pack, compiled)
        references = self._references(pack, reader)
        vits = VitsModel.open(compiled.vits, self.threads)
        semantic = SemanticModel(
            compiled.semantic / "prefill.onnx",
            compiled.step / "step.onnx",
            compiled.kernel,
            threads=self.threads,
            positions=self.positions,
            rows=self.rows,
        )
        progress("loaded", 1.0)
        return GenieVoice(
            id=pack.id,
            language=pack.language,
            semantic=semantic,
            vits=vits,
            vocoder=Vocoder.open(compiled.vits / "decoder.onnx", compiled.vocoder, self.threads),
            references=references,
            reader=reader,
            weights_bytes=compiled.weights_bytes,
        )

    def _reader(self, pack: VoicePack, compiled: CompiledVoice) -> ReferenceReader:
        return ReferenceReader(
            self.front_end.data,
            timbre=compiled.vits / "timbre.onnx",
            prompt=compiled.semantic / "prompt.onnx",
            version=pack.version,
            voice_key=f"{compiled.semantic.name} {compiled.vits.name}",
            cache=self.cache / "references",
        )

    def _references(self, pack: VoicePack, reader: ReferenceReader) -> dict[str, SpokenReference]:
        """All references that can be read; one that cannot is left out, unless it is the default."""
        found: dict[str, SpokenReference] = {}
        for name, clip in pack.references.items():
            try:
                reference = reader.read([clip.path], clip.text, clip.language)
                phonemes = self.said(clip.text, clip.language, pack.id)
            except (VoiceUnavailable, InvalidRequest) as error:
                if not found:
                    raise _unusable(pack, name, error) from error
                logger.warning("voice '%s' speaks without its reference '%s': %s", pack.id, name, error.message)
                continue
            found[name] = SpokenReference(reference, phonemes)
        if not found:
            raise VoiceUnavailable(f"voice '{pack.id}' has no reference clip", param="voice")
        return found

    def said(self, text: str, language: str, voice_id: str) -> Phonemes:
        """Phonemes of what a reference says."""
        # The other front ends write out what has to be words by themselves.
        written = normalize(text, "ko").text if language == "ko" else text
        return self.front_end.phonemize(written, language, prompt=True, voice=voice_id)


def source_of(pack: VoicePack) -> VoiceSource:
    """What `compile_voice` needs of a verified pack."""
    files = {file.path.name: file.sha256 for file in pack.files.values() if file.path.parent == pack.models}
    return VoiceSource(pack.models, pack.version, {name: digest for name, digest in files.items() if digest})


def _unusable(pack: VoicePack, name: str, error: VivaVoceError) -> VoiceUnavailable:
    return VoiceUnavailable(f"voice '{pack.id}' cannot use its reference '{name}': {error.message}", param="voice")
