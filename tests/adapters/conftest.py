"""These tests run in an environment of their own, `make test-fastrtc`: FastRTC brings Gradio, which no other part
needs.
"""

from __future__ import annotations

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("fastrtc") else ["test_*.py"]
