"""How many pods stay when a node goes: replicas, budgets, spreading."""
