"""Where there is no room, a connection that keeps the server waiting goes, of the address that has most of them."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx

from fake_engine import FakeEngine
from live_server import live_server
from vivavoce.serving.connection_book import ConnectionBook


@dataclass(eq=False)
class Someone:
    address: str
    waits_for_client: bool = True
    dropped: bool = field(default=False)

    def drop(self) -> None:
        self.dropped = True


def test_the_crowds_oldest_goes() -> None:
    book = ConnectionBook(4)
    people = [Someone("a", waits_for_client=False), Someone("b"), Someone("c"), Someone("c")]
    assert all(book.enter(someone) for someone in people)
    newcomer = Someone("d")
    assert book.enter(newcomer)
    assert [someone.dropped for someone in people] == [False, False, True, False]
    assert len(book) == 4


def test_nobody_who_is_served_goes() -> None:
    book = ConnectionBook(2)
    served = [Someone("a", waits_for_client=False), Someone("a", waits_for_client=False)]
    for someone in served:
        book.enter(someone)
    assert not book.enter(Someone("b"))
    book.leave(served[0])
    book.leave(served[0])
    assert book.enter(Someone("b"))


def test_half_open_requests_do_not_lock_anybody_out() -> None:
    with live_server([FakeEngine()], max_connections=8) as live, ExitStack() as stack:
        for _ in range(50):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", live.port)))
            client.sendall(b"POST /v1/audio/speech HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")
        answer = httpx.post(live.url + "/v1/audio/speech", json={"input": "Hello there."}, timeout=30)
        assert answer.status_code == 200
