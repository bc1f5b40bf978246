"""Tests with the package `chattts`, which brings torch: in an environment of their own, `make test-chattts`."""

from __future__ import annotations

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("ChatTTS") else ["*.py"]
