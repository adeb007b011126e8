"""The cluster's own policies."""
