"""API versions that a cluster no longer serves, or will not for long."""
