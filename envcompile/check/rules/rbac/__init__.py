"""Rights: too wide, given to too many, or to nobody; and tokens that nobody needs."""
