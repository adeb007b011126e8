"""The rules, one module for each subject; `catalogue` has them all."""
