"""Questions about compiled environments: what differs, and how to say it."""
