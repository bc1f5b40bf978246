"""A live connection that listens: sound of any kind in, words out as they are said."""
