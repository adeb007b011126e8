"""The pipeline: builds, slices, explanations."""
