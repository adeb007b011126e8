"""Each command as people and scripts call it."""
