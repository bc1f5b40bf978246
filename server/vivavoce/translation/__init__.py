"""Words into other languages."""
