"""Tests of the room `scaling`."""
