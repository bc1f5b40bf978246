"""Finds calls that would stop an event loop: `blockbuster` around the code of this package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from blockbuster import blockbuster_ctx


@contextmanager
def no_blocking_calls() -> Iterator[None]:
    """Meanwhile a blocking call (files, sleeping, waiting for a lock) on any event loop raises `BlockingError` there.

    Only calls with this package on the stack count: a test's own code may do as it likes.
    """
    with blockbuster_ctx("vivavoce") as blockbuster:
        for name in ("os.stat", "os.scandir"):
            # A listing looks whether its few folders have changed; what is in them it reads once a second at most.
            blockbuster.functions[name].can_block_in("vivavoce/voices/store.py", {"list"})
            # And whether the data of its languages has come meanwhile: a few files, every five seconds at most.
            blockbuster.functions[name].can_block_in("vivavoce/engines/genie/engine.py", {"_language_problems"})
        # At the end of a call aiortc waits for its decoder's thread, which has nothing to do: the packets go elsewhere.
        blockbuster.functions["threading.Lock.acquire"].can_block_in("aiortc/rtcrtpreceiver.py", {"__stop_decoder"})
        yield
