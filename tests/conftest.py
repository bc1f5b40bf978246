"""Fixtures of all tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A machine that is busy with something else makes no test fail.
settings.register_profile("no-clock", deadline=None)
settings.load_profile("no-clock")


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """For tests of code that sets up logging, as a command does: handlers and levels are put back."""
    loggers = [logging.getLogger(name) for name in (None, "vivavoce", "uvicorn")]
    levels, handlers = [logger.level for logger in loggers], list(logging.getLogger().handlers)
    yield
    logging.getLogger().handlers = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
