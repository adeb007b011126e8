"""What people see: differences, histories, secrets and tables in words."""
