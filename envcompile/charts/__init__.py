"""Charts of others: rendered by the real helm into documents of the base, and traced to the values that made them."""
