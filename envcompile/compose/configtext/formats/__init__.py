"""The formats of configuration texts: each module here is one, with a `FORMAT`, and no other line anywhere."""
