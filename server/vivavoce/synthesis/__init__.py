"""The generator behind every transport: text in, ordered audio chunks out, fairly, for many listeners at once."""
