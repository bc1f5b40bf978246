"""The Config: four sources, later wins, and every wrong value is refused with its name."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from vivavoce.config import FIELDS, SECTIONS, Config, available_cores
from vivavoce.errors import ConfigError
from vivavoce.settings import choices, is_flag, load, parse


def read(tmp_path: Path, toml: str = "", environment: Mapping[str, str] | None = None, **flags: object) -> Config:
    file = tmp_path / "settings.toml"
    file.write_text(toml, encoding="utf-8")
    return load(file=file, environment=environment or {}, flags=flags)


def test_defaults_stand_where_nothing_is_said(tmp_path: Path) -> None:
    assert read(tmp_path) == Config()


def test_later_wins(tmp_path: Path) -> None:
    toml, environment = "port = 1001", {"VIVAVOCE_PORT": "1002"}
    assert read(tmp_path, toml).server.port == 1001
    assert read(tmp_path, toml, environment).server.port == 1002
    assert read(tmp_path, toml, environment, port=1003).server.port == 1003


def test_a_flag_that_was_not_given_says_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "port = 1001", port=None).server.port == 1001


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, environment={"VIVAVOCE_PORT": ""}).server.port == Config().server.port


def test_variables_of_others_are_not_ours(tmp_path: Path) -> None:
    others = {"PORT": "1", "VIVAVOCE_TEST_CACHE": "/x", "XVIVAVOCE_PORT": "2"}
    assert read(tmp_path, environment=others) == Config()


def test_the_file_of_the_working_folder_is_read_when_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(environment={}).server.port == Config().server.port
    Path("vivavoce.toml").write_text("port = 1004")
    assert load(environment={}).server.port == 1004


def test_the_processs_own_environment_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIVAVOCE_MAX_TEXT", "77")
    assert load().limits.max_text == 77


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("port", " 8000 ", 8000),
        ("ahead_s", "2.5", 2.5),
        ("preload", "off", False),
        ("cors", "Yes", True),
        ("log_format", "json", "json"),
        ("voice", "mika", "mika"),
        ("engines", "embedded, genie,", ("embedded", "genie")),
        ("allowed_origins", "", ()),
        ("voices", os.pathsep.join(["/a", "/b"]), (Path("/a"), Path("/b"))),
        ("voices", "/a,/b", (Path("/a"), Path("/b"))),
        ("api_keys_file", "~/keys", Path.home() / "keys"),
        ("data_dir", "/data", Path("/data")),
    ],
)
def test_values_are_read_from_text(name: str, text: str, value: object) -> None:
    assert parse(name, text, source="a test") == value


@pytest.mark.parametrize(
    ("toml", "values"),
    [
        ('engines = ["embedded"]', {"engines": ("embedded",)}),
        ('voices = ["/a b", "/c"]', {"voices": (Path("/a b"), Path("/c"))}),
        ("preload = false\nahead_s = 3", {"preload": False, "ahead_s": 3.0}),
        ('voice = "mika"\nlog_level = "debug"', {"voice": "mika", "log_level": "debug"}),
    ],
)
def test_values_are_read_from_toml(tmp_path: Path, toml: str, values: dict[str, Any]) -> None:
    assert read(tmp_path, toml) == Config(**values)


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_has_a_sentence_and_reads_back(tmp_path: Path, name: str) -> None:
    """What the tables and flags show of a default is what the environment would take."""
    entry = FIELDS[name]
    assert entry.metadata["help"].endswith((".", ")"))
    if entry.default is None or name == "api_keys":  # an empty one is a mistake
        return
    text = ",".join(map(str, entry.default)) if isinstance(entry.default, tuple) else str(entry.default)
    again = read(tmp_path, environment={f"VIVAVOCE_{name.upper()}": text})
    section = next(section for section, kind in SECTIONS.items() if entry in dataclasses.fields(kind))
    assert getattr(getattr(again, section), name) == entry.default


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"VIVAVOCE_PORT": "many"}, "VIVAVOCE_PORT: 'many' is not int"),
        ({"VIVAVOCE_PORT": "65536"}, "port 65536 is not between 0 and 65535"),
        ({"VIVAVOCE_PRELOAD": "perhaps"}, "VIVAVOCE_PRELOAD: 'perhaps' is not bool"),
        ({"VIVAVOCE_LOG_LEVEL": "loud"}, "VIVAVOCE_LOG_LEVEL: 'loud' is not debug or info or warning or error"),
        ({"VIVAVOCE_MAX_TEXT": "0"}, "max_text must be greater than 0"),
        ({"VIVAVOCE_WORKERS": "-1"}, "workers must not be negative"),
        ({"VIVAVOCE_AHEAD_S": "nan"}, "ahead_s must be a finite number"),
        ({"VIVAVOCE_STALL_TIMEOUT_S": "inf"}, "stall_timeout_s must be a finite number"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name(tmp_path: Path, environment: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, environment=environment)
    assert str(caught.value) == words


def test_a_short_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, environment={"VIVAVOCE_API_KEYS": "a-key-of-32-characters-0123456789,hunter2"})
    assert "at least 16 characters" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("colour = 1", "unknown setting 'colour'"),
        ("port = 'x'", "port: 'x' is not int"),
        ("port = [", "cannot read"),
        ("[server]\nport = 1", "unknown setting 'server'"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, toml: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, toml)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load(file=tmp_path / "nowhere.toml", environment={})


def test_a_config_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().server.port = 1  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().server = Config().server  # type: ignore[misc]


def test_a_config_is_made_of_flat_names() -> None:
    config = Config(ahead_s=2.0, port=1)
    assert (config.live.ahead_s, config.server.port) == (2.0, 1)
    with pytest.raises(ConfigError, match="unknown setting 'colour'"):
        Config(colour="red")
    with pytest.raises(ConfigError, match="ahead_s must be greater than 0"):
        Config(ahead_s=0.0)


def test_voice_folders_and_workers() -> None:
    config = Config(voices=(Path("/mine"),), data_dir=Path("/data"))
    assert config.voices.folders() == (Path("voices"), Path("models"), Path("/mine"), Path("/data/voices"))
    assert Config(workers=3).speed.worker_count() == 3
    assert Config().speed.worker_count() == available_cores()


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", None), ("150000 100000", 2), ("1000 100000", 1), ("6400000000 100000", None), ("nonsense", None)],
)
def test_a_container_with_a_processor_limit_has_fewer_cores(tmp_path: Path, quota: str, cores: int | None) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    everywhere = available_cores(tmp_path / "absent")
    assert available_cores(tmp_path / "cpu.max") == min(everywhere, cores or everywhere)


def test_kinds_of_settings() -> None:
    assert choices("log_format") == ("auto", "json", "text")
    assert choices("port") is None
    assert is_flag("cors")
    assert not is_flag("port")
