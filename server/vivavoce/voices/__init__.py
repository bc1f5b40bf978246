"""Voice packs on disk: found, read, checked, added and removed. Importing it loads no model and opens no socket."""
