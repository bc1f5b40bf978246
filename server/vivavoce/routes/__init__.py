"""One file for each HTTP contract, thin: a request in, a call of a service, an answer out."""
