"""A report of checks in the formats that people, CI systems and code hosts read."""
