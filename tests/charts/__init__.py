"""Tests of charts of others that need no helm; the real one is asked in `tests/oracles`."""
