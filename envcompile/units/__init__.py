"""Compile, then link: an environment as units that are compiled apart and joined with all of them in sight."""
