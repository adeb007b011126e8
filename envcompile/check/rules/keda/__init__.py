"""Triggers of KEDA: what its operator or the API server refuses, so that nothing scales."""
