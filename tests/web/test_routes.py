"""The page and the library as files of the server."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from vivavoce.web import client_dir, page_dir
from vivavoce.web.routes import mount_page

KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    mount_page(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize("address", ["/", "/assistant"])
async def test_the_pages_load_nothing_from_elsewhere_and_run_nothing_inline(
    address: str, client: httpx.AsyncClient
) -> None:
    page = await client.get(address)
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'self';" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert all(each.startswith(("/page/", "/docs")) or each in ("/", "/assistant") for each in loaded)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)


async def test_only_pages_that_may_call_show_it_in_a_frame(client: httpx.AsyncClient) -> None:
    app = FastAPI()
    mount_page(app, ["https://huggingface.co"])
    framed = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    for address in ("/", "/assistant", "/page/app.js"):
        policy = (await client.get(address)).headers["content-security-policy"]
        assert policy.endswith("; frame-ancestors 'none'")
        policy = (await framed.get(address)).headers["content-security-policy"]
        assert policy.endswith("; frame-ancestors https://huggingface.co")


def addresses(folder: Path, prefix: str) -> list[str]:
    """Where each file of a folder is served."""
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in KINDS]
    assert len(files) > 5
    return [f"{prefix}/{path.relative_to(folder).as_posix()}" for path in files]


@pytest.mark.parametrize("address", addresses(page_dir(), "/page") + addresses(client_dir(), "/client"))
async def test_every_file_is_served_as_what_it_is(address: str, client: httpx.AsyncClient) -> None:
    answer = await client.get(address)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(KINDS[Path(address).suffix])
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_what_the_browser_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/client/index.js")
    again = await client.get("/client/index.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, first.headers["cache-control"]) == (304, "no-cache")


async def test_nothing_outside_the_folders_is_served(client: httpx.AsyncClient) -> None:
    for path in ("/client/../package.json", "/client/%2e%2e/package.json", "/page/..%2froutes.py", "/page/"):
        assert (await client.get(path)).status_code == 404


async def test_the_modules_of_the_page_import_files_that_exist(client: httpx.AsyncClient) -> None:
    for path in page_dir().glob("*.js"):
        for address in re.findall(r'from "([^"]+)"', path.read_text()):
            if "ORIGIN" not in address:
                assert (await client.get(address if address.startswith("/") else f"/page/{address}")).status_code == 200
