"""The command `vivavoce`: one file a command."""
