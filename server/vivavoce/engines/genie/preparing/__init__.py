"""Prepares a voice once: Genie's graphs and weights become ours, in a cache. Nothing here runs while one listens."""
