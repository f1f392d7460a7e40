"""Score embeddings: a classifier per test fold, repeated from several seeds."""
