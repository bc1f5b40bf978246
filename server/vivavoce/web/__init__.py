"""The demo page and the browser library it uses: where their files are.

In a wheel the library lies beside this file; in a checkout it is the repository's `client_js/src`. `routes.py` serves
both.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_PACKAGED_CLIENT = _HERE / "client"
_CHECKOUT_CLIENT = _HERE.parents[2] / "client_js" / "src"


def page_dir() -> Path:
    """Folder of the page: `index.html` and what it loads under `/page/`."""
    return _HERE / "page"


def client_dir() -> Path:
    """Folder of the JavaScript library, served under `/client/`."""
    return _PACKAGED_CLIENT if _PACKAGED_CLIENT.is_dir() else _CHECKOUT_CLIENT


def swagger_dir() -> Path:
    """Folder of Swagger UI's files, which the package fastapi-offline carries; it is found, not imported."""
    found = find_spec("fastapi_offline")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(next(iter(found.submodule_search_locations))) / "static"
