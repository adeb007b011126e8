"""Tests of the room that reads a project's files."""
