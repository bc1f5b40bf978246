"""A listener with TLS in front of a server that has none, as a reverse proxy would be; some clients insist on wss."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import trustme


@asynccontextmanager
async def tls_listener(url: str, folder: Path) -> AsyncIterator[tuple[str, Path]]:
    """(https address, file of the certificate authority), until the block ends."""
    to = urlsplit(url)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(to.hostname, to.port)
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(reader, inner_writer))
            both.create_task(_pump(inner_reader, writer))

    listener = await asyncio.start_server(carry, "127.0.0.1", 0, ssl=context)
    async with listener:
        yield f"https://localhost:{listener.sockets[0].getsockname()[1]}", folder / "authority.pem"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
