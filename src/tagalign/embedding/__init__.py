"""Apply a trained model: to users' sounds, to the clips of a task, to tags."""
