"""What differs between two versions of an environment, and how it is told."""
