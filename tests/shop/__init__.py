"""Promises about the shop that this repository compiles: `base/` and `overlays/`."""
