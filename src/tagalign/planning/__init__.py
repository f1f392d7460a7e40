"""What the workflow asks before it runs: files of a run, code of a stage, digests, estimates."""
