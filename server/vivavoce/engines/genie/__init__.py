"""GPT-SoVITS voices through Genie's graphs, streamed from inside the sentence.

Importing this package imports neither genie_tts nor any model.
"""
