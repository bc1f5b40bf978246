"""Fixtures for the tests with stock Realtime clients, unmodified: `make test-realtime-clients`.

The clients live in an environment of their own; the server runs as its command starts it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

collect_ignore_glob = [] if importlib.util.find_spec("pipecat") else ["test_*.py"]

if not collect_ignore_glob:
    from realtime_clients import proven
    from realtime_clients.chat_server import ChatServer, chat_server
    from realtime_clients.conversation import Voice
    from realtime_clients.server_process import server_process

    @pytest.fixture(scope="session")
    def chat_model() -> Iterator[ChatServer]:
        with chat_server() as chat:
            yield chat

    @pytest.fixture(scope="session")
    def url(chat_model: ChatServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
        """Of a server that speaks, listens, and thinks with the chat model."""
        with server_process(chat_model.url, tmp_path_factory.mktemp("server") / "log.txt") as url:
            yield url

    @pytest.fixture(scope="session")
    def voice(url: str) -> Voice:
        return Voice(url)

    @pytest.fixture
    def chat(chat_model: ChatServer) -> ChatServer:
        chat_model.asked.clear()
        return chat_model

    def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
        """Write the README's table, if every client passed in this run."""
        passed = {report.nodeid.rpartition("::")[2] for report in terminalreporter.getreports("passed")}
        if passed >= set(proven.CLIENTS):
            proven.write()
