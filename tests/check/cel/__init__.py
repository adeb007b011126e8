"""Tests of expressions: what the API server itself answers is written down beside them."""
