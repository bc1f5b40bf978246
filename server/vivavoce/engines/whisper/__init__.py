"""Whisper on the CPU: its weights in CTranslate2's form, our own graphs and kernel, windows as long as the speech."""
