"""What is drift and what is none: recorded answers of a real API server, and the comparison by hand."""
