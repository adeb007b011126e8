"""What a container asks of its node, and what it says twice."""
