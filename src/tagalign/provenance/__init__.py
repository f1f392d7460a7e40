"""What a file holds and what made it, and whether a run still follows from its inputs."""
