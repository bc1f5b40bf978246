"""The demo page and the browser library it uses: where their files are.

In a wheel the library lies beside this file; in a checkout it is the repository's `client_js/src`. `routes.py` serves
both.
"""

from __future__ import annotations

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
