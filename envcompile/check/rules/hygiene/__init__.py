"""Names, labels, sizes, and fields that have had their day."""
