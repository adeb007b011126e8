"""The rules that a cluster brings with it, and one's own: admission policies, rules of custom kinds, expressions."""
