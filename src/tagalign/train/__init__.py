"""Training of one system: data on the device, steps, checkpoints, history."""
