"""Where batches go, and where they are read back from."""
