"""Front ends: a stretch of text in one language -> the symbols of its sounds. One module, one language."""
