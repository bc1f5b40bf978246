"""The folder of a Space: what is in it, what it refuses, and that its Dockerfile and front matter are what they say."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from synthetic_genie_data import reference_clip
from vivavoce import __version__, config
from vivavoce.cli.main import main
from vivavoce.errors import VoicePackError
from vivavoce.space import SpaceFiles, write_space
from vivavoce.space import texts as space_texts
from vivavoce.voices.pack import read_pack
from vivavoce.voices.store import VoiceDirectory, VoiceStore
from voice_packs import TEXT, make_pack, write

ROOT = Path(__file__).parents[2]
HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
EMBEDDED = SpaceFiles(title="Anna speaks", license="cc-by-4.0", packs=(), embedded=("heart",), default="heart")


def quiet(what: str, fraction: float) -> None:
    assert 0.0 <= fraction <= 1.0


def with_pack(folder: Path) -> SpaceFiles:
    return replace(EMBEDDED, packs=(read_pack(folder),), default=read_pack(folder).id)


# -- the small files -----------------------------------------------------------------------------------------------


def instructions(dockerfile: str) -> list[list[str]]:
    joined = re.sub(r"\\\n\s*", " ", dockerfile)
    return [line.split(maxsplit=1) for line in joined.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("kind", ["embedded", "genie", "pulled", "wheel"])
def test_the_dockerfile_runs_the_server_as_user_1000(kind: str, tmp_path: Path) -> None:
    files = EMBEDDED if kind == "embedded" else with_pack(make_pack(tmp_path / "anna", version="v2"))
    if kind == "pulled":
        files = replace(files, pull_data=True)
    if kind == "wheel":
        files = replace(files, requirement=Path("vivavoce-1-py3-none-any.whl"), data={"a": Path("a")})
    lines = instructions(space_texts.dockerfile(files))
    by_name = {name: [rest for other, rest in lines if other == name] for name, _ in lines}
    environment = dict(pair.split("=", 1) for pair in by_name["ENV"][0].split())

    assert by_name["USER"] == ["1000"]
    assert json.loads(by_name["CMD"][0]) == ["vivavoce", "serve"]
    assert by_name["EXPOSE"] == [environment["VIVAVOCE_PORT"]] == ["7860"]
    assert environment["HOME"] == "/home/user"
    assert by_name["WORKDIR"][0].startswith(environment["HOME"])
    settings = {name: value for name, value in environment.items() if name.startswith("VIVAVOCE_")}
    assert {name.removeprefix("VIVAVOCE_").lower() for name in settings} <= set(config.FIELDS)
    assert settings["VIVAVOCE_VOICE"] == files.default
    assert ("RUN", "vivavoce voices pull geniedata") in map(tuple, lines) or kind != "pulled"
    assert (environment.get("GENIE_DATA_DIR") == "/home/user/app/GenieData") == (kind == "wheel")
    assert ("COPY", "--chown=1000 wheels wheels") in map(tuple, lines) or kind != "wheel"


@pytest.mark.skipif(HADOLINT is None, reason="hadolint publishes no binary for this machine")
@pytest.mark.parametrize("pulled", [False, True])
def test_hadolint_finds_nothing(tmp_path: Path, pulled: bool) -> None:
    files = replace(with_pack(make_pack(tmp_path / "anna", version="v2")), pull_data=pulled, requirement=Path("a.whl"))
    (tmp_path / "Dockerfile").write_text(space_texts.dockerfile(files))

    done = subprocess.run([str(HADOLINT), tmp_path / "Dockerfile"], capture_output=True, text=True, timeout=60)

    assert (done.stdout, done.returncode) == ("", 0)


def test_requirements_are_this_version_with_what_its_voices_need(tmp_path: Path) -> None:
    assert space_texts.requirements(EMBEDDED) == f"vivavoce=={__version__}\n"
    files = with_pack(make_pack(tmp_path / "anna", version="v2"))
    assert space_texts.requirements(files) == f"vivavoce[genie,korean]=={__version__}\n"
    wheel = replace(files, requirement=Path("/far/away/vivavoce-1.whl"))
    assert space_texts.requirements(wheel) == "./wheels/vivavoce-1.whl[genie,korean]\n"
    assert space_texts.requirements(replace(files, requirement="vivavoce==9")) == "vivavoce==9\n"
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"genie", "korean"} <= set(extras)


@pytest.mark.parametrize("title", ["Anna speaks", 'Anna: "speaks" # now', "안나"])
def test_the_front_matter_is_what_the_hub_reads(title: str) -> None:
    page = space_texts.readme(replace(EMBEDDED, title=title))
    _, front, body = page.split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in front.splitlines())

    assert json.loads(fields["title"]) == title  # a JSON string is a YAML string
    assert (fields["sdk"], fields["app_port"], fields["license"]) == ("docker", "7860", "cc-by-4.0")
    assert fields.keys() == {
        "title", "emoji", "colorFrom", "colorTo", "sdk", "app_port", "pinned", "license", "short_description"
    }  # fmt: skip
    assert len(fields["short_description"]) <= 60
    assert "## English" in body
    assert "## 中文" in body
    assert "$" not in page


def test_everything_that_is_no_text_is_kept_by_lfs(tmp_path: Path) -> None:
    """Asked of git itself, which knows how its patterns are read."""
    folder = tmp_path / "space"
    data = {"G2P/EnglishG2P/checkpoint20.npz": b"\0", "G2P/EnglishG2P/cmudict.rep": b"A", "speaker_encoder.onnx": b"\0"}
    for name, content in data.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    files = with_pack(make_pack(tmp_path / "anna", version="v2"))
    write_space(replace(files, data={name: tmp_path / name for name in data}), folder, quiet)
    subprocess.run(["git", "init", "-q", folder], check=True)

    kept = {}
    for path in sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()):
        if path.parts[0] != ".git":
            said = subprocess.run(
                ["git", "-C", folder, "check-attr", "filter", path], capture_output=True, text=True, check=True
            )
            kept[path.as_posix()] = said.stdout.rstrip().endswith(": lfs")

    texts = {name for name, is_kept in kept.items() if not is_kept}
    assert texts == {
        ".dockerignore", ".env.example", ".gitattributes", "Dockerfile", "README.md", "requirements.txt",
        "models/README.md", "models/anna/reference/config.json", "models/anna/voice.json",
        "models/anna/voice.sha256.json",
    }  # fmt: skip


def test_the_settings_to_copy_are_settings(tmp_path: Path) -> None:
    write_space(EMBEDDED, tmp_path / "space", quiet)
    lines = [line for line in (tmp_path / "space" / ".env.example").read_text().splitlines() if "=" in line]
    names = {line.split("=")[0].removeprefix("VIVAVOCE_").lower() for line in lines}

    assert names <= set(config.FIELDS)
    assert {"api_keys", "voice"} <= names


# -- voices --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["space", "characters"])
def test_a_voice_of_any_shape_becomes_one_of_a_space(tmp_path: Path, shape: str) -> None:
    pack = read_pack(make_pack(tmp_path / "Anna", shape, version="v2"))  # type: ignore[arg-type]
    written = write_space(with_pack(pack.path), tmp_path / "space", quiet)
    folder = tmp_path / "space" / "models" / "anna"
    (again,) = VoiceStore([VoiceDirectory(tmp_path / "space" / "models", preload=True)]).list()

    assert again.problem is None
    assert (again.name, again.language, again.version, again.preload) == (pack.name, pack.language, "v2", True)
    assert {style: clip.text for style, clip in again.references.items()} == {
        style: clip.text for style, clip in pack.references.items()
    }
    assert next(iter(again.references)) == next(iter(pack.references))
    assert json.loads((folder / "reference" / "config.json").read_text("utf-8")) == {"text": TEXT, "language": "ja"}
    assert (folder / "reference" / "audio.wav").read_bytes() == reference_clip().path.read_bytes()
    assert written.size > pack.size
    assert set(written.parts) >= {"models", "Dockerfile", "README.md"}


def test_a_clone_goes_with_its_base(tmp_path: Path) -> None:
    base = read_pack(make_pack(tmp_path / "voices" / "anna", version="v2"))
    clone = make_pack_of_base(tmp_path / "voices" / "anna-sad", "anna")
    store = VoiceStore([VoiceDirectory(tmp_path / "voices")])
    files = replace(EMBEDDED, packs=(store.get("anna-sad"), base), default="anna-sad")
    write_space(files, tmp_path / "space", quiet)
    written = {pack.id: pack for pack in VoiceStore([VoiceDirectory(tmp_path / "space" / "models")]).list()}

    assert {name: (pack.base, pack.problem) for name, pack in written.items()} == {
        "anna": (None, None),
        "anna-sad": ("anna", None),
    }
    assert not (tmp_path / "space" / "models" / "anna-sad" / "tts_models").exists()
    assert clone.is_dir()


def make_pack_of_base(folder: Path, base: str) -> Path:
    (folder / "reference").mkdir(parents=True)
    shutil.copyfile(reference_clip().path, folder / "reference" / "audio.wav")
    write(folder / "reference" / "config.json", {"text": TEXT, "language": "ja"})
    write(folder / "voice.json", {"name": "Anna sad", "base": base})
    return folder


# -- what it refuses -----------------------------------------------------------------------------------------------


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for replacing in (False, True):
        with pytest.raises(VoicePackError, match="is not empty; name an empty folder"):
            write_space(EMBEDDED, tmp_path, quiet, replace=replacing)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_space_is_replaced_when_that_is_asked_for_and_keeps_its_history(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write_space(EMBEDDED, tmp_path, quiet)
    (tmp_path / "models" / "old").mkdir()

    with pytest.raises(VoicePackError, match="--replace writes it anew"):
        write_space(EMBEDDED, tmp_path, quiet)
    write_space(replace(EMBEDDED, title="Anew"), tmp_path, quiet, replace=True)

    assert "# Anew" in (tmp_path / "README.md").read_text()
    assert not (tmp_path / "models" / "old").exists()
    assert (tmp_path / ".git").is_dir()
    assert not list(tmp_path.glob(".space-*"))


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    files = replace(EMBEDDED, data={"gone": tmp_path / "gone"})
    with pytest.raises(VoicePackError, match="cannot be written"):
        write_space(files, tmp_path / "space", quiet)
    assert list((tmp_path / "space").iterdir()) == []


# -- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIVAVOCE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("VIVAVOCE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("GENIE_DATA_DIR", raising=False)
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["space", *arguments])
    return int(left.value.code or 0)


def test_the_embedded_voice_speaks_and_is_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("out", "--voice", "heart", "--title", "Heart & Co") == 0

    said = capsys.readouterr().out
    assert "heart speaks: " in said
    assert "hf upload YOUR_NAME/heart-co out . --repo-type space" in said
    assert "out: " in said
    assert (home / "out" / "requirements.txt").read_text() == f"vivavoce=={__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--voice", "nobody"], "unknown voice 'nobody'; known: anna, heart"),
        (["--voice", "heart", "--title", " "], "--title: 1 to 80 plain characters"),
        (["--voice", "heart", "--license", "My own!"], "--license: a licence as the hub names it"),
        (["--voice", "heart", "--package", "gone.whl"], "--package: there is no file 'gone.whl'"),
        (["--voice", "anna"], "voice 'anna' cannot speak: reference/audio.wav is missing"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_written(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    damaged = make_pack(home / "voices" / "anna", version="v2")
    (damaged / "reference" / "audio.wav").unlink()

    assert run("out", *arguments) == 3
    error = capsys.readouterr().err
    assert sentence in error
    assert not (home / "out").exists()
