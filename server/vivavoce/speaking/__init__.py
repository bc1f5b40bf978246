"""A live connection that speaks: a session's commands become utterances, utterances become sound in a sink."""
