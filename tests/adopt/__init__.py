"""Bringing repositories over, and the first repository of those who have none."""
