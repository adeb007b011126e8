"""Tests of what the API server refuses."""
