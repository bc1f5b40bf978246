"""Strangers' recordings become samples in a process whose death hurts nobody."""
