"""Text to phonemes: one front end for each language, and what joins them into the voices' symbols."""
