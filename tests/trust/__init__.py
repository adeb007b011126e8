"""What a checkout of anybody may not do: each kind of SECURITY.md with its variations."""
