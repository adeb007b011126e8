"""Tests of the secrets room."""
