"""Promises about the `envc` command: what it prints, what it exits with."""
