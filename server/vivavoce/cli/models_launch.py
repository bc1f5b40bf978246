"""`vivavoce models launch`: asks a running server, over HTTP, to load a model and to keep it under a name.

The server speaks Xinference's contract there, so this launches on Xinference itself as well. One thread waits for the
answer, the other draws how far it is. Called by `models.py`.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from vivavoce.errors import ConfigError, VivaVoceError
from vivavoce.progress import Progress

TIMEOUT_S = 900.0
POLL_S = 0.5
MAX_ANSWER_BYTES = 1 << 20


class LaunchFailed(VivaVoceError):
    """The server cannot be reached, or does not launch it; the sentence is the server's own."""

    code = "launch_failed"


@dataclass(frozen=True, slots=True)
class RunningServer:
    """The address and key of a server that a command talks to.

    Attributes:
        url: http or https, without a path.
        key: API key; None where the server knows none.
    """

    url: str
    key: str | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigError(f"'{self.url}' is no address of a server, like http://127.0.0.1:7860")

    def ask(self, path: str, content: dict[str, Any] | None = None, *, timeout_s: float = 10.0) -> Any:
        """What the server answers: a POST with content, else a GET.

        Raises:
            LaunchFailed: If it refuses or cannot be reached.
        """
        headers = {"Content-Type": "application/json"} if content is not None else {}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self.url.rstrip("/") + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                return json.loads(answer.read(MAX_ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                raise LaunchFailed(_sentence(error.read(MAX_ANSWER_BYTES), error.code)) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise LaunchFailed(f"{self.url} cannot be asked: {reason}; is `vivavoce serve` running there?") from None


def launch(
    server: RunningServer, name: str, uid: str | None, progress: Progress | None = None, *, poll_s: float = POLL_S
) -> str:
    """Load a model on the server and return the name it goes by.

    Args:
        uid: the name it shall go by; None: its own.

    Raises:
        LaunchFailed: If it is not launched.
    """
    answers: list[Any] = []
    asking = threading.Thread(target=_ask, args=(server, name, uid, answers), name="launch", daemon=True)
    asking.start()
    while True:
        asking.join(poll_s)
        if not asking.is_alive():
            break
        if progress is not None:
            _tell(server, uid or name, progress)
    answer = answers[0]
    if isinstance(answer, VivaVoceError):
        raise answer
    if progress is not None:
        progress("ready", 1.0)
    return str(answer["model_uid"]) if isinstance(answer, dict) and "model_uid" in answer else uid or name


def _ask(server: RunningServer, name: str, uid: str | None, answers: list[Any]) -> None:
    wish = {"model_name": name, "model_type": "audio", "model_uid": uid}
    try:
        answers.append(server.ask("/v1/models", wish, timeout_s=TIMEOUT_S))
    except LaunchFailed as error:
        answers.append(error)


def _tell(server: RunningServer, uid: str, progress: Progress) -> None:
    """How far it is; a server that does not say keeps us waiting all the same."""
    try:
        found = server.ask(f"/v1/models/{quote(uid, safe='')}/progress", timeout_s=5.0)
        progress(str(found.get("stage") or "loading")[:40], float(found["progress"]))
    except (LaunchFailed, AttributeError, KeyError, TypeError, ValueError):
        return


def _sentence(body: bytes, status: int) -> str:
    """The server's own words: OpenAI's form of an error, or Xinference's."""
    try:
        found = json.loads(body)
        said = found["detail"] if "detail" in found else found["error"]["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = f"the server answered with status {status}"
    return "".join(c for c in str(said)[:500] if c.isprintable())
