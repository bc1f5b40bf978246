"""The live stream for listening: sound in, words out."""
