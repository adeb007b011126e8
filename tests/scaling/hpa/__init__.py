"""Tests of the HorizontalPodAutoscaler, held against the recorded answers of the real controller."""
