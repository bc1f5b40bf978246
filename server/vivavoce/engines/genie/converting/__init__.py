"""GPT-SoVITS checkpoints to Genie's files; commands of their own, never part of serving."""
