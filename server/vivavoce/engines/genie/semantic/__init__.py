"""Phonemes to semantic tokens, 25 for a second of speech, one step at a time."""
