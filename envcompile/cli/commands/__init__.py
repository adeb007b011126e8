"""The commands, one module each: what they take, the one call they make, and what they print."""
