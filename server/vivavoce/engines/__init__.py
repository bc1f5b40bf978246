"""Speech engines: a sentence in, audio chunks out. Blocking, one step at a time; no asyncio, no web."""
