"""Back to a recorded state."""
