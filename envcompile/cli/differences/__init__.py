"""The formats of a difference: each module here is one, named as `--format` calls it, and no other line anywhere."""
