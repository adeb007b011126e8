"""The actions: one module a verb."""
