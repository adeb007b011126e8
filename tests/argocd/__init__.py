"""What is written for Argo CD."""
