"""Voice packs on disk: found, read, checked, added and removed. Importing it loads no model and opens no socket."""

from vivavoce.voices.pack import PackFile, VoicePack
from vivavoce.voices.references import ReferenceClip
from vivavoce.voices.store import VoiceDirectory, VoiceStore, open_store

__all__ = ["PackFile", "ReferenceClip", "VoiceDirectory", "VoicePack", "VoiceStore", "open_store"]
