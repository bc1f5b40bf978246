"""The conversation: what was said, who answers, and how the answer becomes speech that can be interrupted."""
