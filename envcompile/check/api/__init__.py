"""What the API server's own validation refuses, offline: tables of rules, forms of text, and validators."""
