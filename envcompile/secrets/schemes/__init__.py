"""The schemes of references: each module here is one, with a `SCHEME`, and no other line anywhere."""
