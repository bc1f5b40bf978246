"""The cores and the memory: who computes next, who is let in, what is loaded. No word of speech."""
