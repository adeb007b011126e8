"""The Pod Security Standards as rules, and the levels that namespaces enforce."""
