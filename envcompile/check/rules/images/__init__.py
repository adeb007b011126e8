"""Which image a container runs, and whether it is the same one tomorrow."""
