"""One revision of one repository on Hugging Face: what is in it, and its files one by one, resumed and checked.

Every file is compared with the checksum the hub itself keeps (sha256 of large files, git's own hash of small ones).
An interrupted file goes on where it stopped, in the same run or in a later one; a file that came out wrong is fetched
again from its beginning, once. `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE` and proxies are read by huggingface_hub as
always. Files come over the plain HTTP route, which resumes at any byte; hf_xet plays no part. Only ever run by a
command: `voices/pull.py` and `models/pull.py` say what is wanted.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from vivavoce.errors import DownloadError, VivaVoceError
from vivavoce.progress import Progress

BLOCK_BYTES = 1 << 20
ATTEMPTS = 5  # in a row without a single new byte
TIMEOUT_S = 30.0
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub lists it.

    Attributes:
        path: in the repository.
        name: inside the folder that is pulled.
        size: bytes.
        sha256: of a large file; None for a small one.
        git_sha1: git's blob hash of a small file.
    """

    path: str
    name: str
    size: int
    sha256: str | None
    git_sha1: str

    def matches(self, path: Path) -> bool:
        """Does the file at `path` hold these very bytes?"""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        digest = hashlib.sha256() if self.sha256 else hashlib.sha1(f"blob {self.size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
        return digest.hexdigest() == (self.sha256 or self.git_sha1)


class Hub:
    """One revision of one repository.

    Args:
        endpoint: address of the hub; None: `HF_ENDPOINT`, else the public one.
        retry_wait_s: pause after a failed attempt, doubled each time.
    """

    def __init__(
        self,
        repository: str,
        revision: str,
        *,
        endpoint: str | None = None,
        retry_wait_s: float = 1.0,
    ) -> None:
        self.repository, self.revision = repository, revision
        self._endpoint, self._retry_wait_s = endpoint, retry_wait_s

    def pinned(self) -> Hub:
        """This hub at a commit: a branch or tag is looked up once.

        Raises:
            DownloadError: If the hub does not know the revision or cannot be reached.
        """
        if _COMMIT.fullmatch(self.revision):
            return self
        from huggingface_hub import HfApi

        info = self._asked(lambda: HfApi(endpoint=self._endpoint).model_info(self.repository, revision=self.revision))
        return Hub(self.repository, str(info.sha), endpoint=self._endpoint, retry_wait_s=self._retry_wait_s)

    def files(self, folder: str, wanted: Callable[[str], bool] | None = None) -> Sequence[RemoteFile]:
        """The files below `folder` ("": all) whose path is wanted (None: all).

        Raises:
            DownloadError: If there is none, one has a name that leads out of the folder, or the hub cannot be reached.
        """
        from huggingface_hub import HfApi
        from huggingface_hub.hf_api import RepoFile

        tree = self._asked(
            lambda: list(
                HfApi(endpoint=self._endpoint).list_repo_tree(
                    self.repository, path_in_repo=folder or None, recursive=True, revision=self.revision
                )
            )
        )
        found = [
            _remote_file(entry, folder)
            for entry in tree
            if isinstance(entry, RepoFile) and (wanted is None or wanted(entry.path))
        ]
        if not found:
            place = f"no folder '{folder}'" if folder else "none of the files that are needed"
            raise DownloadError(f"{self.repository} has {place} at revision {self.revision}")
        return found

    def fetch(self, file: RemoteFile, target: Path, received: Callable[[int], None]) -> None:
        """Download one file to `target`, going on with what an earlier attempt left in `target`.part.

        Args:
            received: is told the bytes of this file that are on disk.

        Raises:
            DownloadError: If the hub cannot be reached, or what it sends has the wrong checksum twice.
        """
        part = target.with_name(target.name + ".part")
        target.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            self._complete(file, part, received)
            if file.matches(part):
                os.replace(part, target)
                return
            part.unlink()
        raise DownloadError(f"{file.path} came with a wrong checksum twice; nothing of it was kept")

    def _complete(self, file: RemoteFile, part: Path, received: Callable[[int], None]) -> None:
        """Attempts until the part has its full length or several in a row brought nothing."""
        fruitless = 0
        while (have := size_of(part)) < file.size or not part.exists():
            error = self._attempt(file, part, have, received)
            fruitless = 0 if size_of(part) > have else fruitless + 1
            if fruitless == ATTEMPTS:
                raise DownloadError(
                    f"{file.path} could not be downloaded: {error or 'the connection was closed'}; "
                    "run the command again to go on"
                )
            if error is not None:
                time.sleep(self._retry_wait_s * 2**fruitless)

    def _attempt(self, file: RemoteFile, part: Path, have: int, received: Callable[[int], None]) -> Exception | None:
        """One request; what went wrong, if it may go better next time."""
        from huggingface_hub import get_session, hf_hub_url
        from huggingface_hub.errors import HfHubHTTPError
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

        url = hf_hub_url(self.repository, file.path, revision=self.revision, endpoint=self._endpoint)
        headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        try:
            with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT_S) as answer:
                hf_raise_for_status(answer)
                whole = answer.status_code != 206  # the range was not honoured: it begins anew
                with part.open("wb" if whole else "ab") as out:
                    for block in answer.iter_bytes():  # as they come: what arrived before a cut is kept
                        out.write(block)
                        received(out.tell())
                        if out.tell() > file.size:
                            raise DownloadError(f"{file.path} is longer than the {file.size} bytes the hub lists")
        except VivaVoceError:
            part.unlink(missing_ok=True)
            raise
        except HfHubHTTPError as error:
            if error.response.status_code == 416:
                part.unlink(missing_ok=True)
            elif error.response.status_code not in (408, 429) and error.response.status_code < 500:
                raise DownloadError(_explained(error, self.repository, self.revision)) from error
            return error
        except OSError as error:
            raise DownloadError(f"{part.name} cannot be written: {error.strerror or error}") from error
        except Exception as error:  # a transport error; its class depends on the HTTP client of the installed release
            return error
        return None

    def _asked(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except Exception as error:  # see above
            raise DownloadError(_explained(error, self.repository, self.revision)) from error


def fetch_all(hub: Hub, files: Sequence[RemoteFile], folder: Path, progress: Progress | None = None) -> int:
    """Get files into `folder`, those that are not there and right already; how many were fetched.

    Raises:
        DownloadError: As `Hub.fetch`, or if the disk has no room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total, done, fetched = max(1, sum(file.size for file in files)), 0, 0
    missing = [file for file in files if not file.matches(folder / file.name)]
    needed = sum(file.size - size_of(folder / (file.name + ".part")) for file in missing)
    if shutil.disk_usage(folder).free < needed:
        raise DownloadError(f"the disk of '{folder}' is full: {needed >> 20} MiB are needed")
    for file in files:
        if file in missing:
            hub.fetch(file, folder / file.name, partial(_tell, progress, file.name, total, done))
            fetched += 1
        done += file.size
        _tell(progress, file.name, total, done)
    return fetched


def _tell(progress: Progress | None, name: str, total: int, before: int, have: int = 0) -> None:
    if progress is not None:
        progress(name, (before + have) / total)


def _remote_file(entry: Any, folder: str) -> RemoteFile:
    path = PurePosixPath(entry.path)
    inner = path.relative_to(folder)
    if ".." in path.parts or path.is_absolute() or "\\" in entry.path:
        raise DownloadError(f"the hub lists '{entry.path}', which is no name for a file")
    lfs = entry.lfs
    return RemoteFile(str(path), str(inner), int(entry.size), str(lfs.sha256) if lfs else None, str(entry.blob_id))


def size_of(path: Path) -> int:
    """Bytes of a file on disk; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _explained(error: Exception, repository: str, revision: str) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.RevisionNotFoundError):
        return f"{repository} has no revision {revision}; `--revision main` takes the newest"
    if isinstance(error, errors.GatedRepoError | errors.RepositoryNotFoundError):
        return f"{repository} does not exist or needs a token (HF_TOKEN)"
    if isinstance(error, errors.EntryNotFoundError):
        return f"{repository} does not hold these files at revision {revision}"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set; nothing was downloaded"
    first_line = next(iter(str(error).splitlines()), "")
    return f"{repository} could not be reached: {type(error).__name__}: {first_line}"
