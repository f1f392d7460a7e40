"""Models from the weights that the authors released."""
