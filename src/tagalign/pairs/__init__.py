"""Join patches and tags into the training file."""
