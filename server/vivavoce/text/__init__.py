"""Pure text work, str to str: sentences, normalisation, estimated word times."""
