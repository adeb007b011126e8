"""Laws that hold for every repository and every way to come to it: a memo, a place or a moment never shows."""
