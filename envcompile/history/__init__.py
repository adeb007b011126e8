"""The history database: every compiled revision with its commit, each resource's content stored once."""
