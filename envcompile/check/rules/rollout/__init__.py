"""Whether a new version, or new configuration, reaches the pods."""
