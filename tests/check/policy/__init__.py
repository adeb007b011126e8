"""Tests of admission policies, rules of custom kinds and own rules."""
