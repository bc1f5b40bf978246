"""A folder that becomes a Hugging Face Space when it is pushed: voices, what they need, and how to start them.

Knows the layout of such a folder and how voices are written down in it; loads no voice. `vivavoce space` has every
voice speak before anything of this is called.
"""

from vivavoce.space.folder import SpaceFiles, Written, write_space

__all__ = ["SpaceFiles", "Written", "write_space"]
