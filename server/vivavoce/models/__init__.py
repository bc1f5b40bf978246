"""Recognition models by name: what can be asked for, where it comes from, and where it lies on this machine.

Importing it loads no model and asks no network; only a command ever downloads.
"""
