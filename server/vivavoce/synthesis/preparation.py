"""What a voice will say of a text, found out before anything is sent: sentences, pieces, and what is left out.

Pure but for the engine's own glance at each sentence. Runs in a worker's thread, a whole text before it is admitted.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass

from vivavoce.engines.speech import SentenceStream, SpeechOptions
from vivavoce.errors import EmptyInput, SpokenTextTooLong, UnspeakableText
from vivavoce.synthesis.speaker import Unspoken
from vivavoce.synthesis.voice_library import LoadedVoice
from vivavoce.text.normalize import SpokenText, normalize
from vivavoce.text.pieces import pieces_of
from vivavoce.text.sentences import Sentence, SentenceSplitter


@dataclass(frozen=True, slots=True)
class PreparedSentence:
    """A sentence as a voice says it.

    Attributes:
        pieces: what an engine is given, one after the other; none where nothing of it is said.
        unspoken: what was left out of it.
        refused: why nothing of it is said, where it is in a language that the voice does not speak.
    """

    pieces: tuple[SpokenText, ...] = ()
    unspoken: tuple[Unspoken, ...] = ()
    refused: UnspeakableText | None = None


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A whole text, cut into sentences; those that cannot be said are marked as not spoken."""

    sentences: list[Sentence]
    unspoken: tuple[Unspoken, ...]


def prepare_sentence(sentence: Sentence, loaded: LoadedVoice, options: SpeechOptions) -> PreparedSentence:
    """The words of one sentence. A letter that the voice lacks costs that letter, a foreign sentence that sentence.

    Raises:
        VoiceUnavailable: If what its language needs is missing.
    """
    if not sentence.spoken:  # a block of code
        return PreparedSentence()
    spoken = normalize(sentence.text, options.language, preferred=loaded.info.languages[0])
    if not spoken.text:
        return PreparedSentence()
    try:
        said = loaded.engine.check(spoken, loaded.voice, options)
    except UnspeakableText as refused:
        return PreparedSentence((), _whole(sentence), refused)
    unspoken = tuple(Unspoken(said.source[a:b], sentence.start + a) for a, b in said.unspoken)
    return PreparedSentence(tuple(pieces_of(said)) if said.text else (), unspoken)


def open_pieces(
    pieces: tuple[SpokenText, ...], sentence: Sentence, loaded: LoadedVoice, options: SpeechOptions
) -> tuple[SentenceStream | None, tuple[SpokenText, ...]]:
    """Begin to say a sentence: the first of its pieces that makes a sound, opened, and the pieces from there on.

    A seed is the utterance's; each sentence gets one of its own, the same in every run.
    """
    seed = None if options.seed is None else options.seed + sentence.index
    for at, piece in enumerate(pieces):
        with contextlib.suppress(EmptyInput):
            return loaded.engine.open(piece, loaded.voice, dataclasses.replace(options, seed=seed)), pieces[at:]
    return None, ()


def prepare_text(text: str, loaded: LoadedVoice, options: SpeechOptions, longest: int) -> PreparedText:
    """Split a whole text and refuse what cannot be spoken at all.

    Args:
        longest: characters read aloud.

    Raises:
        EmptyInput: If nothing in it can be spoken.
        UnspeakableText: If nothing of it is in a language the voice speaks.
        SpokenTextTooLong: If reading it out takes more than `longest` characters.
    """
    splitter = SentenceSplitter()
    sentences: list[Sentence] = []
    unspoken: list[Unspoken] = []
    length, refused = 0, None
    for sentence in [*splitter.feed(text), *splitter.flush()]:
        prepared = prepare_sentence(sentence, loaded, options)
        length += sum(len(piece.text) for piece in prepared.pieces)
        unspoken += prepared.unspoken
        refused = refused or prepared.refused
        if length > longest:  # the rest need not be read; as long as this part is, so will the whole be
            raise SpokenTextTooLong(length * len(text) // (sentence.start + len(sentence.text)), longest)
        sentences.append(sentence if prepared.pieces else dataclasses.replace(sentence, spoken=False))
    if not length:
        raise refused or EmptyInput
    return PreparedText(sentences, tuple(unspoken))


def _whole(sentence: Sentence) -> tuple[Unspoken, ...]:
    kept = sentence.text.strip()
    return (Unspoken(kept, sentence.start + sentence.text.index(kept)),)
