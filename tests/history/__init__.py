"""Recorded history: the database, recording, and the questions to it."""
