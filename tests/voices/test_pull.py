"""Downloading from a hub that cuts connections, lies and fails: progress, resume, checksums, repair, no surprises."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_stand_in import COMMIT, REPOSITORY, HubStandIn
from synthetic_genie_data import genie_data
from synthetic_voice import synthetic_voice
from vivavoce.errors import Conflict, DownloadError, VivaVoceError, VoicePackError
from vivavoce.hub import Hub
from vivavoce.voices.pull import REVISION, pull_genie_data, pull_voice
from vivavoce.voices.store import VoiceDirectory, VoiceStore
from voice_packs import make_pack

BIG = random.Random(1).randbytes(3_000_000)
FILES: dict[str, bytes | Path] = {
    "GenieData/big/model.bin": BIG,
    "GenieData/G2P/small.txt": b"small",
    "GenieData/empty.json": b"",
    "Other/unrelated.bin": b"x",
}


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with HubStandIn(FILES) as server:
        yield server


def client(server: HubStandIn, revision: str = COMMIT) -> Hub:
    return Hub(REPOSITORY, revision, endpoint=server.endpoint, retry_wait_s=0.0)


def whole(folder: Path) -> bool:
    return (folder / "big" / "model.bin").read_bytes() == BIG and (
        folder / "G2P" / "small.txt"
    ).read_bytes() == b"small"


def test_everything_arrives_with_progress_and_a_lock(hub: HubStandIn, tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    fetched = pull_genie_data(client(hub), tmp_path, lambda what, fraction: told.append((what, fraction)))
    assert fetched == 3
    assert whole(tmp_path)
    assert (tmp_path / "empty.json").read_bytes() == b""
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert sum(0 < fraction < 0.99 for fraction in fractions) >= 2, "told while the large file comes, not only after"
    lock = json.loads((tmp_path / "vivavoce.lock.json").read_text())
    assert (lock["repository"], lock["revision"]) == (REPOSITORY, COMMIT)
    assert lock["files"]["big/model.bin"]["sha256"] == hub.sha256("GenieData/big/model.bin")


def test_what_is_there_is_not_fetched_again(hub: HubStandIn, tmp_path: Path) -> None:
    pull_genie_data(client(hub), tmp_path)
    before = len(hub.downloads())
    assert pull_genie_data(client(hub), tmp_path) == 0
    assert len(hub.downloads()) == before


@pytest.mark.parametrize("seed", range(8))
def test_a_cut_at_a_random_byte_is_resumed_there(hub: HubStandIn, tmp_path: Path, seed: int) -> None:
    cuts = sorted(random.Random(seed).sample(range(1, len(BIG)), 2))
    hub.faults.cuts = [cuts[0], cuts[1] - cuts[0]]
    pull_genie_data(client(hub), tmp_path)
    assert whole(tmp_path)
    starts = [request.start for request in hub.downloads("GenieData/big/model.bin")]
    assert starts == [0, *cuts], "not a byte is fetched twice"


def test_a_later_run_goes_on_where_the_first_one_stopped(hub: HubStandIn, tmp_path: Path) -> None:
    hub.faults.cuts = [1_500_000, *[0] * 10]  # then nothing more comes
    with pytest.raises(DownloadError, match="run the command again to go on"):
        pull_genie_data(client(hub), tmp_path)
    part = tmp_path / "big" / "model.bin.part"
    have = part.stat().st_size
    assert have == 1_500_000
    hub.faults.cuts = []
    hub.requests.clear()
    assert pull_genie_data(client(hub), tmp_path) == 3
    assert [request.start for request in hub.downloads("GenieData/big/model.bin")] == [have]
    assert whole(tmp_path)
    assert not part.exists()


def test_a_server_that_ignores_ranges_begins_anew(hub: HubStandIn, tmp_path: Path) -> None:
    hub.faults.cuts = [1_500_000]
    hub.faults.ignore_range = True
    pull_genie_data(client(hub), tmp_path)
    assert whole(tmp_path)


def test_a_part_of_another_file_is_noticed(hub: HubStandIn, tmp_path: Path) -> None:
    """What an earlier revision left is not completed into a mixture."""
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "model.bin.part").write_bytes(bytes(1000))
    pull_genie_data(client(hub), tmp_path)
    assert whole(tmp_path)
    assert [request.start for request in hub.downloads("GenieData/big/model.bin")] == [1000, 0]


def test_a_part_that_is_too_long_is_noticed(hub: HubStandIn, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / "model.bin.part").write_bytes(BIG + b"more")
    pull_genie_data(client(hub), tmp_path)
    assert whole(tmp_path)


@pytest.mark.parametrize("path", ["GenieData/big/model.bin", "GenieData/G2P/small.txt"])
def test_a_wrong_checksum_is_refused(hub: HubStandIn, tmp_path: Path, path: str) -> None:
    hub.faults.corrupt[path] = 2
    with pytest.raises(DownloadError, match="wrong checksum"):
        pull_genie_data(client(hub), tmp_path)
    name = path.removeprefix("GenieData/")
    assert not (tmp_path / name).exists()
    assert not (tmp_path / f"{name}.part").exists()
    hub.faults.corrupt[path] = 1  # wrong once: fetched again
    pull_genie_data(client(hub), tmp_path)
    assert whole(tmp_path)


def test_a_damaged_file_is_repaired_alone(hub: HubStandIn, tmp_path: Path) -> None:
    pull_genie_data(client(hub), tmp_path)
    damaged = bytearray(BIG)
    damaged[1234] ^= 1
    (tmp_path / "big" / "model.bin").write_bytes(damaged)
    hub.requests.clear()
    assert pull_genie_data(client(hub), tmp_path) == 1
    assert [request.path for request in hub.downloads()] == ["/cdn/GenieData/big/model.bin"]
    assert whole(tmp_path)


def test_a_server_that_stumbles_is_asked_again(hub: HubStandIn, tmp_path: Path) -> None:
    hub.faults.status["GenieData/big/model.bin"] = [503, 429, 500]
    pull_genie_data(client(hub), tmp_path)
    assert whole(tmp_path)


def test_a_branch_is_resolved_to_a_commit_once(hub: HubStandIn, tmp_path: Path) -> None:
    pull_genie_data(client(hub, "main"), tmp_path)
    assert json.loads((tmp_path / "vivavoce.lock.json").read_text())["revision"] == COMMIT
    assert sum("/revision/main" in request.path for request in hub.requests) == 1
    assert not any("resolve/main" in request.path for request in hub.requests)


def test_sentences_for_what_cannot_work(hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DownloadError, match=r"has no revision .* `--revision main`"):
        pull_genie_data(client(hub, "f" * 40), tmp_path)
    with pytest.raises(DownloadError, match="does not hold these files"):
        client(hub).files("Nothing")
    with pytest.raises(VoicePackError, match="no published voice 'nobody'"):
        pull_voice(client(hub), "nobody", VoiceStore([VoiceDirectory(tmp_path)]))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # huggingface_hub's own pauses between attempts
    with pytest.raises(DownloadError, match="could not be reached"):
        pull_genie_data(Hub(REPOSITORY, COMMIT, endpoint="http://127.0.0.1:9", retry_wait_s=0.0), tmp_path)


@pytest.mark.parametrize("path", ["GenieData/../../evil.bin", "GenieData/run.py", "GenieData/a\\b.bin"])
def test_a_hub_that_lists_strange_files(tmp_path: Path, path: str) -> None:
    with (
        HubStandIn({path: b"evil"}) as server,
        pytest.raises(VivaVoceError, match=r"no (file of a voice|name for a file)"),
    ):
        pull_genie_data(client(server), tmp_path / "out")
    assert not any(tmp_path.rglob("*evil*"))


def character_files() -> dict[str, bytes | Path]:
    """A published voice of the real size: the files of a synthetic one, a style, and a read-me beside them."""
    root = "CharacterModels/v2ProPlus/mika"
    files: dict[str, bytes | Path] = {f"{root}/tts_models/{p.name}": p for p in sorted(synthetic_voice().iterdir())}
    files[f"{root}/prompt_wav.json"] = json.dumps({"普通": {"wav": "a.wav", "text": "こんにちは。"}}).encode()
    files[f"{root}/prompt_wav/a.wav"] = b"RIFF" + bytes(2000)
    files[f"{root}/prompt_wav/unused.wav"] = b"RIFF" + bytes(10)
    return files


def test_a_voice_is_pulled_repaired_and_left_alone(tmp_path: Path) -> None:
    store = VoiceStore([VoiceDirectory(tmp_path / "voices")], records=tmp_path / "records")
    files = character_files()
    with HubStandIn(files) as server:
        pack, fetched = pull_voice(client(server), "mika", store)
        assert (pack.id, pack.version, pack.language, fetched) == ("mika", "v2ProPlus", "ja", len(files))
        assert store.verified("mika").problem is None
        assert sorted(path.name for path in store.home.iterdir() if path.name.startswith(".adding")) == []

        hub = client(server)
        server.requests.clear()
        assert pull_voice(hub, "mika", store)[1] == 0
        assert server.downloads() == []

        weights = pack.models / "t2s_encoder_fp32.bin"
        content = bytearray(weights.read_bytes())
        content[77] ^= 1
        weights.write_bytes(content)
        assert pull_voice(hub, "mika", store)[1] == 1
        assert [request.path.rpartition("/")[2] for request in server.downloads()] == ["t2s_encoder_fp32.bin"]
        assert store.verified("mika").problem is None
        source = json.loads((store.get("mika").path / "voice.sha256.json").read_text())["source"]
        assert source == {"pull": "mika", "repository": REPOSITORY, "revision": COMMIT}

        (pack.models / "vits_fp16.bin").unlink()
        with pytest.raises(Exception, match=r"vits_fp16\.bin is missing; `vivavoce voices pull mika` repairs it"):
            store.verified("mika")


def test_a_voice_of_that_name_elsewhere_is_left_alone(tmp_path: Path) -> None:
    theirs = make_pack(tmp_path / "voices" / "mika")
    store = VoiceStore([VoiceDirectory(tmp_path / "voices"), VoiceDirectory(tmp_path / "data")])
    with HubStandIn(character_files()) as server, pytest.raises(Conflict):
        pull_voice(client(server), "mika", store)
    assert theirs.is_dir()


def test_the_command_honours_endpoint_and_token_and_shows_progress(tmp_path: Path) -> None:
    files = {f"GenieData/{p.relative_to(genie_data()).as_posix()}": p for p in genie_data().rglob("*") if p.is_file()}
    with HubStandIn(files, token="hf_secret") as server:
        server.faults.cuts = [100_000]
        done = vivavoce(tmp_path, server, "voices", "pull", "geniedata", "--revision", "main", token="hf_secret")
        assert done.returncode == 0, done.stderr
        assert "geniedata: 100%" in done.stderr
        assert "GenieData is complete" in done.stdout
        assert (tmp_path / "data" / "GenieData" / "speaker_encoder.onnx").is_file()
        assert {request.token for request in server.requests if "/resolve/" in request.path} == {"hf_secret"}

        refused = vivavoce(tmp_path / "new", server, "voices", "pull", "geniedata", "--revision", "main")
        assert refused.returncode == 3
        assert "HF_TOKEN" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_offline_says_so(hub: HubStandIn, tmp_path: Path) -> None:
    done = vivavoce(tmp_path, hub, "voices", "pull", "geniedata", offline=True)
    assert done.returncode == 3
    assert "HF_HUB_OFFLINE" in done.stderr
    assert hub.requests == []


def vivavoce(
    folder: Path, hub: HubStandIn, *arguments: str, token: str | None = None, offline: bool = False
) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("HF_", "GENIE_", "VIVAVOCE_"))},
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(folder / "hf"),
        "VIVAVOCE_DATA_DIR": str(folder / "data"),
        **({"HF_TOKEN": token} if token else {}),
        **({"HF_HUB_OFFLINE": "1"} if offline else {}),
    }
    command = [sys.executable, "-m", "vivavoce", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


GUARD = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        print("CONNECTION", event, arguments, flush=True)
        raise SystemExit(9)

sys.addaudithook(refuse)
from vivavoce.voices.store import VoiceDirectory, VoiceStore
from pathlib import Path

store = VoiceStore([VoiceDirectory(Path(sys.argv[1]))])
print([pack.id for pack in store.list()], store.verified("anna").problem, "huggingface_hub" in sys.modules)
"""


def test_finding_and_checking_voices_makes_no_connection(tmp_path: Path) -> None:
    make_pack(tmp_path / "anna")
    command = [sys.executable, "-c", GUARD, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "['anna'] None False", done.stdout + done.stderr


def test_the_guard_of_the_test_above_works() -> None:
    probe = GUARD.partition("from vivavoce")[0] + "import socket\nsocket.create_connection(('127.0.0.1', 9))\n"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 9
    assert "CONNECTION" in done.stdout


def test_the_pinned_revision_is_a_commit() -> None:
    assert len(REVISION) == 40
    assert set(REVISION) <= set("0123456789abcdef")


def test_a_full_disk_is_told_before_anything_is_fetched(
    hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    with pytest.raises(DownloadError, match="is full"):
        pull_genie_data(client(hub), tmp_path)
    assert hub.downloads() == []
