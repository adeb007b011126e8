"""The stages in their order; the only room that knows it."""
