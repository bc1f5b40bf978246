"""Semantic tokens to samples: latent frames, and the decoder that turns them into sound."""
