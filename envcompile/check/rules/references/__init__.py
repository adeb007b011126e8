"""What pods name must exist: ConfigMaps, Secrets, their keys, ServiceAccounts, claims."""
