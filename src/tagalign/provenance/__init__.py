"""What made a file: the code of a stage, and the chain of files back to the sources."""
