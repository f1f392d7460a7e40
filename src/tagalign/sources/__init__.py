"""Where sounds come from: a folder, Freesound's catalogue, or COALA's published files."""
