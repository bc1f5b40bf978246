"""A file that waits on disk until it is whole is the same file, and has a limit."""

from __future__ import annotations

import errno
import tempfile

import numpy as np
import pytest

from vivavoce.audio.chunk import Samples
from vivavoce.audio.encoders import FORMATS, open_encoder
from vivavoce.audio.spool import IN_MEMORY, Spool
from vivavoce.errors import Overloaded, SoundTooLong

RATE = 24_000


def tone(seconds: float) -> Samples:
    return np.asarray(0.3 * np.sin(np.arange(int(RATE * seconds)) * 0.1), np.float32)


@pytest.mark.parametrize("format", FORMATS)
def test_the_file_is_the_one_that_would_have_waited_in_memory(format: str) -> None:
    samples = tone(1.3)
    plain = open_encoder(format, RATE, exact_sizes=True)
    expected = plain.encode(samples) + plain.flush()
    with Spool() as spool:
        spooled = open_encoder(format, RATE, exact_sizes=True, spool=spool)
        streamed = spooled.encode(samples) + spooled.flush()
        got = streamed + b"".join(spool.pieces())
    if format in ("opus", "ogg"):  # each stream has a serial number of its own
        assert len(got) == pytest.approx(len(expected), rel=0.01)
    else:
        assert got == expected


class FileWithDisk(tempfile.SpooledTemporaryFile[bytes]):
    """A `SpooledTemporaryFile` whose move to the disk is seen."""

    moved = 0

    def rollover(self) -> None:
        FileWithDisk.moved += 1
        super().rollover()


class FullDisk(tempfile.SpooledTemporaryFile[bytes]):
    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "full")


def test_what_is_long_leaves_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", FileWithDisk)
    with Spool() as spool:
        encoder = open_encoder("wav", 48_000, exact_sizes=True, spool=spool)
        for _ in range(2):
            encoder.encode(np.zeros(IN_MEMORY // 2, np.float32))
        encoder.flush()
        assert FileWithDisk.moved == 1
        assert sum(map(len, spool.pieces())) == 44 + 2 * IN_MEMORY
        assert max(map(len, spool.pieces())) < IN_MEMORY


@pytest.mark.parametrize("format", ["wav", "mp3", "flac"])
def test_no_file_grows_without_end(format: str) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, RATE * 4).astype(np.float32)
    with Spool(most_bytes=20_000) as spool:
        encoder = open_encoder(format, RATE, exact_sizes=True, spool=spool)
        with pytest.raises(SoundTooLong):
            b"".join(encoder.encode(noise) for _ in range(10))


def test_a_full_disk_is_no_fault_of_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", FullDisk)
    with Spool() as spool, pytest.raises(Overloaded, match="no room"):
        open_encoder("wav", RATE, exact_sizes=True, spool=spool)
